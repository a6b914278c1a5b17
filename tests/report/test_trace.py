"""Outlines follow pixel edges exactly."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tetract.report.trace import outline_path


def refilled(path: str, shape: tuple[int, int]) -> np.ndarray:
    """Even-odd filling of an axis-parallel path: flips everything right of each vertical edge."""
    inside = np.zeros((shape[0], shape[1] + 1), dtype=bool)
    for polygon in filter(None, path.split("z")):
        x, y = map(int, re.match(r"M(\d+) (\d+)", polygon).groups())
        for command, length in re.findall(r"([hv])(-?\d+)", polygon):
            if command == "h":
                x += int(length)
                continue
            top, bottom = sorted((y, y + int(length)))
            inside[top:bottom, x:] ^= True
            y += int(length)
    return inside[:, :-1]


def test_one_pixel_is_a_unit_square() -> None:
    mask = np.zeros((4, 5), dtype=bool)
    mask[1, 2] = True
    assert outline_path(mask) == "M2 1h1v1h-1v-1z"


def test_an_empty_mask_has_no_outline() -> None:
    assert outline_path(np.zeros((3, 3), dtype=bool)) == ""


@pytest.mark.parametrize("seed", range(5))
def test_filling_the_outline_gives_the_mask_back(seed: int) -> None:
    mask = np.random.default_rng(seed).random((17, 23)) < 0.5
    assert np.array_equal(refilled(outline_path(mask), mask.shape), mask)


def test_a_hole_stays_a_hole() -> None:
    mask = np.ones((6, 6), dtype=bool)
    mask[2:4, 2:4] = False
    assert outline_path(mask).count("M") == 2
    assert np.array_equal(refilled(outline_path(mask), mask.shape), mask)
