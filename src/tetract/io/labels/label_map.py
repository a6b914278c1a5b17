"""Masks on disk: integers that name a class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from tetract.errors import LabelError, ReadError
from tetract.io.grids.stored_values import oriented, scaled_slices
from tetract.io.grids.volume_files import VOLUME_KINDS, load_stored
from tetract.io.guard import reading
from tetract.io.pictures.picture import decode_picture
from tetract.io.sniff import Kind, extension_warnings, sniff_image
from tetract.types import Geometry

LARGEST_LABEL = 32767


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMap:
    """Integer labels on a voxel grid.

    Attributes:
        values: (D, H, W) uint8, or int16 where a label exceeds 255; as stored, not renumbered.
        geometry: Voxel grid, or None where the file has none.
        name: Base name of the file.
        warnings: One line each, beginning with a ``W_`` code.
    """

    values: Shaped[np.ndarray, "D H W"]
    geometry: Geometry | None
    name: str
    warnings: tuple[str, ...] = ()


def read_label_map(path: Path) -> LabelMap:
    """Read a mask: PNG or TIFF (depth 1), or a volume file (axial order, as in ``read_volume``).

    Stored integers are kept: a 0/255 PNG gives 0 and 255. One-bit pictures give 0 and 1, and a
    coloured palette gives its indices.

    Raises:
        ReadError: Whatever makes the file unreadable; ``E_NOT_A_LABEL_MAP`` for JPEG and DICOM.
        LabelError: ``E_LABEL_NONINTEGER``, ``E_LABEL_NEGATIVE`` or ``E_LABEL_RANGE``.
        GeometryError: As ``read_volume`` for volume files.
    """
    kind = sniff_image(path)
    if kind in (Kind.PNG, Kind.TIFF):
        labels = _from_picture(path, kind)
    elif kind in VOLUME_KINDS:
        labels = _from_volume(path, kind)
    else:
        raise ReadError(
            "E_NOT_A_LABEL_MAP",
            f"{kind.value} cannot hold a label map (lossy, or not yet read)",
            where=path.name,
            expected="PNG, TIFF, NIfTI, MetaImage or NRRD",
            fix="Convert the mask to PNG or NIfTI",
        )
    if not labels.values.any():
        empty = f"W_EMPTY_MASK {path.name}: no voxel is labelled; read as looked at, none there"
        labels = replace(labels, warnings=(*labels.warnings, empty))
    return labels


def _from_picture(path: Path, kind: Kind) -> LabelMap:
    picture = decode_picture(path, kind, keep_indices=True)
    plane = picture.samples
    if plane.max(initial=0) > LARGEST_LABEL:
        raise _range_error(path.name, int(plane.max()))
    wide = plane.dtype != np.uint8 and plane.max(initial=0) > 255
    values = plane.astype(np.int16 if wide else np.uint8, copy=False)
    return LabelMap(values=values[None], geometry=None, name=path.name, warnings=picture.warnings)


def _from_volume(path: Path, kind: Kind) -> LabelMap:
    stored = load_stored(path, kind)
    with reading(path.name, code="E_BAD_HEADER", what="the volume file is damaged"):
        values = np.empty(stored.grid.shape[::-1], dtype=np.int16)
        for k, numbers in enumerate(scaled_slices(stored, path.name)):
            _check_labels(numbers, path.name)
            values[k] = numbers
        if int(values.max()) <= 255:
            values = values.astype(np.uint8)
        turned, geometry = oriented(values, stored.grid)
        notes = extension_warnings(path, kind) + stored.grid.warnings
        return LabelMap(values=turned, geometry=geometry, name=path.name, warnings=notes)


def _check_labels(numbers: Shaped[np.ndarray, "H W"], where: str) -> None:
    soft = numbers[numbers != np.rint(numbers)]
    if soft.size:
        raise LabelError(
            "E_LABEL_NONINTEGER",
            "labels are not whole numbers (a soft mask, or one that was interpolated)",
            where=where,
            expected="integers",
            found=f"{float(soft[0]):g}",
            fix="Threshold the mask, or resample it with nearest neighbour",
        )
    if float(numbers.min()) < 0:
        raise LabelError(
            "E_LABEL_NEGATIVE",
            "labels must not be negative",
            where=where,
            expected="0 for background and positive integers",
            found=f"{float(numbers.min()):g}",
            fix="Map the negative value to a label or to background",
        )
    if float(numbers.max()) > LARGEST_LABEL:
        raise _range_error(where, int(numbers.max()))


def _range_error(where: str, found: int) -> LabelError:
    return LabelError(
        "E_LABEL_RANGE",
        "a label is too large to be the number of a class",
        where=where,
        expected=f"at most {LARGEST_LABEL}",
        found=str(found),
        fix="Is this an image rather than a mask?",
    )
