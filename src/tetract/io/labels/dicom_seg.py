"""DICOM Segmentation objects (PS3.3 A.51 and C.8.20): what they hold, before it meets a CT."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64
from pydicom.dataset import Dataset

from tetract.io.dicom.header import integer, numbers, text
from tetract.io.guard import reading
from tetract.io.labels.dicom_object import References, Region, clean, first, items, read_object
from tetract.io.labels.seg_pixels import SegPixels, bad_frames, seg_pixels

_TAGS: Final = (
    "SegmentationType",
    "MaximumFractionalValue",
    "SegmentSequence",
    "FrameOfReferenceUID",
    "ReferencedSeriesSequence",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "PixelData",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FramePlane:
    """Where a frame lies in the patient.

    Attributes:
        position: (3,) Centre of its first pixel in LPS mm.
        along_row: (3,) Unit vector in which the column index grows.
        along_column: (3,) Unit vector in which the row index grows.
        spacing_mm: Between rows, between columns.
    """

    position: Float64[np.ndarray, " 3"]
    along_row: Float64[np.ndarray, " 3"]
    along_column: Float64[np.ndarray, " 3"]
    spacing_mm: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegFrame:
    """What a segmentation says about one of its frames.

    Attributes:
        segment: Number of its segment, or None in a label map, whose pixels name segments.
        plane: Where it lies, or None where the object does not say.
        sources: SOP Instance UIDs of the slices it was drawn on; may be empty.
    """

    segment: int | None
    plane: FramePlane | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """A segmentation as read; ``draw_segments`` puts it on the grid of a CT.

    Attributes:
        name: Base name of the file.
        kind: ``BINARY``, ``FRACTIONAL`` or ``LABELMAP``.
        regions: Its segments, in the order of the object.
        references: The CT it was drawn on.
        frames: One entry per frame.
        pixels: The pixels of the frames.
        full: Stored value of a fraction of 1; 1 where pixels are no fractions.
    """

    name: str
    kind: str
    regions: tuple[Region, ...]
    references: References
    frames: tuple[SegFrame, ...]
    pixels: SegPixels
    full: int


def read_segmentation(path: Path) -> Segmentation:
    """Read a DICOM Segmentation; frames are unpacked later, one at a time.

    Raises:
        ReadError: ``E_LABEL_OBJECT``, ``E_SEG_FRAMES``, ``E_BAD_BITS``, ``E_BAD_ATTRIBUTE``,
            ``E_BAD_DICOM``, ``E_TOO_LARGE`` or ``E_TRANSFER_SYNTAX``.
    """
    found = read_object(path, _TAGS, "SEG")
    where = path.name
    with reading(where, code="E_BAD_DICOM", what="the segmentation is damaged"):
        groups = items(found, "PerFrameFunctionalGroupsSequence")
        pixels = seg_pixels(found, len(groups), where)
        kind = text(found, "SegmentationType").upper()
        shared = first(found, "SharedFunctionalGroupsSequence")
        full = integer(found, "MaximumFractionalValue", where) if kind == "FRACTIONAL" else 1
        made = Segmentation(
            name=where,
            kind=kind,
            regions=_regions(found, kind, where),
            references=_references(found),
            frames=tuple(_frame(group, shared, kind, where) for group in groups),
            pixels=pixels,
            full=full or 255,
        )
    _check_segments(made)
    return made


def _regions(found: Dataset, kind: str, where: str) -> tuple[Region, ...]:
    described = tuple(_segment(item, where) for item in items(found, "SegmentSequence"))
    if kind != "LABELMAP":
        return described
    return tuple(region for region in described if region.number != 0)  # 0 is the background


def _segment(item: Dataset, where: str) -> Region:
    coded = first(item, "SegmentedPropertyTypeCodeSequence")
    code = (
        () if coded is None else (text(coded, "CodeValue"), text(coded, "CodingSchemeDesignator"))
    )
    number = integer(item, "SegmentNumber", where)
    return Region(
        number=-1 if number is None else number,
        name=clean(text(item, "SegmentLabel")),
        codes=(":".join(code),) if all(code) and code else (),
    )


def _references(found: Dataset) -> References:
    series = items(found, "ReferencedSeriesSequence")
    listed = [i for item in series for i in items(item, "ReferencedInstanceSequence")]
    uids = {text(item, "SeriesInstanceUID") for item in series}
    return References(
        frame_of_reference=text(found, "FrameOfReferenceUID"),
        series=uids.pop() if len(uids) == 1 else "",
        instances=frozenset(text(item, "ReferencedSOPInstanceUID") for item in listed) - {""},
    )


def _frame(group: Dataset, shared: Dataset | None, kind: str, where: str) -> SegFrame:
    def macro(keyword: str) -> Dataset | None:
        return first(group, keyword) or first(shared, keyword)

    named = macro("SegmentIdentificationSequence")
    number = None if named is None else integer(named, "ReferencedSegmentNumber", where)
    if kind != "LABELMAP" and number is None:
        raise bad_frames(where, "a Referenced Segment Number (0062,000B) for each frame", "none")
    derived = macro("DerivationImageSequence")
    sources = [text(s, "ReferencedSOPInstanceUID") for s in items(derived, "SourceImageSequence")]
    return SegFrame(
        segment=None if kind == "LABELMAP" else number,
        plane=_plane(
            macro("PlanePositionSequence"),
            macro("PlaneOrientationSequence"),
            macro("PixelMeasuresSequence"),
            where,
        ),
        sources=tuple(uid for uid in sources if uid),
    )


def _plane(
    position: Dataset | None, orientation: Dataset | None, measures: Dataset | None, where: str
) -> FramePlane | None:
    if position is None or orientation is None or measures is None:
        return None
    point = numbers(position, "ImagePositionPatient", where)
    six = numbers(orientation, "ImageOrientationPatient", where)
    spacing = numbers(measures, "PixelSpacing", where)
    if (len(point), len(six), len(spacing)) != (3, 6, 2) or min(spacing) <= 0:
        raise bad_frames(where, "3, 6 and 2 numbers that place a frame", "others")
    return FramePlane(
        position=np.array(point),
        along_row=np.array(six[:3]),
        along_column=np.array(six[3:]),
        spacing_mm=(spacing[0], spacing[1]),
    )


def _check_segments(made: Segmentation) -> None:
    described = [region.number for region in made.regions]
    used = {frame.segment for frame in made.frames if frame.segment is not None}
    if len(set(described)) != len(described) or min(described, default=0) < 1:
        raise bad_frames(made.name, "segments with numbers of their own", str(described[:8]))
    if not used <= set(described):
        raise bad_frames(made.name, "frames of described segments", f"segment {max(used)}")
    if not 1 <= made.full <= 255:
        raise bad_frames(made.name, "a Maximum Fractional Value of 1 to 255", str(made.full))
