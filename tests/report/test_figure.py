"""The README picture."""

from __future__ import annotations

import numpy as np
from report_phantom import SPACE, chest, headless, one_slice

from tetract.report.figure import four_outputs


def test_the_picture_is_wide_and_on_white() -> None:
    picture = four_outputs(chest()[0], one_slice(0), SPACE)
    assert picture.dtype == np.uint8
    assert picture.shape[1] >= 1200
    assert picture.shape[1] > 4 * picture.shape[0]
    assert (picture[:4] == 255).all()


def test_an_absent_head_leaves_its_panel_without_a_picture() -> None:
    full = four_outputs(chest()[0], one_slice(0), SPACE)
    bare = four_outputs(chest()[0], headless(), SPACE)
    last = slice(int(0.82 * full.shape[1]), None)
    assert (full[:, last] < 60).mean() > 0.2
    assert (bare[:, last] < 60).mean() < 0.02
