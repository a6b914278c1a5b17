from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from identities import somebody
from tetract.tasks.reconstruction.metrics import (
    Errors,
    HiddenErrors,
    ReconstructionRow,
    ReconstructionScores,
    fill_by_mean,
    measure_hidden,
    measure_plain,
    score_reconstruction,
)


def pictures(seed: int, size: int = 24) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    image = random.random((1, size, size), dtype=np.float32)
    return image, (image + 0.1 * random.standard_normal(image.shape)).clip(0, 1).astype(np.float32)


def row(plain: Errors, hidden: HiddenErrors | None = None, source: str = "s") -> ReconstructionRow:
    return ReconstructionRow(plain=plain, hidden=hidden, identity=somebody(source=source))


def scores(*rows: ReconstructionRow, width: float | None = None) -> ReconstructionScores:
    return score_reconstruction(rows, hu_window_width=width, hu_known={"s": True})


def peer_ssim(image: np.ndarray, other: np.ndarray) -> float:
    first, second = (torch.from_numpy(x.astype(np.float64))[None] for x in (other, image))
    return float(structural_similarity_index_measure(first, second, data_range=1.0))


@pytest.mark.parametrize("size", [11, 24, 40])
@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_matches_torchmetrics(size: int, channels: int) -> None:
    image, said = (np.concatenate([p, 1 - p, p**2])[:channels] for p in pictures(size, size))
    assert measure_plain(image, said).ssim == pytest.approx(peer_ssim(image, said), abs=1e-9)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_ssim_of_flat_slices_matches_torchmetrics(value: float) -> None:
    flat, noisy = np.full((1, 16, 16), value, dtype=np.float32), pictures(7, 16)[1]
    assert measure_plain(flat, noisy).ssim == pytest.approx(peer_ssim(flat, noisy), abs=1e-9)


def test_errors_match_numpy() -> None:
    image, said = pictures(0)
    found = measure_plain(image, said)
    assert found.mae == pytest.approx(np.abs(said - image).mean(), rel=1e-5)
    assert found.mse == pytest.approx(np.square(said - image).mean(), rel=1e-5)
    assert found.ssim == pytest.approx(peer_ssim(image, said), abs=1e-6)


def test_psnr_matches_torchmetrics() -> None:
    image, said = pictures(1)
    expected = peak_signal_noise_ratio(
        torch.from_numpy(said), torch.from_numpy(image), data_range=1.0
    )
    assert scores(row(measure_plain(image, said))).psnr_db.value == pytest.approx(float(expected))


def test_psnr_comes_from_the_mean_squared_error_of_all_slices() -> None:
    found = scores(*(row(Errors(mae=0.1, mse=mse, ssim=0.5)) for mse in (0.01, 0.03)))
    assert found.rmse.value == pytest.approx(0.02**0.5)
    assert found.psnr_db.value == pytest.approx(-10 * np.log10(0.02))


def test_no_error_at_all_is_no_infinite_psnr() -> None:
    image, _ = pictures(2)
    found = scores(row(measure_plain(image, image)))
    assert (found.psnr_db.value, found.psnr_db.reason) == (None, "no error at all")
    assert (found.mae.value, found.ssim.value) == (0.0, pytest.approx(1.0))


def test_slices_below_the_window_have_no_ssim() -> None:
    found = scores(row(measure_plain(*pictures(3, size=10))))
    assert (found.ssim.value, found.ssim.reason) == (None, "slices smaller than 11 px")


def test_only_hidden_pixels_are_scored_as_masked() -> None:
    image, said = pictures(4)
    hidden = np.zeros((24, 24), dtype=np.bool_)
    hidden[:8] = True
    said[:, 8:] = 0.0
    found = measure_hidden(image, said, hidden, patch_px=8)
    assert found is not None
    assert found.model.mae == pytest.approx(np.abs(said - image)[:, :8].mean(), rel=1e-5)
    composite = np.where(hidden, said, image)
    assert found.model.ssim == pytest.approx(peer_ssim(image, composite), abs=1e-6)


def test_nothing_hidden_is_not_scored() -> None:
    image, said = pictures(5)
    hidden = np.zeros((24, 24), dtype=np.bool_)
    assert measure_hidden(image, said, hidden, patch_px=8) is None
    found = scores(row(measure_plain(image, said)))
    for figure in (
        found.masked_mae,
        found.masked_ssim,
        found.masked_psnr_db,
        found.mean_filter_mae,
    ):
        assert (figure.value, figure.reason) == (None, "no hidden pixels")


def slow_fill(image: np.ndarray, hidden: np.ndarray, side: int) -> np.ndarray:
    """The window around each hidden pixel, walked one by one."""
    filled = image.astype(np.float64).copy()
    for y, x in np.argwhere(hidden):
        width = side
        while True:
            r = width // 2
            window = np.s_[max(y - r, 0) : y + r + 1, max(x - r, 0) : x + r + 1]
            shown = image[0][window][~hidden[window]]
            if shown.size:
                filled[0, y, x] = shown.astype(np.float64).mean()
                break
            width = 2 * width + 1
    return filled


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.sampled_from([0.1, 0.5, 0.9, 0.99]))
def test_the_mean_filter_sees_exactly_the_visible_pixels_around(seed: int, share: float) -> None:
    image, _ = pictures(seed, size=15)
    hidden = np.random.default_rng(seed + 1).random((15, 15)) < share
    hidden[0, 0] = False
    filled = fill_by_mean(image, hidden, patch_px=1)
    assert filled == pytest.approx(slow_fill(image, hidden, 3), abs=1e-9)


def test_the_mean_filter_never_looks_at_hidden_pixels() -> None:
    image = np.full((1, 16, 16), 0.25, dtype=np.float32)
    hidden = np.zeros((16, 16), dtype=np.bool_)
    hidden[4:12, 4:12] = True
    image[:, hidden] = 1.0
    filled = fill_by_mean(image, hidden, patch_px=4)
    assert filled is not None
    assert filled == pytest.approx(np.full((1, 16, 16), 0.25))


def test_a_wholly_hidden_slice_has_no_mean_filter() -> None:
    image, said = pictures(6)
    found = measure_hidden(image, said, np.ones((24, 24), dtype=np.bool_), patch_px=8)
    assert found is not None
    assert found.mean_filter_mae is None
    figure = scores(row(measure_plain(image, said), found)).mean_filter_mae
    assert (figure.value, figure.reason) == (None, "no visible pixels")


def test_hu_only_where_the_source_is_known_to_hold_hu() -> None:
    rows = [
        row(Errors(mae=mae, mse=mae**2, ssim=0.5), source=source)
        for mae, source in ((0.1, "s"), (0.9, "picture"), (0.9, "unnamed"))
    ]
    found = score_reconstruction(
        rows, hu_window_width=1400.0, hu_known={"s": True, "picture": False}
    )
    assert found.mae_hu.value == pytest.approx(140.0)
    assert found.mae_hu.support.slices == 1
    assert found.mae.value == pytest.approx(1.9 / 3)


def test_hu_without_a_known_window_is_undefined() -> None:
    found = scores(row(Errors(mae=0.1, mse=0.01, ssim=None)))
    assert (found.mae_hu.value, found.mae_hu.reason) == (None, "HU window unknown")


def test_no_rows_give_no_figure() -> None:
    found = scores(width=1400.0)
    assert found.mae.value is found.psnr_db.value is found.ssim.value is found.mae_hu.value is None
    assert found.mae.reason == "no rows"
