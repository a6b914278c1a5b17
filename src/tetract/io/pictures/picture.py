"""PNG, JPEG and TIFF pictures: grey values whose window is lost."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt8
from PIL import Image, ImageOps

from tetract.errors import ReadError
from tetract.io.guard import reading
from tetract.io.pictures.picture_grey import check_opaque, grey_of
from tetract.io.pictures.png_chunks import PngHeader, check_png
from tetract.io.pictures.tiff_tags import (
    check_tiff,
    is_inverted_16_bit,
    tiff_orientation,
    without_libtiff,
)
from tetract.io.sniff import Kind, extension_warnings
from tetract.types import Provenance, Volume

# Four times the largest CT matrix in use (4096 x 4096); beyond, a small file may be a bomb.
MAX_PIXELS = 2**26
_EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One decoded picture.

    Attributes:
        samples: (H, W) uint8 or uint16 grey levels, or the stored integers of a label map.
        warnings: One line each.
    """

    samples: Shaped[np.ndarray, "H W"]
    warnings: tuple[str, ...]


def read_picture(path: Path, kind: Kind) -> Volume:
    """One picture as a volume of depth 1: (1, H, W) uint8 or uint16, no HU, no geometry.

    Raises:
        ReadError: ``E_IMAGE_DECODE``, ``E_COLOUR``, ``E_ALPHA``, ``E_BIT_DEPTH``,
            ``E_CANNOT_READ``.
    """
    picture = decode_picture(path, kind)
    return Volume(
        values=picture.samples[None],
        hu_known=False,
        geometry=None,
        provenance=Provenance(
            reader=kind.value,
            name=path.name,
            slice_names=(path.name,),
            warnings=picture.warnings,
        ),
    )


def decode_picture(path: Path, kind: Kind, *, keep_indices: bool = False) -> Picture:
    """Decode a PNG, JPEG or TIFF without changing a grey value.

    Args:
        path: The file.
        kind: What ``sniff`` said it is.
        keep_indices: Whether palette and low-bit pictures keep their stored integers (a label
            map's meaning) instead of being turned into grey levels.

    Raises:
        ReadError: As ``read_picture``.
    """
    with reading(path.name, code="E_IMAGE_DECODE", what="the picture is damaged or cut short"):
        content = path.read_bytes()
        header = check_png(content, path.name) if kind is Kind.PNG else None
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(content), formats=(kind.value.upper(),))
        _check_size(image, path.name)
        if header is not None:
            _check_depth(header, path.name)
        if kind is Kind.TIFF:
            check_tiff(image, path.name)
        inverted, turn = is_inverted_16_bit(image), tiff_orientation(image)
        image = without_libtiff(image, content, path.name)
        image.load()
        upright, turned = _upright(image, path.name, turn)
        notes = extension_warnings(path, kind) + turned + _lossy(path, kind)
        if keep_indices and _holds_indices(upright, header):
            return Picture(samples=_raw_samples(upright, header), warnings=notes)
        grey, more = _grey(upright, path.name)
        if inverted:
            grey = np.uint16(65535) - grey
        return Picture(samples=grey, warnings=notes + more)


def _lossy(path: Path, kind: Kind) -> tuple[str, ...]:
    # TIFF with a lossy compression is refused, and PNG has none.
    if kind is not Kind.JPEG:
        return ()
    return (f"W_LOSSY {path.name}: JPEG compresses with loss",)


def _check_size(image: Image.Image, where: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ReadError(
            "E_IMAGE_DECODE",
            "the picture is too large to be a slice",
            where=where,
            expected=f"at most {MAX_PIXELS} pixels",
            found=f"{width} x {height}",
            fix="Crop or scale the picture",
        )


def _check_depth(header: PngHeader, where: str) -> None:
    if header.animated:
        raise ReadError(
            "E_IMAGE_DECODE",
            "the PNG file is animated",
            where=where,
            expected="one frame",
            fix="Save each frame as its own file",
        )
    if header.depth == 16 and header.colour != 0:
        # Pillow keeps only the high byte here.
        raise ReadError(
            "E_BIT_DEPTH",
            "16-bit samples with colour or alpha would lose half of their bits",
            where=where,
            expected="16-bit grey or 8-bit samples",
            fix="Save the picture as 16-bit grey",
        )


def _upright(image: Image.Image, where: str, told: int) -> tuple[Image.Image, tuple[str, ...]]:
    """Turn as the EXIF data say; ``told`` is what a TIFF file said before it was loaded."""
    left = image.getexif().get(_EXIF_ORIENTATION, 1)
    turn = left if left not in (0, 1) else told
    if turn in (0, 1):
        return image, ()
    upright = image if left in (0, 1) else ImageOps.exif_transpose(image)
    return upright, (f"W_EXIF_ROTATED {where}: turned upright as its EXIF orientation {turn} says",)


def _holds_indices(image: Image.Image, header: PngHeader | None) -> bool:
    """Whether the stored integers differ from the grey levels they are shown with."""
    if image.mode == "P":
        rgb = np.asarray(image.convert("RGB"))
        return not bool((rgb == rgb[..., :1]).all())
    return header is not None and header.colour == 0 and header.depth < 8


def _raw_samples(image: Image.Image, header: PngHeader | None) -> UInt8[np.ndarray, "H W"]:
    samples = np.asarray(image).astype(np.uint8)
    if header is None or header.colour == 3 or header.depth == 1:
        return samples
    # Pillow spreads 2- and 4-bit grey over 0..255.
    return samples // np.uint8(255 // (2**header.depth - 1))


def _grey(image: Image.Image, where: str) -> tuple[Shaped[np.ndarray, "H W"], tuple[str, ...]]:
    if image.mode.startswith("I;16"):
        return _grey16(image, where), ()
    if "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode in ("1", "L"):
        return np.array(image.convert("L")), ()
    if image.mode in ("LA", "RGBA"):
        check_opaque(np.asarray(image)[..., -1], where)
    if image.mode in ("LA", "P", "RGB", "RGBA"):
        return grey_of(np.asarray(image.convert("RGB")), where)
    raise ReadError(
        "E_COLOUR" if image.mode == "CMYK" else "E_BIT_DEPTH",
        "the picture is not 8- or 16-bit grey",
        where=where,
        found=f"mode {image.mode}",
        fix="Save it as a grey PNG",
    )


def _grey16(image: Image.Image, where: str) -> Shaped[np.ndarray, "H W"]:
    samples = np.array(image).astype(np.uint16, copy=False)
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        check_opaque(np.where(samples == clear, 0, 255), where)
    return samples
