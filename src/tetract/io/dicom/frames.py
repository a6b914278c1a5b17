"""The frames of an enhanced CT as slices, each with the header that a classic one would have.

PS3.3 C.7.6.16: what holds for all frames stands in the shared functional groups, what differs in
those of each frame.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from tetract.errors import ReadError
from tetract.io.dicom.header import bad_attribute, integer, words
from tetract.io.dicom.kind import DicomKind, not_a_slice
from tetract.io.dicom.slice import CtSlice, parse_slice, slice_name
from tetract.io.options import ReadOptions

_SHARED, _PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
# Macro, attribute in it, and the attribute of a classic slice that means the same.
_MACROS = (
    ("PixelMeasuresSequence", "PixelSpacing", "PixelSpacing"),
    ("PixelMeasuresSequence", "SliceThickness", "SliceThickness"),
    ("PlanePositionSequence", "ImagePositionPatient", "ImagePositionPatient"),
    ("PlaneOrientationSequence", "ImageOrientationPatient", "ImageOrientationPatient"),
    ("PixelValueTransformationSequence", "RescaleIntercept", "RescaleIntercept"),
    ("PixelValueTransformationSequence", "RescaleSlope", "RescaleSlope"),
    ("PixelValueTransformationSequence", "RescaleType", "RescaleType"),
    ("FrameContentSequence", "FrameAcquisitionNumber", "AcquisitionNumber"),
    ("CTImageFrameTypeSequence", "FrameType", "ImageType"),
)


def frames_of(
    header: Dataset, path: Path, options: ReadOptions
) -> tuple[list[CtSlice], tuple[str, ...]]:
    """Every frame as a checked slice, and a warning for localizers left out.

    Raises:
        ReadError: ``E_ENHANCED`` without functional groups, ``E_BAD_ATTRIBUTE`` when their number
            is not that of the frames, ``E_LOCALIZER`` when nothing else is there, and those of
            ``parse_slice``.
        GeometryError: See ``parse_slice``.
    """
    groups = _items(header, _PER_FRAME)
    if not groups:
        raise not_a_slice(header, DicomKind.ENHANCED, path.name)
    count = integer(header, "NumberOfFrames", path.name)
    if count != len(groups):
        raise bad_attribute(
            "NumberOfFrames", path.name, f"{count} for {len(groups)} functional groups"
        )
    shared = _items(header, _SHARED)
    slices: list[CtSlice] = []
    scouts: list[str] = []
    for index, group in enumerate(groups):
        flat = _flat(header, (group, *shared[:1]))
        if "LOCALIZER" in words(flat, "ImageType"):
            scouts.append(slice_name(path, index))
            continue
        slices.append(parse_slice(flat, path, options, frame=index, frames=len(groups)))
    if not slices:
        raise not_a_slice(header, DicomKind.LOCALIZER, path.name)
    return slices, _told(path, scouts)


def _items(header: Dataset, keyword: str) -> list[Dataset]:
    found: Any = header.get(keyword)
    return list(found) if found is not None else []


def _flat(header: Dataset, groups: tuple[Dataset, ...]) -> Dataset:
    """One frame's attributes at one level; a value of the frame comes before a shared one."""
    flat = copy.copy(header)
    for keyword in (_SHARED, _PER_FRAME):
        if keyword in flat:
            del flat[keyword]
    for macro, keyword, classic in _MACROS:
        if classic in flat:
            del flat[classic]
        for group in groups:
            items = _items(group, macro)
            if items and keyword in items[0]:
                _put(flat, items[0], keyword, classic)
                break
    return flat


def _put(flat: Dataset, item: Dataset, keyword: str, classic: str) -> None:
    tag, target = tag_for_keyword(keyword), tag_for_keyword(classic)
    if tag is None or target is None:
        return
    if keyword == classic:
        flat[target] = item.get_item(tag)  # as it was read: the one who asks parses and names it
    else:
        setattr(flat, classic, item[keyword].value)


def _told(path: Path, scouts: list[str]) -> tuple[str, ...]:
    if not scouts:
        return ()
    more = ", ..." if len(scouts) > 3 else ""
    return (
        f"W_LOCALIZER_DROPPED {path.name}: {len(scouts)} x localizer frame:"
        f" {', '.join(scouts[:3])}{more}",
    )


def check_frame_count(found: int, image: CtSlice) -> None:
    """Refuse pixel data that do not hold every frame.

    Raises:
        ReadError: ``E_PIXEL_TRUNCATED``.
    """
    if found < image.frames:
        raise ReadError(
            "E_PIXEL_TRUNCATED",
            "pixel data are cut short",
            where=image.path.name,
            expected=f"{image.frames} frames",
            found=f"{found}",
            fix="Copy or export the image again",
        )
