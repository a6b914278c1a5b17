"""DICOM Segmentations and RT Structure Sets on a phantom series, written with pydicom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRLittleEndian,
    RTStructureSetStorage,
    SegmentationStorage,
    generate_uid,
)

from tetract.io import CtGrid, SeriesIdentity, read_ct_grid, write_dicom_series
from tetract.types import Geometry, Provenance, Volume

SHAPE = (6, 16, 20)
SPACING_MM = (2.5, 1.25, 1.5)
DIRECTIONS = {
    "axial": np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]]),
    "feet-first": np.array([[0, 0, -1], [0, 1, 0], [-1, 0, 0]]),
    "sagittal": np.array([[-1, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "oblique": np.array([[0, 0.6, 0.8], [0, 0.8, -0.6], [1, 0, 0]]),
}
"""Columns are the unit steps of slice, row and column in LPS."""


def ct_volume(direction: str = "axial") -> Volume:
    affine = np.eye(4)
    affine[:3, :3] = DIRECTIONS[direction] * SPACING_MM
    affine[:3, 3] = -40.0, -50.0, -100.0
    return Volume(
        values=np.random.default_rng(3).integers(-1000, 1500, SHAPE).astype(np.int16),
        hu_known=True,
        geometry=Geometry(affine=affine, shape=SHAPE),
        provenance=Provenance(reader="dicom", name="made", slice_names=("x",) * SHAPE[0]),
    )


def ct_series(folder: Path, direction: str = "axial") -> CtGrid:
    write_dicom_series(folder, ct_volume(direction), series=SeriesIdentity(seed="one"))
    return read_ct_grid(folder)


def item(**attributes: object) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def many(*items: Dataset) -> Sequence:
    return Sequence(items)


def save(made: Dataset, path: Path, sop_class: str, modality: str) -> Path:
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID, made.Modality = sop_class, generate_uid(), modality
    made.save_as(path, enforce_file_format=True)
    return path


def uid_of(grid: CtGrid, index: int) -> str:
    return next(uid for uid, k in grid.instances.items() if k == index)


def plane_items(grid: CtGrid, index: int) -> dict[str, Sequence]:
    step, down, across = grid.geometry.affine[:3, :3].T
    position = grid.geometry.affine[:3, 3] + index * step
    _, rows_mm, columns_mm = grid.geometry.spacing_mm
    six = [*(across / columns_mm), *(down / rows_mm)]
    return {
        "PlanePositionSequence": many(item(ImagePositionPatient=ds(position))),
        "PlaneOrientationSequence": many(item(ImageOrientationPatient=ds(six))),
        "PixelMeasuresSequence": many(item(PixelSpacing=ds([rows_mm, columns_mm]))),
    }


def ds(values: Iterable[float]) -> list[str]:
    return [f"{value:.10g}"[:16] for value in values]


def references(grid: CtGrid, indices: Iterable[int] | None = None) -> Sequence:
    listed = range(grid.geometry.shape[0]) if indices is None else indices
    instances = many(*(item(ReferencedSOPInstanceUID=uid_of(grid, k)) for k in listed))
    return many(item(SeriesInstanceUID=grid.series, ReferencedInstanceSequence=instances))


def make_seg(
    grid: CtGrid,
    masks: Mapping[int, np.ndarray],
    *,
    kind: str = "BINARY",
    places: bool = True,
    sources: bool = True,
) -> Dataset:
    """One frame per segment and slice that it touches; a label map has one per slice."""
    made = Dataset()
    made.SegmentationType = kind
    made.FrameOfReferenceUID = grid.frame_of_reference
    made.ReferencedSeriesSequence = references(grid)
    made.SegmentSequence = many(*(_segment(number) for number in masks))
    _, made.Rows, made.Columns = grid.geometry.shape
    frames: list[np.ndarray] = []
    groups: list[Dataset] = []

    def add(plane: np.ndarray, index: int, number: int | None) -> None:
        group = item(**plane_items(grid, index)) if places else Dataset()
        if sources:
            source = item(ReferencedSOPInstanceUID=uid_of(grid, index))
            group.DerivationImageSequence = many(item(SourceImageSequence=many(source)))
        if number is not None:
            segment = item(ReferencedSegmentNumber=number)
            group.SegmentIdentificationSequence = many(segment)
        frames.append(plane)
        groups.append(group)

    if kind == "LABELMAP":
        labels = np.zeros(grid.geometry.shape, dtype=np.uint8)
        for number, mask in masks.items():
            labels[mask] = number
        for index, plane in enumerate(labels):
            add(plane, index, None)
    else:
        for number, mask in masks.items():
            for index in np.flatnonzero(mask.any(axis=(1, 2))):
                add(mask[index], int(index), number)
    made.PerFrameFunctionalGroupsSequence = Sequence(groups)
    made.NumberOfFrames = len(frames)
    set_pixels(made, np.array(frames), kind)
    return made


def set_pixels(made: Dataset, frames: np.ndarray, kind: str) -> None:
    made.BitsAllocated = 1 if kind == "BINARY" else 8
    if kind == "BINARY":
        packed = np.packbits(frames.astype(bool).ravel(), bitorder="little").tobytes()
    else:
        packed = frames.astype(np.uint8).tobytes()
    made.PixelData = packed + b"\0" * (len(packed) % 2)


def save_seg(made: Dataset, path: Path) -> Path:
    return save(made, path, SegmentationStorage, "SEG")


def make_rtstruct(
    grid: CtGrid, rois: Mapping[str, list[tuple[int, np.ndarray]]], *, sources: bool = True
) -> Dataset:
    """ROI name to outlines: a slice and (N, 2) ``(column, row)`` points on it."""
    made = Dataset()
    made.StructureSetROISequence = many(
        *(
            item(
                ROINumber=number,
                ROIName=name,
                ReferencedFrameOfReferenceUID=grid.frame_of_reference,
            )
            for number, name in enumerate(rois, 1)
        )
    )
    made.ROIContourSequence = many(
        *(
            item(
                ReferencedROINumber=number,
                ContourSequence=many(*(_contour(grid, *drawn, sources) for drawn in outlines)),
            )
            for number, outlines in enumerate(rois.values(), 1)
        )
    )
    return made


def save_rtstruct(made: Dataset, path: Path) -> Path:
    return save(made, path, RTStructureSetStorage, "RTSTRUCT")


def _contour(grid: CtGrid, index: int, points: np.ndarray, sources: bool) -> Dataset:
    voxels = np.column_stack([np.full(len(points), index), points[:, 1], points[:, 0]])
    values = ds(grid.geometry.to_lps(voxels).ravel())
    made = item(
        ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=len(points), ContourData=values
    )
    if sources:
        made.ContourImageSequence = many(item(ReferencedSOPInstanceUID=uid_of(grid, index)))
    return made


def _segment(number: int) -> Dataset:
    code = item(CodeValue=f"T-{number}", CodingSchemeDesignator="TEST", CodeMeaning="thing")
    return item(
        SegmentNumber=number,
        SegmentLabel=f"thing {number}",
        SegmentedPropertyTypeCodeSequence=many(code),
    )
