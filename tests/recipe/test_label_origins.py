"""Claims about what an evaluation says of labels that nobody drew."""

from __future__ import annotations

import pytest

from tetract.data.dataset import TaskCount
from tetract.recipe.label_origins import origin_warnings
from tetract.types import Task


def told(tasks: tuple[Task, ...], *, derived: int, implied: int) -> tuple[str, ...]:
    count = TaskCount(
        task=Task.DETECTION,
        source="site",
        slices=9,
        labelled=7,
        positive=2,
        derived=derived,
        implied=implied,
    )
    return origin_warnings((count,), tasks)


@pytest.mark.parametrize(
    ("derived", "implied", "said"),
    [
        (4, 0, "7 labelled slices 4 derived from other labels;"),
        (0, 3, "7 labelled slices 3 implied by a normal class;"),
        (4, 3, "4 derived from other labels, 3 implied by a normal class;"),
    ],
)
def test_labels_that_follow_from_others_are_counted(derived: int, implied: int, said: str) -> None:
    (line,) = told((Task.DETECTION,), derived=derived, implied=implied)
    assert line.startswith("W_LABELS_FOLLOW site, detection: of ")
    assert said in line


def test_what_was_measured_or_is_not_scored_is_not_told() -> None:
    assert told((Task.DETECTION,), derived=0, implied=0) == ()
    assert told((Task.SEGMENTATION,), derived=4, implied=3) == ()
