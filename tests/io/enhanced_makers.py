"""An enhanced CT of PS3.3 A.38.1, as far as a reader needs it, made with pydicom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

from tetract.types import Volume

Edit = Callable[[Dataset], object]


def make_enhanced(
    path: Path, volume: Volume, *, order: list[int] | None = None, edit: Edit | None = None
) -> Path:
    """Frames in the given order; rescale per frame, orientation and spacing shared."""
    affine = volume.geometry.affine
    made = _head(volume)
    step, down, across = affine[:3, :3].T
    depth, rows_mm, columns_mm = volume.geometry.spacing_mm
    shared = Dataset()
    shared.PixelMeasuresSequence = [
        _item(PixelSpacing=[rows_mm, columns_mm], SliceThickness=depth, SpacingBetweenSlices=99)
    ]
    cosines = [*(across / columns_mm), *(down / rows_mm)]
    shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=cosines)]
    made.SharedFunctionalGroupsSequence = [shared]
    frames = list(range(volume.depth)) if order is None else order
    made.PerFrameFunctionalGroupsSequence = [_frame(k, affine[:3, 3] + k * step) for k in frames]
    made.NumberOfFrames = len(frames)
    made.PixelData = b"".join(_stored(volume, k).tobytes() for k in frames)
    if edit is not None:
        edit(made)
    made.save_as(path, enforce_file_format=True)
    return path


def rescale_of(index: int) -> tuple[int, int]:
    """Slope and intercept, which differ from frame to frame."""
    return (1, -1024) if index % 2 else (2, -1100)


def _stored(volume: Volume, index: int) -> np.ndarray:
    slope, intercept = rescale_of(index)
    return ((volume.values[index].astype(int) - intercept) // slope).astype("<u2")


def _frame(index: int, position: np.ndarray) -> Dataset:
    slope, intercept = rescale_of(index)
    frame = Dataset()
    frame.PlanePositionSequence = [_item(ImagePositionPatient=[float(mm) for mm in position])]
    frame.PixelValueTransformationSequence = [
        _item(RescaleIntercept=intercept, RescaleSlope=slope, RescaleType="HU")
    ]
    frame.FrameContentSequence = [_item(FrameAcquisitionNumber=1)]
    frame.CTImageFrameTypeSequence = [_item(FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])]
    return frame


def _item(**attributes: object) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def _head(volume: Volume) -> Dataset:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = EnhancedCTImageStorage
    made.SOPInstanceUID = generate_uid(entropy_srcs=["enhanced"])
    made.SeriesInstanceUID = generate_uid(entropy_srcs=["series"])
    made.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame"])
    made.Modality = "CT"
    made.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows, made.Columns = volume.values.shape[1:]
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 16, 15
    made.PixelRepresentation = 0
    return made
