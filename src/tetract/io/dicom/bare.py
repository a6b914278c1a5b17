"""DICOM images without preamble: data sets as older programs saved them."""

from __future__ import annotations

from pathlib import Path

from pydicom.uid import UID

from tetract.errors import ReadError
from tetract.io.dicom.header import read_dicom, text
from tetract.io.guard import reading
from tetract.io.options import ReadOptions
from tetract.io.sniff import Kind, may_be_bare_dicom, sniff, sniff_image


def is_bare_image(path: Path) -> bool:
    """Whether a file without preamble is a DICOM data set that calls itself an image.

    Any bytes can be read as DICOM elements by force: a SOP Class UID (0008,0016) of a storage
    class for images tells an image from noise.
    """
    try:
        if not may_be_bare_dicom(path):
            return False
        with reading(path.name, code="E_BAD_DICOM", what="the file is no DICOM file"):
            header = read_dicom(path, pixels=False, force=True)
            return "Image Storage" in UID(text(header, "SOPClassUID")).name
    except (ReadError, OSError):
        return False


def kind_for(path: Path, options: ReadOptions) -> Kind:
    """As ``sniff``; with ``options.force`` also DICOM for an image without preamble.

    Raises:
        ReadError: As ``sniff``.
    """
    kind = sniff(path)
    return Kind.DICOM if options.force and kind is Kind.OTHER and is_bare_image(path) else kind


def image_kind_for(path: Path, options: ReadOptions) -> Kind:
    """As ``sniff_image``, in the same way.

    Raises:
        ReadError: As ``sniff_image``.
    """
    kind = kind_for(path, options)
    return kind if kind is Kind.DICOM else sniff_image(path, forced=options.force)
