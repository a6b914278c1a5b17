from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import convolve, gaussian_filter, median_filter

from identities import somebody
from tetract.data.preprocess import prepare_slice
from tetract.io import read_volume
from tetract.tasks.reconstruction.copying import CopyingScores, score_copying
from tetract.tasks.reconstruction.grain import Grain, measure_grain

NOISE = 0.02
LAPLACIAN_DIFFERENCE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6


def anatomy(size: int = 96) -> np.ndarray:
    """Slopes, a bright and a dark region with sharp borders, vessels."""
    y, x = np.mgrid[:size, :size] / size
    slice_ = 0.3 + 0.2 * x + 0.1 * y**2
    slice_[size // 4 : size // 2, size // 4 : size // 2] += 0.3
    slice_[:, ::24] += 0.2
    return slice_[None]


def noisy(seed: int = 0, size: int = 96) -> np.ndarray:
    random = np.random.default_rng(seed)
    return anatomy(size) + NOISE * random.standard_normal((1, size, size))


def grain_of(image: np.ndarray, said: np.ndarray) -> Grain:
    found = measure_grain(image, said)
    assert found is not None
    return found


def scored(*grains: Grain | None) -> CopyingScores:
    return score_copying([(somebody(), grain) for grain in grains])


def test_the_level_of_noise_is_found_beside_edges_and_vessels() -> None:
    levels = [grain_of(noisy(seed), anatomy()).noise for seed in range(5)]
    assert levels == pytest.approx([NOISE] * 5, rel=0.15)


def test_what_the_window_clipped_is_not_taken_for_a_quiet_scan() -> None:
    image = noisy()
    image[:, :48] = 0.0
    image[:, 90:] = 1.0
    assert grain_of(image, anatomy()).noise == pytest.approx(NOISE, rel=0.15)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([1, 3]))
def test_grain_matches_a_convolution_with_the_published_mask(seed: int, channels: int) -> None:
    random = np.random.default_rng(seed)
    image = random.uniform(-0.02, 1.02, (channels, 40, 30)).clip(0, 1)
    said = (image + 0.3 * random.standard_normal(image.shape)).clip(0, 1)
    grain, left, plain = [], [], []
    for one, other in zip(image, said, strict=True):
        clipped = (one <= 0) | (one >= 1)
        near = convolve(clipped.astype(int), np.ones((3, 3), dtype=int), mode="constant", cval=1)
        within = near == 0
        grain.append(convolve(one, LAPLACIAN_DIFFERENCE)[within])
        left.append(convolve(one - other, LAPLACIAN_DIFFERENCE)[within])
        plain.append((one - other)[within])
    all_grain, all_left = np.concatenate(grain), np.concatenate(left)
    noise = 1.4826 * np.median(np.abs(all_grain))
    fine = np.abs(all_grain) <= 3 * noise
    found = grain_of(image, said)
    assert found.noise == pytest.approx(noise, abs=1e-9)
    assert found.residual == pytest.approx(1.4826 * np.median(np.abs(np.concatenate(plain))))
    slope = (all_grain * all_left)[fine].sum() / (all_grain**2)[fine].sum()
    assert found.kept == pytest.approx(1 - slope, abs=1e-9)
    together = (all_grain * all_left)[fine].sum()
    lengths = np.sqrt((all_grain**2)[fine].sum() * (all_left**2)[fine].sum())
    assert found.correlation == pytest.approx(together / lengths, abs=1e-9)


def test_a_perfect_copy_keeps_all_grain_and_leaves_nothing() -> None:
    image = noisy()
    found = grain_of(image, image)
    assert (found.residual, found.kept, found.correlation) == (0.0, 1.0, None)


def test_knowing_the_anatomy_and_not_the_noise_keeps_no_grain() -> None:
    found = grain_of(noisy(), anatomy())
    assert found.kept == pytest.approx(0.0, abs=0.1)
    assert found.correlation == pytest.approx(1.0, abs=0.05)
    assert found.residual == pytest.approx(NOISE, rel=0.1)


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (np.full((1, 64, 64), 0.5), "flat"),
        (noisy(size=2 * 24)[:, :2], "two rows"),
        (noisy(size=24)[:, :8, :8], "few pixels"),
        (np.where(noisy() > 0.5, 1.0, 0.0), "all clipped"),
        (np.round(anatomy() * 255) / 255, "a picture without noise"),
    ],
)
def test_where_no_noise_can_be_seen_none_is_said(image: np.ndarray, why: str) -> None:
    assert measure_grain(image, image * 0.9) is None, why


