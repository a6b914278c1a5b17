"""How large one slice is and what its numbers mean, without decoding a pixel."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from tetract.errors import ReadError
from tetract.io.dicom.header import bad_attribute, integer, read_dicom
from tetract.io.dicom.kind import DicomKind, kind_of_dicom, not_a_slice
from tetract.io.guard import reading
from tetract.io.sniff import Kind, sniff_image

_WIDTH, _HEIGHT, _ORIENTATION = 0x0100, 0x0101, 0x0112
_EXIF = re.compile(rb"exif", re.IGNORECASE)
_LYING = (5, 6, 7, 8)  # EXIF orientations that swap width and height


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHead:
    """What the header of one slice says.

    Attributes:
        canvas: ``(H, W)`` in px, upright.
        is_picture: Whether it is a picture, whose grey values are not Hounsfield units.
    """

    canvas: tuple[int, int]
    is_picture: bool


def read_image_head(path: Path) -> ImageHead:
    """The size of a PNG, JPEG or TIFF picture or of one DICOM slice.

    Raises:
        ReadError: ``E_NOT_FOUND``, ``E_EMPTY_FILE``, ``E_NOT_AN_IMAGE``, ``E_IMAGE_DECODE``,
            ``E_BAD_DICOM``, ``E_BAD_ATTRIBUTE``, ``E_MODALITY`` and its kin for another DICOM
            object; ``E_NOT_A_SLICE`` for a volume file.
    """
    kind = sniff_image(path)
    if kind in (Kind.PNG, Kind.JPEG, Kind.TIFF):
        return ImageHead(canvas=_picture_size(path, kind), is_picture=True)
    if kind is Kind.DICOM:
        return ImageHead(canvas=_dicom_size(path), is_picture=False)
    raise ReadError(
        "E_NOT_A_SLICE",
        "boxes belong to one slice, and this file holds a volume",
        where=path.name,
        expected="a picture or a DICOM slice",
        found=kind.value,
        fix="Use the importer of tables, which names slices of volumes",
    )


def _picture_size(path: Path, kind: Kind) -> tuple[int, int]:
    with reading(path.name, code="E_IMAGE_DECODE", what="the picture is damaged or cut short"):
        content = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(content), formats=(kind.value.upper(),))
        width, height = image.size
        if isinstance(image, TiffImageFile):
            # Pillow's own size is turned already, or is not, as its version goes.
            width, height = image.tag_v2[_WIDTH], image.tag_v2[_HEIGHT]
            turn = image.tag_v2.get(_ORIENTATION, 1)
        elif _EXIF.search(content) is None:
            turn = 1  # not asked: asking a PNG for EXIF data decodes it
        else:
            turn = image.getexif().get(_ORIENTATION, 1)
        return (width, height) if turn in _LYING else (height, width)


def _dicom_size(path: Path) -> tuple[int, int]:
    with reading(path.name, code="E_BAD_DICOM", what="the DICOM file is damaged or cut short"):
        header = read_dicom(path, pixels=False)
        kind = kind_of_dicom(header, path.name)
        if kind is not DicomKind.CT:
            raise not_a_slice(header, kind, path.name)
        rows, columns = (integer(header, tag, path.name) for tag in ("Rows", "Columns"))
        if not rows or not columns:
            raise bad_attribute("Rows", path.name, "nothing")
        return rows, columns
