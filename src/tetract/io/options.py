"""What a caller may ask of the readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """Explicit answers to questions that a file leaves open.

    Attributes:
        series: Short hash of the DICOM series to read from a folder that holds several; the
            hashes are listed by the error ``E_SEVERAL_SERIES``.
        assume_hu: Take the stored numbers for Hounsfield units where the file does not say so
            (DICOM without rescale, a volume file without air). Marks the volume as derived.
        as_grey: Read a NIfTI, MetaImage or NRRD volume of 0 to 255 as grey levels whose window is
            lost: uint8 with ``hu_known`` false.
        nan_to_hu: HU that NaN and infinite voxels of a NIfTI, MetaImage or NRRD volume become.
            Marks the volume as derived.
        prefer: Which of a NIfTI file's two placements counts where they disagree. Marks the
            volume as derived.
        strict: Refuse a NIfTI, MetaImage or NRRD volume that does not say where its voxels lie,
            which otherwise is read without a geometry.
        resample_gaps: Interpolate DICOM slices linearly where they are not evenly spaced. Marks
            the volume as derived.
        deskew: Shift DICOM slices of a tilted gantry back, padded with -1024 HU. Marks the volume
            as derived.
        force: Read DICOM images that lack their preamble or do not say how they are encoded. Marks
            the volume as derived.
        acquisition: Acquisition number of the DICOM slices to take.
    """

    series: str | None = None
    assume_hu: bool = False
    as_grey: bool = False
    nan_to_hu: int | None = None
    prefer: Literal["sform", "qform"] | None = None
    strict: bool = False
    resample_gaps: bool = False
    deskew: bool = False
    force: bool = False
    acquisition: int | None = None
