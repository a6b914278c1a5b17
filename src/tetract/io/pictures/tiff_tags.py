"""The parts of a TIFF file that Pillow would pass over in silence."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from PIL import Image, TiffImagePlugin

from tetract.errors import ReadError
from tetract.io.dicom.decode_client import decode_in_child

# TIFF 6.0: BitsPerSample, Compression, PhotometricInterpretation, ImageDescription, Orientation,
# SamplesPerPixel, SampleFormat.
_BITS, _COMPRESSION, _PHOTOMETRIC, _DESCRIPTION = 258, 259, 262, 270
_ORIENTATION, _SAMPLES, _FORMAT = 274, 277, 339
# None and PackBits, which Pillow decodes itself; LZW and deflate (two codes), which it leaves to
# libtiff: C that prints to the terminal and, fed with hostile bytes, may do worse.
_BY_PILLOW = (1, 32773)
_BY_LIBTIFF = (5, 8, 32946)
_WHITE_IS_ZERO = 0
_COLOURS = (0, 1, 2, 3)
_IMAGEJ_PAGES = re.compile(r"^(?:images|frames|slices)=(\d+)", re.MULTILINE)


def check_tiff(image: Image.Image, where: str) -> None:
    """Refuse what is not one lossless page of unsigned 1-, 8- or 16-bit samples.

    Raises:
        ReadError: ``E_IMAGE_DECODE`` for several pages or another compression, ``E_BIT_DEPTH``,
            ``E_COLOUR``.
    """
    tags = _tags(image)
    if _pages(image, str(tags.get(_DESCRIPTION, ""))) > 1:
        raise ReadError(
            "E_IMAGE_DECODE",
            "the TIFF file holds several pages",
            where=where,
            expected="one page",
            fix="Save each page as its own file",
        )
    compression = int(tags.get(_COMPRESSION, 1))
    if compression not in _BY_PILLOW + _BY_LIBTIFF:
        raise ReadError(
            "E_IMAGE_DECODE",
            "this compression of TIFF is not read",
            where=where,
            expected="none, LZW, deflate or PackBits",
            found=f"code {compression}",
            fix="Save the picture without compression",
        )
    photometric = int(tags.get(_PHOTOMETRIC, 1))
    if photometric not in _COLOURS:
        raise ReadError(
            "E_COLOUR",
            "the picture is neither grey, RGB nor a palette",
            where=where,
            found=f"photometric interpretation {photometric}",
            fix="Save it in grey",
        )
    bits = {int(n) for n in _many(tags.get(_BITS, 1))}
    unsigned = set(_many(tags.get(_FORMAT, 1))) == {1}
    if not unsigned or not bits <= {1, 8, 16} or (16 in bits and int(tags.get(_SAMPLES, 1)) > 1):
        kind = "unsigned" if unsigned else "signed or floating-point"
        raise ReadError(
            "E_BIT_DEPTH",
            "the samples are not 8-bit, or 16-bit grey, whole numbers",
            where=where,
            expected="unsigned 8- or 16-bit grey",
            found=f"{'/'.join(str(n) for n in sorted(bits))} bit, {kind}",
            fix="Save the picture as 8- or 16-bit grey",
        )


def without_libtiff(image: Image.Image, content: bytes, where: str) -> Image.Image:
    """The same picture, to be loaded by Pillow alone: libtiff works in a child process.

    Raises:
        ReadError: ``E_IMAGE_DECODE``.
    """
    if int(_tags(image).get(_COMPRESSION, 1)) not in _BY_LIBTIFF:
        return image
    try:
        plain = decode_in_child(content, {"tiff": True}, where)
    except ReadError as fault:
        raise ReadError(
            "E_IMAGE_DECODE",
            "the compressed TIFF file is damaged or cut short",
            where=where,
            found=fault.found,
            fix="Copy or export the picture again",
        ) from None
    return Image.open(BytesIO(plain.tobytes()), formats=("TIFF",))


def is_inverted_16_bit(image: Image.Image) -> bool:
    """Whether 0 is white in 16-bit samples: Pillow inverts 8-bit ones, and not these."""
    tags = _tags(image)
    inverted = int(tags.get(_PHOTOMETRIC, 1)) == _WHITE_IS_ZERO
    return inverted and 16 in _many(tags.get(_BITS, 1))


def tiff_orientation(image: Image.Image) -> int:
    """How the picture is to be turned; 1 is upright. Newer Pillows turn it in loading."""
    return int(_tags(image).get(_ORIENTATION, 1))


def _tags(image: Image.Image) -> dict[int, Any]:
    return dict(image.tag_v2) if isinstance(image, TiffImagePlugin.TiffImageFile) else {}


def _many(value: Any) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple) else (int(value),)


def _pages(image: Image.Image, description: str) -> int:
    # ImageJ keeps a stack behind one page and tells so in the description only.
    if description.startswith("ImageJ="):
        told = [int(n) for n in _IMAGEJ_PAGES.findall(description)]
        if max(told, default=1) > 1:
            return max(told)
    try:
        image.seek(1)
    except EOFError:
        image.seek(0)
        return 1
    image.seek(0)
    return 2
