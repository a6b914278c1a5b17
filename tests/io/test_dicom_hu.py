"""Hounsfield units follow from rescale, or the series is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from io_makers import change, make_series, make_volume, set_tag
from pydicom.dataset import Dataset

from tetract.errors import ReadError
from tetract.io import read_volume
from tetract.io.hu_checks import HuTally, settle_slice


def _stored(header: Dataset) -> np.ndarray:
    return np.frombuffer(header.PixelData, dtype="<u2").copy()


def _signed(header: Dataset, pixels: np.ndarray, intercept: int = -1024) -> None:
    header.PixelRepresentation, header.BitsStored, header.HighBit = 1, 16, 15
    header.RescaleIntercept = intercept
    header.PixelData = pixels.astype("<i2").tobytes()


def _with_padding(header: Dataset, *, declared: bool) -> None:
    pixels = _stored(header).astype(np.int32)
    pixels[:7] = -2000
    _signed(header, pixels)
    if declared:
        header.add_new("PixelPaddingValue", "SS", -2000)


@pytest.mark.parametrize(("declared", "code"), [(True, "W_PADDING"), (False, "W_BELOW_AIR")])
def test_padding_becomes_air_and_is_counted(tmp_path: Path, declared: bool, code: str) -> None:
    for path in make_series(tmp_path):
        change(path, lambda d: _with_padding(d, declared=declared))
    found = read_volume(tmp_path)
    assert (found.values.reshape(6, -1)[:, :7] == -1024).all()
    assert np.array_equal(
        found.values.reshape(6, -1)[:, 7:], make_volume().values.reshape(6, -1)[:, 7:]
    )
    assert found.provenance.warnings[0].startswith(f"{code} ")
    assert " 42 " in found.provenance.warnings[0]


def test_padding_written_as_unsigned_is_understood(tmp_path: Path) -> None:
    path = make_series(tmp_path)[0]
    change(path, lambda d: _with_padding(d, declared=False))
    change(path, lambda d: d.add_new("PixelPaddingValue", "US", 65536 - 2000))
    assert "W_PADDING" in read_volume(path).provenance.warnings[0]


def test_a_padding_value_that_may_be_tissue_is_not_believed(tmp_path: Path) -> None:
    path = make_series(tmp_path)[0]
    change(path, lambda d: d.add_new("PixelPaddingValue", "US", 1074))
    found = read_volume(path)
    assert "W_PADDING_IGNORED" in found.provenance.warnings[0]
    assert np.array_equal(found.values[0], make_volume().values[0])


def test_rescale_is_applied_slice_by_slice(tmp_path: Path) -> None:
    for index, path in enumerate(make_series(tmp_path)):
        change(
            path,
            lambda d, shift=100 * index: _signed(d, _stored(d).astype(int) + shift, -1024 - shift),
        )
    assert np.array_equal(read_volume(tmp_path).values, make_volume().values)


def test_fractions_are_rounded_and_told(tmp_path: Path) -> None:
    path = make_series(tmp_path)[0]
    change(path, set_tag("RescaleSlope", 1.001))
    found = read_volume(path)
    expected = np.rint((make_volume().values[0] + 1024) * 1.001 - 1024)
    assert np.array_equal(found.values[0], expected)
    assert "W_ROUNDED" in found.provenance.warnings[0]


@pytest.mark.parametrize("wrong", [[0], [2], [5], [3, 4, 5]])
def test_slices_with_another_intercept_are_refused(tmp_path: Path, wrong: list[int]) -> None:
    paths = make_series(tmp_path)
    for index in wrong:
        change(paths[index], set_tag("RescaleIntercept", 0))
    with pytest.raises(ReadError, match=r"E_HU_JUMP.*[+-]\d{3,4} HU from"):
        read_volume(tmp_path)


def test_a_median_that_flips_between_air_and_tissue_is_no_jump() -> None:
    tally = HuTally()
    for index in range(8):
        body = np.full((40, 40), -1000.0)
        body[: 21 - 2 * (index % 2)] = 50.0  # just over and just under half
        settle_slice(body, None, tally, "x")
    medians = [middle for _, middle, _ in tally.quantiles]
    assert max(medians) - min(medians) > 1000
    tally.check_jumps("x", tuple("abcdefgh"))


def test_unsigned_values_read_as_signed_are_refused(tmp_path: Path) -> None:
    path = make_series(tmp_path)[0]
    change(path, lambda d: _with_padding(d, declared=False))
    change(path, set_tag("PixelRepresentation", 0))
    with pytest.raises(ReadError, match="E_HU_RANGE"):
        read_volume(path)


def test_many_impossible_values_are_refused(tmp_path: Path) -> None:
    path = make_series(tmp_path)[0]
    change(path, lambda d: _signed(d, np.full(320, -4000)))
    with pytest.raises(ReadError, match=r"E_HU_RANGE.*100\.0%"):
        read_volume(path)


def test_monochrome1_does_not_invert_hu(tmp_path: Path) -> None:
    for path in make_series(tmp_path):
        change(path, set_tag("PhotometricInterpretation", "MONOCHROME1"))
    found = read_volume(tmp_path)
    assert np.array_equal(found.values, make_volume().values)
    assert found.provenance.warnings[0].startswith("W_MONOCHROME1")


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (set_tag("BurnedInAnnotation", "YES"), "W_BURNED_IN"),
        (set_tag("LossyImageCompression", "01"), "W_LOSSY"),
        (lambda d: set_tag("PixelData", d.PixelData + bytes(10))(d), "W_PIXEL_PADDED"),
        (lambda d: setattr(d, "preamble", b"\x7fELF" + bytes(124)), "W_PREAMBLE"),
    ],
)
def test_oddities_are_told_once_per_series(tmp_path: Path, edit: object, code: str) -> None:
    for path in make_series(tmp_path):
        change(path, edit)
    found = read_volume(tmp_path)
    assert [line.split(" ")[0] for line in found.provenance.warnings] == [code]
    assert np.array_equal(found.values, make_volume().values)


def test_overlay_bits_above_the_stored_ones_are_cut_off(tmp_path: Path) -> None:
    path = make_series(tmp_path)[0]
    change(path, lambda d: set_tag("PixelData", (_stored(d) | 0x8000).tobytes())(d))
    assert np.array_equal(read_volume(path).values[0], make_volume().values[0])