def test_a_copying_network_is_named() -> None:
    random = np.random.default_rng(1)
    images = [noisy(seed) for seed in range(4)]
    found = scored(
        *(grain_of(one, one + 0.002 * random.standard_normal(one.shape)) for one in images)
    )
    assert (found.below_noise.value, found.likely) == (1.0, True)
    assert found.warning.startswith("The network copies what it is shown: 100% of the slices")


@pytest.mark.parametrize(
    "guess",
    [anatomy(), gaussian_filter(noisy(), (0, 2, 2)), np.full((1, 96, 96), 0.4)],
    ids=["anatomy", "blurred", "grey"],
)
def test_a_network_that_leaves_the_noise_out_is_not_accused(guess: np.ndarray) -> None:
    found = scored(grain_of(noisy(), guess))
    assert (found.likely, found.warning) == (False, "")


def test_grain_that_comes_back_among_larger_errors_is_copied_too() -> None:
    image = noisy()
    found = scored(grain_of(image, image + 0.1 * np.sin(np.arange(96) / 20)))
    assert found.below_noise.value == 0.0
    assert found.likely


@pytest.mark.parametrize(
    ("residuals", "kept", "likely"),
    [
        ((0.01, 0.01, 0.02), 0.25, True),
        ((0.01, 0.01, 0.02), 0.24, False),
        ((0.01, 0.02), 0.49, False),
        ((0.03, 0.03), 0.50, True),
    ],
)
def test_copying_needs_some_grain_and_little_residual_or_much_grain(
    residuals: tuple[float, ...], kept: float, likely: bool
) -> None:
    grains = [Grain(noise=0.02, residual=r, kept=kept, correlation=0.5) for r in residuals]
    assert scored(*grains).likely == likely


def test_figures_are_means_over_slices_whose_noise_is_seen() -> None:
    one = Grain(noise=0.02, residual=0.01, kept=0.5, correlation=None)
    other = Grain(noise=0.04, residual=0.05, kept=0.1, correlation=0.8)
    found = scored(one, other, None)
    assert found.noise.value == pytest.approx(0.03)
    assert found.noise.support.slices == 2
    assert found.grain_kept.value == pytest.approx(0.3)
    assert (found.grain_correlation.value, found.grain_correlation.support.slices) == (0.8, 1)


def test_without_noise_there_is_no_verdict() -> None:
    for found, reason in ((scored(None, None), "no noise to be seen"), (scored(), "no rows")):
        figures = (found.noise, found.below_noise, found.grain_kept, found.grain_correlation)
        assert {figure.reason for figure in figures} == {reason}
        assert (found.likely, found.warning) == (False, "")


def test_perfect_copies_have_no_correlation_but_a_verdict() -> None:
    found = scored(Grain(noise=0.02, residual=0.0, kept=1.0, correlation=None))
    assert found.grain_correlation.reason == "nothing was left out"
    assert found.likely


@pytest.mark.real
@pytest.mark.parametrize("name", ["covid_ct_md", "covid19_ny_sbu", "lung_pet_ct_dx"])
def test_real_noise_tells_a_copy_from_a_guess(shared: Path, name: str) -> None:
    files = sorted(p for p in (shared / "data/ct" / name).rglob("*.dcm") if p.is_file())
    grains: dict[str, list[Grain | None]] = {"copy": [], "median": [], "guess": []}
    for path in files[:: max(1, len(files) // 4)][:4]:
        image = prepare_slice(
            read_volume(path), 0, image_px=256, window_hu=(-1000.0, 400.0)
        ).image.astype(np.float64)
        grains["copy"].append(measure_grain(image, image + 0.001))
        grains["median"].append(measure_grain(image, median_filter(image, (1, 3, 3))))
        grains["guess"].append(measure_grain(image, gaussian_filter(image, (0, 2, 2))))
    found = {kind: scored(*some) for kind, some in grains.items()}
    assert [found["copy"].likely, found["guess"].likely] == [True, False]
    kept = [found[kind].grain_kept.value or 0.0 for kind in ("copy", "median", "guess")]
    assert kept == sorted(kept, reverse=True)
