"""The order of slices by Slice Location, for labels that are published in it, and for nothing else.

Geometry never uses this attribute (0020,1041; PS3.3 C.7.6.2): it is optional, and relative to a
point that nobody states.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from tetract.errors import GeometryError, ReadError
from tetract.io.dicom.header import bad_attribute, integer, number, text
from tetract.io.guard import reading
from tetract.io.labels.ct_grid import CtGrid
from tetract.io.sniff import Kind, sniff

_TAGS = ["SOPInstanceUID", "SliceLocation", "InstanceNumber"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationOrder:
    """The slices of a series by rising Slice Location.

    Attributes:
        rank: For each slice in the reader's order, its place by Slice Location, from 0.
        is_numbered_through: Instance numbers run from 0 or 1 without a gap, as they do when no
            slice was lost at an end.
    """

    rank: tuple[int, ...]
    is_numbered_through: bool


def read_location_order(folder: Path, grid: CtGrid) -> LocationOrder:
    """Order the slices of a series by Slice Location; no pixel is decoded.

    Args:
        folder: Folder of the series.
        grid: Its grid, as ``read_ct_grid`` gives it.

    Raises:
        ReadError: ``E_BAD_ATTRIBUTE`` for a slice without Slice Location or an instance UID of
            its own.
        GeometryError: ``E_DUPLICATE_POSITIONS`` for two slices at one location.
    """
    depth = grid.geometry.shape[0]
    if len(grid.instances) != depth:
        raise bad_attribute("SOPInstanceUID", folder.name, "one that is blank or used twice")
    with reading(folder.name, code="E_BAD_DICOM", what="a DICOM file is damaged"):
        headers = _headers(folder, grid)
        locations = [_location(headers[index], folder) for index in range(depth)]
        numbers = {integer(headers[index], "InstanceNumber", folder.name) for index in headers}
    if len(set(locations)) != depth:
        raise GeometryError(
            "E_DUPLICATE_POSITIONS",
            "two slices have one Slice Location (0020,1041), so labels in its order have no place",
            where=folder.name,
            fix="Download the series again",
        )
    ordered = sorted(range(depth), key=locations.__getitem__)
    rank = {index: place for place, index in enumerate(ordered)}
    return LocationOrder(
        rank=tuple(rank[index] for index in range(depth)),
        is_numbered_through=numbers in ({*range(depth)}, {*range(1, depth + 1)}),
    )


def _headers(folder: Path, grid: CtGrid) -> dict[int, Dataset]:
    """Slice index to header."""
    found: dict[int, Dataset] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or sniff(path) is not Kind.DICOM:
            continue
        with reading(path.name, code="E_BAD_DICOM", what="the DICOM file is damaged"):
            header = pydicom.dcmread(path, specific_tags=list(_TAGS))
            index = grid.instances.get(text(header, "SOPInstanceUID"))
        if index is not None:
            found[index] = header
    if len(found) != grid.geometry.shape[0]:
        raise ReadError(
            "E_BAD_DICOM",
            "the series changed while it was read",
            where=folder.name,
            fix="Try again",
        )
    return found


def _location(header: Dataset, folder: Path) -> float:
    location = number(header, "SliceLocation", folder.name)
    if location is None:
        raise bad_attribute("SliceLocation", folder.name, "nothing in one of the slices")
    return location
