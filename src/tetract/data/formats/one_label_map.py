"""Masks that may overlap as one label map, which allows one value per voxel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from jaxtyping import UInt8

from tetract.data.cells import MaskSource
from tetract.data.formats.export_cases import ExportCase
from tetract.data.read_row import RowReader
from tetract.errors import LabelError
from tetract.types import Volume

_MOST_REGIONS: Final = 7
_MOST_CLASSES: Final = 254


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """How classes become values.

    Attributes:
        classes: The first of those that overlap gives the voxel its value.
        values: Class to its value.
        ignore: Value of voxels that cannot be told, or None: such cases are not written.
        regions: Every combination of classes has a value of its own, so that nothing is lost.
    """

    classes: tuple[str, ...]
    values: Mapping[str, int]
    ignore: int | None = None
    regions: bool = False

    def labels(self) -> dict[str, int | list[int]]:
        """The key ``labels`` of nnU-Net's ``dataset.json``."""
        found: dict[str, int | list[int]] = {"background": 0}
        for name, value in self.values.items():
            combined = [n for n in range(2 ** len(self.classes)) if n & value]
            found[name] = combined if self.regions else value
        return found if self.ignore is None else {**found, "ignore": self.ignore}


def make_coding(classes: tuple[str, ...], *, ignore: bool, regions: bool) -> Coding:
    """Number the classes, in the order of their precedence from the last to the first.

    So the value grows with the precedence; with regions each class is one bit.

    Raises:
        LabelError: ``E_TOO_MANY_CLASSES``.
    """
    most = _MOST_REGIONS if regions else _MOST_CLASSES
    if len(classes) > most:
        raise LabelError(
            "E_TOO_MANY_CLASSES",
            "one label map cannot hold all these classes",
            expected=f"at most {most}",
            found=str(len(classes)),
            fix="Choose some with --class" + (", or leave out --regions" if regions else ""),
        )
    order = list(reversed(classes))
    values = {name: 2**n if regions else n + 1 for n, name in enumerate(order)}
    last = 2 ** len(order) if regions else len(order) + 1
    return Coding(classes=classes, values=values, ignore=last if ignore else None, regions=regions)


@dataclass(slots=True)
class Drawn:
    """One label map.

    Attributes:
        values: (D, H, W) labels.
        overlaps: Voxels of (class that is seen, class under it), where one was lost.
        known: Whether every voxel could be told.
        told: Number of voxels that could be told.
    """

    values: UInt8[np.ndarray, "D H W"]
    overlaps: Counter[tuple[str, str]] = field(default_factory=Counter)
    known: bool = True
    told: int = 0


def draw_label_map(case: ExportCase, volume: Volume, coding: Coding, reader: RowReader) -> Drawn:
    """All masks of a case in one map.

    A voxel can be told when a known class holds it and no class of higher precedence is unknown
    there, or when every class is known. A slice without a row is unknown.

    Args:
        case: The case.
        volume: Its image.
        coding: Values and precedence.
        reader: Reads masks onto the image's grid.

    Raises:
        LabelError: ``E_SHAPE_MISMATCH`` or ``E_AFFINE_MISMATCH``.
        InputError: Whatever makes a mask unreadable.
    """
    shape = volume.values.shape
    drawn = Drawn(values=np.zeros(shape, dtype=np.uint8))
    open_slices = np.ones(shape[0], dtype=bool)
    settled = np.zeros(shape, dtype=bool)
    # Class by class: a mask file is read once, however many classes and slices there are.
    for name in coding.classes:
        for k in np.flatnonzero(open_slices):
            row = case.row_of(int(k))
            cell = {} if row is None or row.mask is None else row.mask
            if row is None or name not in cell:
                open_slices[k] = False
                continue
            if not isinstance(cell[name], MaskSource):
                continue
            one = replace(row, mask={name: cell[name]})
            _paint(drawn, settled, int(k), name, coding, reader.labels(one, volume, int(k)).masks)
    if coding.regions:  # a combination with an unknown member has no value
        settled[~open_slices] = False
        drawn.values[~open_slices] = 0
    unknown = ~settled & ~open_slices[:, None, None]
    drawn.known = bool(open_slices.all())
    drawn.told = int(unknown.size - unknown.sum())
    if coding.ignore is not None:
        drawn.values[unknown] = coding.ignore
    return drawn


def _paint(
    drawn: Drawn,
    settled: np.ndarray,
    k: int,
    name: str,
    coding: Coding,
    masks: Mapping[str, np.ndarray],
) -> None:
    plane, value = masks[name], coding.values[name]
    if coding.regions:
        drawn.values[k][plane] += value
    else:
        hidden = plane & settled[k]
        seen = np.bincount(drawn.values[k][hidden], minlength=1)
        for winner, number in coding.values.items():
            if number < len(seen) and seen[number]:
                drawn.overlaps[winner, name] += int(seen[number])
        drawn.values[k][plane & ~settled[k]] = value
    settled[k] |= plane
