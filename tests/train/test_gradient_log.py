"""``joint.log_gradients`` and the weights in the log."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from joint_cases import C, R, S, partial_batches, same, small_network, train_network, weights_of
from makers import full_batch


def logged(folder: Path) -> list[dict[str, str]]:
    with (folder / "logs" / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def told(rows: list[dict[str, str]], column: str) -> dict[int, float]:
    return {int(row["step"]): float(row[column]) for row in rows if row.get(column)}


@pytest.mark.parametrize("method", ["fixed", "famo", "pcgrad"])
def test_comparing_gradients_changes_no_weight(method: str, tmp_path: Path) -> None:
    ends = [
        weights_of(
            train_network(
                tmp_path / str(every),
                partial_batches(),
                network=small_network(C, S, R),
                joint={"method": method, "log_gradients": every},
            )[0]
        )
        for every in (0, 1)
    ]
    assert same(*ends)


def test_norms_and_cosines_are_logged_every_so_many_steps(tmp_path: Path) -> None:
    train_network(
        tmp_path,
        [full_batch()],
        network=small_network(C, S, R),
        joint={"log_gradients": 3},
        run={"steps": 7},
    )
    rows = logged(tmp_path)
    for task in (C, S, R):
        norms = told(rows, f"train/gradient/norm/{task.value}")
        assert list(norms) == [0, 3, 6]
        assert all(norm > 0 for norm in norms.values())
    cosines = told(rows, "train/gradient/cosine/classification_segmentation")
    assert list(cosines) == [0, 3, 6]
    assert all(-1.0 <= cosine <= 1.0 for cosine in cosines.values())
    assert list((tmp_path / "tensorboard").iterdir())


def test_only_tasks_with_a_row_are_compared(tmp_path: Path) -> None:
    masks_only = partial_batches()[2]
    train_network(
        tmp_path,
        [masks_only],
        network=small_network(C, S, R),
        joint={"log_gradients": True},
        run={"steps": 1},
    )
    found = {name for row in logged(tmp_path) for name in row if "gradient" in name}
    assert found == {"train/gradient/norm/segmentation"}


def test_nothing_is_compared_unasked(tmp_path: Path) -> None:
    train_network(tmp_path, network=small_network(C, S))
    names = set(logged(tmp_path)[0])
    assert not {name for name in names if "gradient" in name or "weight" in name}


@pytest.mark.parametrize(("method", "what"), [("random", "weight"), ("pcgrad", "share")])
def test_the_log_says_what_each_task_was_multiplied_with(
    method: str, what: str, tmp_path: Path
) -> None:
    train_network(
        tmp_path,
        [full_batch()],
        network=small_network(C, S),
        joint={"method": method, "segmentation": 0.5},
    )
    rows = logged(tmp_path)
    values = [told(rows, f"train/{what}/{task.value}") for task in (C, S)]
    if method == "random":
        assert values[0][1] + 2 * values[1][1] == pytest.approx(2.0, abs=1e-5)
    else:
        assert values[0][1] >= 1.0 - 1e-6
        assert values[1][1] >= 0.5 - 1e-6
