"""The voxel grid of an image without its voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tetract.errors import GeometryError
from tetract.io.grids.stored_values import oriented
from tetract.io.grids.volume_files import VOLUME_KINDS, volume_file_grid
from tetract.io.guard import reading
from tetract.io.labels.ct_grid import read_ct_grid
from tetract.io.sniff import Kind, sniff_image
from tetract.types import Geometry


def read_grid(path: Path) -> Geometry:
    """The grid that ``read_volume`` gives for a volume file or a DICOM folder; headers only.

    Raises:
        ReadError: As ``read_volume``, for the header.
        GeometryError: As ``read_volume``; ``E_NO_GEOMETRY`` for a file that has no place in space.
    """
    if path.is_dir():
        return read_ct_grid(path).geometry
    kind = sniff_image(path)
    if kind not in VOLUME_KINDS:
        raise _placeless(path, kind)
    with reading(path.name, code="E_BAD_HEADER", what="the volume file is damaged"):
        stored = volume_file_grid(path, kind)
        nothing = np.broadcast_to(np.zeros(1, dtype=np.int8), stored.shape[::-1])
        _, geometry = oriented(nothing, stored)
    if geometry is None:
        raise _placeless(path, kind)
    return geometry


def _placeless(path: Path, kind: Kind) -> GeometryError:
    return GeometryError(
        "E_NO_GEOMETRY",
        "the file has no voxel grid in the patient",
        where=path.name,
        expected="a volume with spacing, origin and orientation",
        found=kind.value,
        fix="Give the original volume",
    )
