"""Figures of one name that are not the same figure: other units, other pixels, other classes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from tetract.evaluate.collect import Collected
from tetract.evaluate.result import Setting
from tetract.types import LabelSpace, Task
from tetract.types.identity import HasIdentity

_HIDDEN: Final = ("masked_", "visible_", "mean_filter_")
_PX: Final = re.compile(r"(?<![a-z])px(?![a-z])")


def figures_not_compared(
    names: Iterable[str], mine: Sequence[Collected], baseline: Sequence[Collected]
) -> dict[str, str]:
    """The figures that may not be subtracted although both sides have one of that name, and why.

    Args:
        names: As in ``named_figures``.
        mine: Runs of one arm: repeats of each other where they have the same tasks.
        baseline: Of the other.
    """
    found: dict[str, str] = {}
    for task in Task:
        pairs = [
            next((run for run in runs if task in run.tasks), None) for runs in (mine, baseline)
        ]
        if pairs[0] is None or pairs[1] is None:
            continue
        whole = _other_rows(task, pairs[0], pairs[1])
        for name in names:
            if task in name.split("/")[:2]:
                found[name] = whole or _other_figure(task, name, pairs[0], pairs[1])
    return {name: reason for name, reason in found.items() if reason}


def _other_rows(task: Task, mine: Collected, theirs: Collected) -> str:
    """Slices left out, and lesions too small for boxes, differ with the recipe."""
    if _names(task, mine.label_space) != _names(task, theirs.label_space):
        return ""  # then other slices may be labelled, and figures of single classes still meet
    ours, others = _slices(task, mine), _slices(task, theirs)
    if ours != others:
        return f"{task}: other slices ({len(ours)} against {len(others)})"
    boxes = [sum(len(row.truth_labels) for row in run.detection) for run in (mine, theirs)]
    if task is Task.DETECTION and boxes[0] != boxes[1]:
        return f"{task}: other reference boxes ({boxes[0]} against {boxes[1]})"
    return ""


def _slices(task: Task, run: Collected) -> set[tuple[int, int]]:
    rows: Mapping[Task, Sequence[HasIdentity]] = {
        Task.CLASSIFICATION: run.classification,
        Task.SEGMENTATION: run.segmentation,
        Task.RECONSTRUCTION: run.reconstruction,
        Task.DETECTION: run.detection,
    }
    return {(row.identity.row, row.identity.slice_index) for row in rows[task]}


def _other_figure(task: Task, name: str, mine: Collected, theirs: Collected) -> str:
    """Why one figure of the task is another figure, "" where it is not."""
    parts = name.split("/")
    if task is Task.RECONSTRUCTION:
        return next(_other_errors(parts[-1], mine.setting, theirs.setting), "")
    own, others = _names(task, mine.label_space), _names(task, theirs.label_space)
    if own != others and not {*own} & {*others} & {*parts}:
        return f"{task}: other classes ({_list(own)} against {_list(others)})"
    if _PX.search(name):
        return next(_other_grid(f"{task} in pixels", mine.setting, theirs.setting), "")
    return ""


def _other_errors(figure: str, mine: Setting, theirs: Setting) -> Iterator[str]:
    if _window(mine) != _window(theirs):
        yield f"reconstruction: other windows ({_window(mine)} against {_window(theirs)})"
    yield from _other_grid("reconstruction", mine, theirs)
    if figure.endswith("_hu") and mine.hu_sources != theirs.hu_sources:
        yield "reconstruction in HU: other sources whose values are HU"
    if figure.startswith(_HIDDEN) and mine.hiding != theirs.hiding:
        yield "reconstruction of hidden pixels: other pixels are hidden (hidden_fraction, patch_px)"


def _other_grid(what: str, mine: Setting, theirs: Setting) -> Iterator[str]:
    if mine.grid_px != theirs.grid_px:
        yield f"{what}: other image sizes ({mine.grid_px} px against {theirs.grid_px} px)"


def _window(setting: Setting) -> str:
    low, width = setting.hu_window_low, setting.hu_window_width
    if width is None:
        return "unknown"
    return f"{width:g} HU wide" if low is None else f"{low:g} to {low + width:g} HU"


def _names(task: Task, space: LabelSpace) -> tuple[str, ...]:
    if task is Task.CLASSIFICATION:
        return space.classes
    if task is Task.SEGMENTATION:
        return space.mask_classes
    return space.box_classes if task is Task.DETECTION else ()


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"
