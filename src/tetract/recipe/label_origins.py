"""Where the labels come from that a split is scored against."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tetract.data.dataset import TaskCount
from tetract.types import Task


def origin_warnings(counts: Iterable[TaskCount], tasks: Collection[Task]) -> tuple[str, ...]:
    """A line per task and source whose labels nobody drew, so that it travels with the figures.

    A slice counts where nothing of what it teaches the task was measured.

    Args:
        counts: What each source of the split gives each task.
        tasks: Those that are scored.
    """
    return tuple(_line(count) for count in counts if count.task in tasks and _any(count))


def _any(count: TaskCount) -> bool:
    return count.derived + count.implied > 0


def _line(count: TaskCount) -> str:
    parts = {"derived from other labels": count.derived, "implied by a normal class": count.implied}
    told = ", ".join(f"{number} {how}" for how, number in parts.items() if number)
    return (
        f"W_LABELS_FOLLOW {count.source}, {count.task}: of {count.labelled} labelled slices "
        f"{told}; nobody drew these labels"
    )
