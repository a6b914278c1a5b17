"""What a caller may ask of the readers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """Explicit answers to questions that a file leaves open.

    Attributes:
        series: Short hash of the DICOM series to read from a folder that holds several; the
            hashes are listed by the error ``E_SEVERAL_SERIES``.
        assume_hu: Take the stored numbers for Hounsfield units where the file does not say so
            (DICOM without rescale, NIfTI without air). Marks the volume as derived.
    """

    series: str | None = None
    assume_hu: bool = False
