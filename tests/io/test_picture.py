"""Pictures keep their grey values or are refused."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tetract.errors import InputError, ReadError
from tetract.io import read_volume
from tetract.io.pictures.picture import MAX_PIXELS

GREY = np.arange(48 * 40, dtype=np.uint16).reshape(48, 40) % 251


def _save(path: Path, samples: np.ndarray, **how: object) -> Path:
    Image.fromarray(samples).save(path, **how)
    return path


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def test_eight_bit_grey_is_kept(tmp_path: Path) -> None:
    volume = read_volume(_save(tmp_path / "a.png", GREY.astype(np.uint8)))
    assert np.array_equal(volume.values[0], GREY)
    assert volume.values.dtype == np.uint8
    assert volume.geometry is None


def test_sixteen_bit_grey_is_kept(tmp_path: Path) -> None:
    values = (GREY * 250).astype(np.uint16)
    volume = read_volume(_save(tmp_path / "a.png", values))
    assert volume.values.dtype == np.uint16
    assert np.array_equal(volume.values[0], values)


def test_a_picture_never_claims_hounsfield_units(tmp_path: Path) -> None:
    volume = read_volume(_save(tmp_path / "a.png", GREY.astype(np.uint8)))
    with pytest.raises(InputError, match="E_NOT_HU"):
        _ = volume.hu


@pytest.mark.parametrize("channels", [3, 4])
def test_grey_in_colour_channels_is_grey(tmp_path: Path, channels: int) -> None:
    rgb = np.repeat(GREY.astype(np.uint8)[..., None], channels, axis=2)
    if channels == 4:
        rgb[..., 3] = 255
    volume = read_volume(_save(tmp_path / "a.png", rgb))
    assert np.array_equal(volume.values[0], GREY)
    assert volume.provenance.warnings == ()


def test_a_drawn_arrow_leaves_a_picture_near_grey(tmp_path: Path) -> None:
    rgb = np.repeat(GREY.astype(np.uint8)[..., None], 3, axis=2)
    rgb[:4, :8] = (255, 0, 0)  # 1.7 % of the pixels
    volume = read_volume(_save(tmp_path / "a.png", rgb))
    assert volume.provenance.warnings[0].startswith("W_NEAR_GREY")
    assert np.array_equal(volume.values[0, 4:], GREY[4:])
    assert int(volume.values[0, 0, 0]) == 76  # luma of pure red


def test_a_faint_tint_is_near_grey(tmp_path: Path) -> None:
    rgb = np.repeat((GREY % 200).astype(np.uint8)[..., None], 3, axis=2)
    rgb[..., 0] += 20
    volume = read_volume(_save(tmp_path / "a.png", rgb))
    assert "W_NEAR_GREY" in volume.provenance.warnings[0]


def test_colour_is_refused(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    with pytest.raises(ReadError, match="E_COLOUR"):
        read_volume(_save(tmp_path / "a.png", rgb))


def test_half_transparency_is_refused(tmp_path: Path) -> None:
    rgba = np.full((8, 8, 4), 128, dtype=np.uint8)
    with pytest.raises(ReadError, match="E_ALPHA"):
        read_volume(_save(tmp_path / "a.png", rgba))


def test_a_transparent_grey_level_is_refused_where_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(GREY.astype(np.uint16) + np.uint16(1)).save(path, transparency=7)
    with pytest.raises(ReadError, match="E_ALPHA"):
        read_volume(path)


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    picture = Image.fromarray((GREY % 4).astype(np.uint8), mode=None).convert("P")
    picture.putpalette([v for grey in (10, 60, 110, 200) for v in (grey,) * 3])
    picture.save(tmp_path / "a.png")
    found = read_volume(tmp_path / "a.png").values[0]
    assert np.array_equal(found, np.array([10, 60, 110, 200], dtype=np.uint8)[GREY % 4])


def test_a_coloured_palette_is_colour(tmp_path: Path) -> None:
    picture = Image.fromarray((GREY % 4).astype(np.uint8)).convert("P")
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0])
    picture.save(tmp_path / "a.png")
    with pytest.raises(ReadError, match="E_COLOUR"):
        read_volume(tmp_path / "a.png")


def test_one_bit_gives_black_and_white(tmp_path: Path) -> None:
    found = read_volume(_save(tmp_path / "a.png", GREY % 2 == 1)).values[0]
    assert np.array_equal(found, (GREY % 2) * 255)


def test_sixteen_bit_colour_is_refused_rather_than_cut(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    body = zlib.compress(b"\0" + bytes(range(12)))
    content = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body)
    (tmp_path / "a.png").write_bytes(content + _chunk(b"IEND", b""))
    with pytest.raises(ReadError, match="E_BIT_DEPTH"):
        read_volume(tmp_path / "a.png")


def test_exif_orientation_is_applied_and_told(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    volume = read_volume(_save(tmp_path / "a.png", GREY.astype(np.uint8), exif=exif))
    assert np.array_equal(volume.values[0], GREY[::-1, ::-1])
    assert "W_EXIF_ROTATED" in volume.provenance.warnings[0]


@pytest.mark.parametrize(
    ("name", "told"), [("a.png", ()), ("a.tif", ()), ("a.jpg", ("W_LOSSY a.jpg: JPEG",))]
)
def test_loss_is_told_of_jpeg_and_of_nothing_else(
    tmp_path: Path, name: str, told: tuple[str, ...]
) -> None:
    warnings = read_volume(_save(tmp_path / name, GREY.astype(np.uint8))).provenance.warnings
    assert len(warnings) == len(told)
    assert all(line.startswith(start) for line, start in zip(warnings, told, strict=True))


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_a_truncated_picture_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = _save(tmp_path / f"a.{suffix}", GREY.astype(np.uint8))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ReadError, match="E_IMAGE_DECODE"):
        read_volume(path)


@pytest.mark.parametrize("at", [20, 45, 60, -6])
def test_a_flipped_bit_in_a_png_is_noticed(tmp_path: Path, at: int) -> None:
    path = _save(tmp_path / "a.png", GREY.astype(np.uint8))
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)
    with pytest.raises(ReadError, match="E_IMAGE_DECODE"):
        read_volume(path)


def test_a_decompression_bomb_is_refused_unopened(tmp_path: Path) -> None:
    side = int(MAX_PIXELS**0.5) + 1
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b""))
    (tmp_path / "a.png").write_bytes(content + _chunk(b"IEND", b""))
    with pytest.raises(ReadError, match="E_IMAGE_DECODE"):
        read_volume(tmp_path / "a.png")


def test_an_animated_png_is_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((8, 8), v, dtype=np.uint8)) for v in (1, 2)]
    buffer = BytesIO()
    frames[0].save(buffer, format="PNG", save_all=True, append_images=frames[1:])
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    with pytest.raises(ReadError, match="E_IMAGE_DECODE"):
        read_volume(tmp_path / "a.png")
