"""TIFF: one page of 8- or 16-bit grey, to the last bit, or a refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from tetract.errors import TetractError
from tetract.io import Kind, read_label_map, read_study, read_volume, sniff, write_png

GREY8 = np.random.default_rng(1).integers(0, 256, (12, 20)).astype(np.uint8)
GREY16 = np.random.default_rng(2).integers(0, 65536, (12, 20)).astype(np.uint16)


def save_tiff(path: Path, samples: np.ndarray, **options: object) -> Path:
    Image.fromarray(samples).save(path, "TIFF", **options)
    return path


def _patch_tag(path: Path, tag: int, value: int) -> None:
    """Overwrite one SHORT entry of a little-endian file's first directory."""
    content = bytearray(path.read_bytes())
    at = int.from_bytes(content[4:8], "little")
    count = int.from_bytes(content[at : at + 2], "little")
    entries = range(at + 2, at + 2 + 12 * count, 12)
    (entry,) = [e for e in entries if int.from_bytes(content[e : e + 2], "little") == tag]
    content[entry + 8 : entry + 12] = value.to_bytes(4, "little")
    path.write_bytes(content)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("samples", [GREY8, GREY16], ids=["8 bit", "16 bit"])
def test_every_grey_level_is_kept(
    tmp_path: Path, samples: np.ndarray, compression: str | None
) -> None:
    path = save_tiff(tmp_path / "a.tif", samples, compression=compression)
    volume = read_volume(path)
    assert volume.values.dtype == samples.dtype
    assert np.array_equal(volume.values[0], samples)
    assert not volume.hu_known
    assert volume.provenance.reader == "tiff"
    assert volume.provenance.warnings == ()


def test_big_endian_samples_come_out_the_same(tmp_path: Path) -> None:
    swapped = Image.frombytes("I;16B", (20, 12), GREY16.astype(">u2").tobytes())
    swapped.save(tmp_path / "a.tif")
    assert (tmp_path / "a.tif").read_bytes()[:2] == b"MM"
    assert np.array_equal(read_volume(tmp_path / "a.tif").values[0], GREY16)


@pytest.mark.parametrize("samples", [GREY8, GREY16], ids=["8 bit", "16 bit"])
def test_white_is_zero_is_turned_into_grey(tmp_path: Path, samples: np.ndarray) -> None:
    path = save_tiff(tmp_path / "a.tif", samples)
    _patch_tag(path, 262, 0)
    top = np.iinfo(samples.dtype).max
    assert np.array_equal(read_volume(path).values[0], top - samples)


def test_the_orientation_is_applied_once_and_told(tmp_path: Path) -> None:
    path = save_tiff(tmp_path / "a.tif", GREY8, tiffinfo={274: 6})
    volume = read_volume(path)
    assert np.array_equal(volume.values[0], np.rot90(GREY8, -1))
    assert volume.provenance.warnings[0].startswith("W_EXIF_ROTATED a.tif")


def test_grey_stored_as_rgb_or_as_a_palette_is_grey(tmp_path: Path) -> None:
    rgb = save_tiff(tmp_path / "rgb.tif", np.dstack([GREY8] * 3))
    palette = Image.fromarray(GREY8).convert("P")
    palette.save(tmp_path / "p.tif")
    assert np.array_equal(read_volume(rgb).values[0], GREY8)
    assert np.array_equal(read_volume(tmp_path / "p.tif").values[0], GREY8)


def _several_pages(path: Path) -> None:
    first = Image.fromarray(GREY8)
    first.save(path, "TIFF", save_all=True, append_images=[first])


def _imagej_stack(path: Path) -> None:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[270] = "ImageJ=1.53t\nimages=40\nslices=40\n"
    save_tiff(path, GREY8, tiffinfo=info)


def _cut(path: Path) -> None:
    save_tiff(path, GREY8)
    path.write_bytes(path.read_bytes()[:200])


def _colour(path: Path) -> None:
    save_tiff(path, np.random.default_rng(3).integers(0, 256, (12, 20, 3)).astype(np.uint8))


def _signed(path: Path) -> None:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[339] = 2
    save_tiff(path, GREY16, tiffinfo=info)


def _damaged_lzw(path: Path) -> None:
    save_tiff(path, GREY8, compression="tiff_lzw")
    content = bytearray(path.read_bytes())
    content[20:60] = b"\xff" * 40  # codes that are in no table yet
    path.write_bytes(content)


FAULTS = {
    "several pages": (_several_pages, "E_IMAGE_DECODE"),
    "a stack of ImageJ": (_imagej_stack, "E_IMAGE_DECODE"),
    "cut": (_cut, "E_IMAGE_DECODE"),
    "damaged inside": (_damaged_lzw, "E_IMAGE_DECODE"),
    "JPEG inside": (
        lambda path: save_tiff(path, GREY8, compression="jpeg"),
        "E_IMAGE_DECODE",
    ),
    "colour": (_colour, "E_COLOUR"),
    "CMYK": (lambda path: Image.new("CMYK", (9, 9)).save(path, "TIFF"), "E_COLOUR"),
    "transparent": (lambda path: Image.new("RGBA", (9, 9)).save(path, "TIFF"), "E_ALPHA"),
    "float": (lambda path: save_tiff(path, GREY8.astype(np.float32)), "E_BIT_DEPTH"),
    "32 bit": (lambda path: save_tiff(path, GREY8.astype(np.int32)), "E_BIT_DEPTH"),
    "signed": (_signed, "E_BIT_DEPTH"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_one_grey_page_is_refused(tmp_path: Path, fault: str) -> None:
    make, code = FAULTS[fault]
    make(tmp_path / "a.tif")
    with pytest.raises(TetractError) as caught:
        read_volume(tmp_path / "a.tif")
    assert caught.value.code == code


def test_damage_is_told_by_us_and_not_by_the_library(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _damaged_lzw(tmp_path / "a.tif")
    with pytest.raises(TetractError):
        read_volume(tmp_path / "a.tif")
    assert capfd.readouterr() == ("", "")


def test_the_library_says_nothing_of_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _patch_tag(save_tiff(tmp_path / "a.tif", np.dstack([GREY8] * 3)), 277, 569)
    with pytest.raises(TetractError):
        read_volume(tmp_path / "a.tif")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_a_compressed_picture_keeps_its_orientation_and_its_white(
    tmp_path: Path, compression: str
) -> None:
    path = save_tiff(tmp_path / "a.tif", GREY16, compression=compression, tiffinfo={274: 6})
    _patch_tag(path, 262, 0)
    assert np.array_equal(read_volume(path).values[0], np.rot90(65535 - GREY16, -1))


def test_a_folder_may_mix_kinds_of_pictures(tmp_path: Path) -> None:
    save_tiff(tmp_path / "2.tif", GREY8)
    write_png(tmp_path / "10.png", GREY8)
    assert [v.provenance.name for v in read_study(tmp_path)] == ["2.tif", "10.png"]


def test_a_mask_keeps_its_integers_and_a_palette_its_indices(tmp_path: Path) -> None:
    mask = (GREY8 % 3).astype(np.uint8)
    assert np.array_equal(read_label_map(save_tiff(tmp_path / "a.tif", mask)).values[0], mask)
    palette = Image.fromarray(mask, "L")
    palette.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    palette.save(tmp_path / "p.tif")
    assert np.array_equal(read_label_map(tmp_path / "p.tif").values[0], mask)


def test_a_dicom_file_whose_preamble_is_tiff_stays_dicom(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"II*\0" + bytes(124) + b"DICM")
    assert sniff(tmp_path / "a") is Kind.DICOM
