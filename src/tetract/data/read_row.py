"""The files behind a row: its volume and its masks, each decoded once while rows come in order.

A file that was refused is not tried again: a broken series has as many rows as slices.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import Bool

from tetract.data.card import SourceCard
from tetract.data.cells import MaskSource
from tetract.data.label_algebra import RowLabels
from tetract.data.read_image import read_image
from tetract.data.table import Row
from tetract.errors import InputError, LabelError
from tetract.io import LabelMap, labels_on_grid, read_label_map
from tetract.io.hu_checks import AIR_HU, PLAUSIBLE_HU
from tetract.types import Volume

_OPEN_VOLUMES = 2
_OPEN_MASKS = 4

Value = TypeVar("Value")


class RowReader:
    """Reads rows and keeps the volumes it read last, and every refusal."""

    def __init__(self) -> None:
        self._volumes = _Recent[Volume](_OPEN_VOLUMES)
        self._masks = _Recent[LabelMap](_OPEN_MASKS)

    def volume(self, row: Row, source: SourceCard) -> Volume:
        """The volume of a row.

        Raises:
            InputError: Whatever makes the file unreadable.
            LabelError: ``E_HU_CARD`` when the file's values are not what the card says,
                ``E_HU_RANGE`` when its ``hu_offset`` does not make them HU.
        """
        as_said = (row.image, source.hu_known, source.hu_offset)
        volume = self._volumes.get(as_said, lambda: _read(row.image, source))
        if volume.hu_known != source.hu_known:
            kinds = {True: "Hounsfield units", False: "grey values of a picture"}
            raise LabelError(
                "E_HU_CARD",
                "the file's values are not what the card of its source says",
                where=row.image.name,
                expected=kinds[source.hu_known],
                found=kinds[volume.hu_known],
                fix="Correct hu_known of the source, or split the source in two",
            )
        return volume

    def labels(self, row: Row, volume: Volume, index: int) -> RowLabels:
        """The labels of slice ``index``, on its own grid.

        Raises:
            LabelError: ``E_SHAPE_MISMATCH`` or ``E_AFFINE_MISMATCH`` for a mask of another grid.
            InputError: Whatever makes a mask unreadable.
        """
        canvas = (volume.values.shape[1], volume.values.shape[2])
        masks: dict[str, Bool[np.ndarray, "H W"]] = {}
        for name, mask in (row.mask or {}).items():
            if isinstance(mask, MaskSource):
                masks[name] = self._mask(mask, volume, row.image, index)
            else:
                masks[name] = np.zeros(canvas, dtype=bool)
        return RowLabels(canvas=canvas, label=row.label, masks=masks, boxes=row.boxes)

    def _mask(
        self, mask: MaskSource, volume: Volume, image: Path, index: int
    ) -> Bool[np.ndarray, "H W"]:
        labels = self._masks.get((image, mask.path), lambda: _aligned(mask.path, volume))
        # A picture beside one slice of a series holds that slice alone.
        values = labels.values[index if len(labels.values) > 1 else 0]
        return values != 0 if mask.value is None else values == mask.value


def _read(image: Path, source: SourceCard) -> Volume:
    """The file, as its card says: grey levels where that is what the source holds.

    A 16-bit picture of a source with ``hu_offset`` becomes Hounsfield units.
    """
    volume = read_image(image, grey=not source.hu_known)
    if source.hu_offset is None or volume.hu_known or volume.values.dtype != np.uint16:
        return volume
    values = volume.values.astype(np.int32) - source.hu_offset
    low, high = int(values.min()), int(values.max())
    if low < PLAUSIBLE_HU[0] or high > PLAUSIBLE_HU[1]:
        raise LabelError(
            "E_HU_RANGE",
            "the picture's values less hu_offset are no Hounsfield units",
            where=image.name,
            expected=f"{PLAUSIBLE_HU[0]:g} to {PLAUSIBLE_HU[1]:g} HU",
            found=f"{low} to {high}",
            fix="Correct hu_offset of the source",
        )
    hu = np.maximum(values, AIR_HU).astype(np.int16)  # below air is padding
    return replace(volume, values=hu, hu_known=True)


def slice_index(row: Row, volume: Volume) -> int:
    """Which slice of its volume a row means, from 0; not for rows that mean all of them.

    Raises:
        LabelError: ``E_BAD_SLICE`` when the volume has no such slice, or several to choose from.
    """
    return slice_within(row, volume.depth)


def slice_within(row: Row, depth: int) -> int:
    """As ``slice_index`` for a file of which only the number of slices is known.

    Raises:
        LabelError: As ``slice_index``.
    """
    index = 0 if row.slice is None else int(row.slice)
    if index >= depth or (row.slice is None and depth > 1):
        raise LabelError(
            "E_BAD_SLICE",
            "the row's slice does not fit its file",
            where=row.image.name,
            expected=f"all, or 0 to {depth - 1}",
            found="-" if row.slice is None else str(index),
        )
    return index


def _aligned(path: Path, volume: Volume) -> LabelMap:
    labels = read_label_map(path)
    if len(labels.values) > 1 or volume.depth == 1:
        return labels_on_grid(volume, labels)
    if labels.values.shape[1:] != volume.values.shape[1:]:
        height, width = labels.values.shape[1:]
        raise LabelError(
            "E_SHAPE_MISMATCH",
            "the mask has another size than its slice",
            where=path.name,
            expected=f"{volume.values.shape[1]} x {volume.values.shape[2]}",
            found=f"{height} x {width}",
            fix="Give the mask that was drawn on this slice",
        )
    return labels


class _Recent(Generic[Value]):
    """The last few values that were made, and every refusal to make one."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()
        self._refused: dict[Hashable, InputError] = {}

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of ``key``, made if it is not among the last few.

        Raises:
            InputError: Whatever ``make`` raised for this key, now or earlier.
        """
        if key in self._refused:
            raise copy.copy(self._refused[key])
        if key not in self._kept:
            if len(self._kept) == self._size:  # before making: two at a time may not fit memory
                self._kept.popitem(last=False)
            try:
                self._kept[key] = make()
            except InputError as refusal:  # what the machine lacks may be there the next time
                # A copy has no traceback, which would keep the half-read volume in memory.
                self._refused[key] = copy.copy(refusal)
                raise
        self._kept.move_to_end(key)
        return self._kept[key]
