"""Claims about other windows and larger pixels."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from tetract.data.config import AugmentConfig
from tetract.data.restyle import Restyle, draw_restyle, restyle

WINDOW = (-1350.0, 150.0)


def test_another_window_is_what_reading_through_it_gives() -> None:
    hu = np.linspace(-1200, 100, 64, dtype=np.float32).reshape(1, 8, 8)
    image = (hu + 1350) / 1500
    seen = restyle(image, Restyle(window_hu=(-1000.0, 0.0)), WINDOW)
    assert seen == pytest.approx(np.clip((hu + 1000) / 1000, 0, 1), abs=1e-5)


def test_a_picture_of_unknown_window_keeps_it() -> None:
    image = np.random.default_rng(0).random((1, 8, 8), dtype=np.float32)
    assert restyle(image, Restyle(window_hu=(-1000.0, 0.0)), None) is image


def test_larger_pixels_keep_the_mean_and_lose_detail() -> None:
    image = np.random.default_rng(0).random((1, 32, 32), dtype=np.float32)
    coarse = restyle(image, Restyle(coarse_px=2.0), WINDOW)
    assert coarse.mean() == pytest.approx(image.mean(), abs=0.01)
    assert coarse.std() < 0.6 * image.std()


def test_looks_are_off_by_default_and_stay_in_their_ranges() -> None:
    rng = np.random.default_rng(0)
    assert draw_restyle(AugmentConfig(), rng) == Restyle()
    config = AugmentConfig(rewindow=1.0, coarse=1.0)
    for look in (draw_restyle(config, rng) for _ in range(50)):
        assert look.window_hu is not None
        assert -1350 <= look.window_hu[0] <= -900
        assert 0 <= look.window_hu[1] <= 400
        assert 1 <= look.coarse_px <= 2


@pytest.mark.parametrize(
    "wrong", [{"low_hu": (-500, -900)}, {"high_hu": (-1000, 0)}, {"coarse_factor": (0.5, 2.0)}]
)
def test_ranges_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AugmentConfig.model_validate(wrong)
