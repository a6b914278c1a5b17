"""What the labels of a source teach, counted slice by slice; unknown, empty and present apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
from jaxtyping import Bool

from tetract.data.cells import Split
from tetract.data.check.summary import Histogram, columns
from tetract.data.label_algebra import Origin, Resolved
from tetract.types import LabelSpace, Task

SIZE_PX: Final = (0.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
SIZE_MM: Final = (0.0, 3.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0)
UNKNOWN: Final = "unknown"
EMPTY: Final = "empty"
PRESENT: Final = "present"
# Both hold a blank, which no class name can.
CANDIDATES: Final = "one of several"
ANY: Final = "any class"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What is counted: a state of one class of one task.

    Attributes:
        task: The task.
        name: Class name; ``ANY`` for the task as a whole; "" for classification's own states.
        state: ``unknown``, ``empty``, ``present``; for classification ``unknown``,
            ``CANDIDATES`` or a class name. With an origin after a comma (``empty, implied``) it
            counts a part of the state before the comma.
    """

    task: Task
    name: str
    state: str


@dataclass(slots=True, kw_only=True)
class LabelTally:
    """Labels of one source as training sees them, on the grid of the slice as it was read.

    Attributes:
        space: The data set's names.
        slices: Usable slices per split.
        counts: Slices per cell and split.
        boxes: Boxes per box class, derived ones among them.
        derived_boxes: Those of them that a mask gave.
        size_px: Longest side of each box, in px.
        size_mm: The same in mm, where the image says how large a pixel is.
        boxes_without_mm: Boxes on images that do not.
    """

    space: LabelSpace
    slices: Counter[Split] = field(default_factory=Counter)
    counts: defaultdict[Cell, Counter[Split]] = field(default_factory=lambda: defaultdict(Counter))
    boxes: Counter[str] = field(default_factory=Counter)
    derived_boxes: Counter[str] = field(default_factory=Counter)
    size_px: Histogram = field(default_factory=lambda: Histogram(edges=SIZE_PX, unit="px"))
    size_mm: Histogram = field(default_factory=lambda: Histogram(edges=SIZE_MM, unit="mm"))
    boxes_without_mm: int = 0

    def add(self, split: Split, resolved: Resolved, pixel_mm: tuple[float, float] | None) -> None:
        """Count one slice.

        Args:
            split: Where it belongs.
            resolved: What it teaches.
            pixel_mm: Distance of rows and of columns in mm, or None.
        """
        self.slices[split] += 1
        self._count(split, Cell(task=Task.CLASSIFICATION, name="", state=self._class(resolved)))
        self._add_masks(split, resolved)
        self._add_boxes(split, resolved)
        self._count(split, Cell(task=Task.RECONSTRUCTION, name="", state=PRESENT))
        self._add_sizes(resolved, pixel_mm)

    def rows(self) -> list[Cell]:
        """The cells in the order of tasks, classes and states."""
        told = [UNKNOWN, CANDIDATES, *self.space.classes]
        cells = [Cell(task=Task.CLASSIFICATION, name="", state=state) for state in told]
        groups = ((Task.SEGMENTATION, self.space.mask_classes),)
        groups += ((Task.RECONSTRUCTION, ()), (Task.DETECTION, self.space.box_classes))
        for task, names in groups:
            if task is Task.RECONSTRUCTION:
                cells.append(Cell(task=task, name="", state=PRESENT))
            for name in (ANY, *names) if names else ():
                cells += [Cell(task=task, name=name, state=state) for state in _states()]
        return cells

    def as_json(self) -> dict[str, Any]:
        """Plain values: per task, class and state the slices of each split."""
        labels: dict[str, Any] = {}
        for cell in self.rows():
            place = labels.setdefault(cell.task.value, {})
            place = place.setdefault(cell.name, {}) if cell.name else place
            place[cell.state] = self._by_split(cell)
        return {
            "usable_slices": {str(split): self.slices[split] for split in Split},
            "labels": labels,
            "lesions": {
                "boxes": {name: self.boxes[name] for name in self.space.box_classes},
                "derived": {name: self.derived_boxes[name] for name in self.space.box_classes},
                "longest_side_px": self.size_px.as_json(),
                "longest_side_mm": self.size_mm.as_json(),
                "without_mm": self.boxes_without_mm,
            },
        }

    def as_text(self) -> list[str]:
        """A table of slices per label and split, rows of zeros left out, and lesion sizes."""
        splits = [split for split in Split if self.slices[split]]
        if not splits:
            return ["no slice can be used"]
        table = [["slices", "", "", *map(str, splits)]]
        for cell in self.rows():
            if not self.counts[cell].total() and not self._is_missed(cell):
                continue
            numbers = [str(self.counts[cell][split]) for split in splits]
            table.append([cell.task.value, cell.name, cell.state, *numbers])
        return columns(_without_repeats(table)) + self._sizes()

    def _count(self, split: Split, cell: Cell) -> None:
        self.counts[cell][split] += 1

    def _is_missed(self, cell: Cell) -> bool:
        """Whether a 0 is news: a class without a slice where others have some."""
        if cell.task is not Task.CLASSIFICATION or cell.state not in self.space.classes:
            return False
        classes = (Cell(task=cell.task, name="", state=name) for name in self.space.classes)
        return any(self.counts[one].total() for one in classes)

    def _by_split(self, cell: Cell) -> dict[str, int]:
        return {str(split): self.counts[cell][split] for split in Split}

    def _class(self, resolved: Resolved) -> str:
        label = resolved.targets.label
        if label is None:
            return UNKNOWN
        names = [name for name, is_one in zip(self.space.classes, label, strict=True) if is_one]
        return names[0] if len(names) == 1 else CANDIDATES

    def _add_masks(self, split: Split, resolved: Resolved) -> None:
        target = resolved.targets.masks
        names = self.space.mask_classes
        if not names:
            return
        shown = np.zeros(len(names), dtype=bool)
        if target is not None:
            shown = target.pixels.any(axis=(1, 2)) & target.annotated
        self._add_classes(split, Task.SEGMENTATION, names, shown, resolved.masks)

    def _add_boxes(self, split: Split, resolved: Resolved) -> None:
        target = resolved.targets.boxes
        names = self.space.box_classes
        if not names:
            return
        shown = np.zeros(len(names), dtype=bool)
        if target is not None:
            shown[target.boxes.labels] = True
        self._add_classes(split, Task.DETECTION, names, shown, resolved.boxes)

    def _add_classes(
        self,
        split: Split,
        task: Task,
        names: tuple[str, ...],
        shown: Bool[np.ndarray, " K"],
        origins: tuple[Origin | None, ...],
    ) -> None:
        whole = UNKNOWN if not any(origins) else PRESENT if shown.any() else EMPTY
        self._count(split, Cell(task=task, name=ANY, state=whole))
        for name, is_shown, origin in zip(names, shown.tolist(), origins, strict=True):
            state = UNKNOWN if origin is None else PRESENT if is_shown else EMPTY
            self._count(split, Cell(task=task, name=name, state=state))
            if origin not in (None, Origin.MEASURED):
                self._count(split, Cell(task=task, name=name, state=f"{state}, {origin}"))

    def _add_sizes(self, resolved: Resolved, pixel_mm: tuple[float, float] | None) -> None:
        target = resolved.targets.boxes
        if target is None:
            return
        found = zip(
            target.boxes.xyxy.tolist(),
            target.boxes.labels.tolist(),
            resolved.derived.tolist(),
            strict=True,
        )
        for (x0, y0, x1, y1), label, is_derived in found:
            name = self.space.box_classes[label]
            self.boxes[name] += 1
            self.derived_boxes[name] += is_derived
            self.size_px.add(max(x1 - x0, y1 - y0))
            if pixel_mm is None:
                self.boxes_without_mm += 1
            else:
                row_mm, column_mm = pixel_mm
                self.size_mm.add(max((x1 - x0) * column_mm, (y1 - y0) * row_mm))

    def _sizes(self) -> list[str]:
        if not self.boxes.total():
            return ["lesions: none boxed or derived"]
        told = [
            f"{name} {self.boxes[name]} ({self.derived_boxes[name]} from masks)"
            for name in self.space.box_classes
        ]
        lines = [f"lesions: {', '.join(told)}", "longest side, px:"]
        lines += [f"  {line}" for line in self.size_px.bars()]
        if in_mm := self.size_mm.bars():
            lines += ["longest side, mm:", *(f"  {line}" for line in in_mm)]
        if self.boxes_without_mm:
            lines.append(f"size in mm unknown: {self.boxes_without_mm} lesions")
        return lines


def _states() -> list[str]:
    parts = (Origin.DERIVED, Origin.IMPLIED)
    return [
        UNKNOWN,
        EMPTY,
        *(f"{EMPTY}, {origin}" for origin in parts),
        PRESENT,
        f"{PRESENT}, {Origin.DERIVED}",
    ]


def _without_repeats(table: Sequence[Sequence[str]]) -> list[list[str]]:
    """Task and class are named once, where they begin."""
    lines = [list(table[0])]
    for before, line in pairwise(table):
        same_task = line[0] == before[0]
        same_name = same_task and line[1] == before[1]
        lines.append(["" if same_task else line[0], "" if same_name else line[1], *line[2:]])
    return lines
