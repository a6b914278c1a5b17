"""Claims about which rows a step sees."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from tetract.data.sampling import BatchPlan, Drawing
from tetract.errors import RecipeError
from tetract.types import Task

N = 120
SOURCES = tuple("big" if i < 100 else "small" for i in range(N))


def marks(**rows: range) -> np.ndarray:
    table = np.zeros((N, 4), dtype=bool)
    for name, picked in rows.items():
        table[list(picked), list(Task).index(Task(name))] = True
    return table


LABELLED = marks(
    classification=range(40),
    segmentation=range(60, 120),
    reconstruction=range(N),
    detection=range(60, 120),
)
POSITIVE = marks(classification=range(40), segmentation=range(64, 104), detection=range(64, 104))


def plan(batch: int = 4, seed: int = 0, tasks: tuple[Task, ...] = tuple(Task)) -> BatchPlan:
    return BatchPlan(LABELLED, POSITIVE, SOURCES, tasks, batch, seed)


def test_a_step_depends_on_seed_and_step_alone() -> None:
    used, fresh = plan(), plan()
    for step in (9, 3, 700, 0):  # whatever was asked before
        used.rows(step)
    assert [used.rows(s) for s in range(40)] == [fresh.rows(s) for s in range(40)]
    assert fresh.rows(0) != plan(seed=1).rows(0)


@pytest.mark.parametrize("batch", [4, 5, 8, 11])
def test_every_step_teaches_every_active_task(batch: int) -> None:
    for step in range(50):
        assert LABELLED[list(plan(batch).rows(step))].any(axis=0).all()


def test_small_batches_give_every_task_its_turn() -> None:
    steps = plan(batch=1)
    classification = [s for s in range(400) if steps.rows(s)[0] in range(40)]
    # One slot in four is drawn for classification; reconstruction may show its rows as well.
    assert len(classification) >= 100
    for start in range(0, 400, 4):
        assert LABELLED[[steps.rows(start + i)[0] for i in range(4)]].any(axis=0).all()


def drawn(task: Task, steps: int = 512) -> list[int]:
    only = plan(batch=1, tasks=(task,))
    return [only.rows(step)[0] for step in range(steps)]


def test_only_labelled_rows_are_drawn_for_a_task() -> None:
    assert set(drawn(Task.CLASSIFICATION)) == set(range(40))


def test_half_of_the_rows_show_a_lesion_where_there_is_a_choice() -> None:
    share = POSITIVE[drawn(Task.DETECTION), list(Task).index(Task.DETECTION)].mean()
    assert share == pytest.approx(0.5, abs=0.02)


def test_sources_are_drawn_by_the_square_root_of_their_size() -> None:
    counts = Counter(SOURCES[row] for row in drawn(Task.RECONSTRUCTION))
    expected = np.sqrt(100) / (np.sqrt(100) + np.sqrt(20))
    assert counts["big"] / 512 == pytest.approx(expected, abs=0.01)


def test_within_a_pool_every_row_comes_before_any_comes_again() -> None:
    rows = drawn(Task.CLASSIFICATION, 80)
    assert sorted(rows[:40]) == sorted(rows[40:]) == list(range(40))
    assert rows[:40] != rows[40:]


def test_no_row_follows_itself() -> None:
    for few in (2, 3, 5):
        labelled = np.zeros((few, 4), dtype=bool)
        labelled[:, 0] = True
        tiny = BatchPlan(labelled, labelled, ("s",) * few, (Task.CLASSIFICATION,), 1, 0)
        rows = [tiny.rows(step)[0] for step in range(200)]
        assert all(one != two for one, two in pairwise(rows))


def test_a_task_that_no_row_teaches_is_refused() -> None:
    nothing = np.zeros((N, 4), dtype=bool)
    with pytest.raises(RecipeError, match="E_TASK_UNTAUGHT segmentation"):
        BatchPlan(nothing, nothing, SOURCES, (Task.SEGMENTATION,), 4, 0)


@pytest.mark.parametrize(("fraction", "allowed"), [(0.0, {False}), (1.0, {True})])
def test_the_positive_share_can_be_all_or_nothing(fraction: float, allowed: set[bool]) -> None:
    only = BatchPlan(
        LABELLED, POSITIVE, SOURCES, (Task.DETECTION,), 8, 0, Drawing(positive_fraction=fraction)
    )
    rows = [row for step in range(20) for row in only.rows(step)]
    column = list(Task).index(Task.DETECTION)
    assert {bool(x) for x in POSITIVE[rows, column]} == allowed


@pytest.mark.parametrize(("balance", "big"), [("proportional", 100 / 120), ("equal", 0.5)])
def test_sources_can_be_drawn_by_their_size_or_alike(balance: str, big: float) -> None:
    drawing = Drawing(source_balance=balance)
    only = BatchPlan(LABELLED, POSITIVE, SOURCES, (Task.RECONSTRUCTION,), 8, 0, drawing)
    rows = [row for step in range(64) for row in only.rows(step)]
    assert np.mean([SOURCES[row] == "big" for row in rows]) == pytest.approx(big, abs=0.01)


def test_classes_of_one_source_can_be_drawn_alike() -> None:
    classes = np.where(np.arange(N) < 36, 0, 1)  # 36 rows of one class, 4 of the other
    for drawing, share in ((Drawing(), 4 / 40), (Drawing(classes=classes), 0.5)):
        only = BatchPlan(LABELLED, POSITIVE, SOURCES, (Task.CLASSIFICATION,), 8, 0, drawing)
        rows = [row for step in range(64) for row in only.rows(step)]
        assert np.mean(classes[rows]) == pytest.approx(share, abs=0.02)


def test_balanced_classes_leave_the_other_tasks_draws_alone() -> None:
    classes = np.arange(N) % 3
    with_them = BatchPlan(LABELLED, POSITIVE, SOURCES, tuple(Task), 4, 0, Drawing(classes=classes))
    for step in range(40):
        assert plan().rows(step)[1:] == with_them.rows(step)[1:]
