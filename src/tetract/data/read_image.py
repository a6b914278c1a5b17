"""An image of a foreign data set: as HU, or knowingly as grey levels."""

from __future__ import annotations

from pathlib import Path

from tetract.errors import ReadError
from tetract.io import LabelMap, ReadOptions, check_same_grid, labels_on_grid, read_volume
from tetract.types import Volume


def read_image(path: Path, *, grey: bool) -> Volume:
    """Read an image; a volume that is no HU becomes grey levels only where ``grey`` allows it.

    Raises:
        ReadError: As ``read_volume``; ``E_NOT_HU`` unless ``grey``, ``E_GREY_RANGE`` where its
            values are no 8-bit levels either.
        GeometryError: As ``read_volume``.
    """
    try:
        return read_volume(path)
    except ReadError as fault:
        if fault.code != "E_NOT_HU" or not grey:
            raise
    return read_volume(path, options=ReadOptions(as_grey=True))


def labels_in_order(volume: Volume, labels: LabelMap) -> LabelMap:
    """A label map in the storage order of its volume, never resampled.

    Raises:
        LabelError: ``E_SHAPE_MISMATCH`` or ``E_AFFINE_MISMATCH``.
    """
    if volume.provenance.reader == "dicom":  # the one reader that keeps the scanner's order
        return labels_on_grid(volume, labels)
    check_same_grid(volume, labels)
    return labels


def source_of(name: str, *, hu_known: bool) -> str:
    """Grey levels never share a source with HU."""
    return name if hu_known else f"{name}-grey"
