"""Overlays show what was found, where it was found."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from report_phantom import SPACE, chest, headless, one_slice

from tetract.report.font import written
from tetract.report.overlay import draw_slice, overlay_scale
from tetract.report.palette import class_colours, rgb
from tetract.types import LesionBox, SliceFindings

BOX = LesionBox(label="nodule", score=0.5, xyxy_px=(40.0, 60.0, 50.0, 68.0), size_mm=None)


def boxed(box: LesionBox, size: int = 128) -> np.ndarray:
    found = SliceFindings(index=0, name="a", boxes=(box,))
    return draw_slice(np.zeros((size, size)), found, SPACE)


def test_a_box_is_drawn_just_outside_its_pixels() -> None:
    colour, scale = rgb(class_colours(SPACE)["nodule"]), overlay_scale((128, 128))
    ink = (boxed(BOX) == colour).all(axis=2)
    left, top, right, bottom = (round(side * scale) for side in BOX.xyxy_px)
    assert scale == 4
    assert ink[top:bottom, left - 1].all()
    assert ink[top:bottom, right].all()
    assert ink[top - 1, left:right].all()
    assert ink[bottom, left:right].all()
    assert not ink[top:bottom, left:right].any()


@pytest.mark.parametrize("corner", [(0.0, 0.0), (118.0, 0.0), (0.0, 120.0), (118.0, 120.0)])
def test_a_box_at_the_border_keeps_its_four_sides(corner: tuple[float, float]) -> None:
    x, y = corner
    picture = boxed(dataclasses.replace(BOX, xyxy_px=(x, y, x + 10, y + 8)))
    ink = (picture == rgb(class_colours(SPACE)["nodule"])).all(axis=2)
    left, top = max(0, int(4 * x) - 2), max(0, int(4 * y) - 2)
    right, bottom = min(512, int(4 * x) + 42), min(512, int(4 * y) + 34)
    assert ink[top + 8 : bottom - 8, left].all()
    assert ink[top + 8 : bottom - 8, right - 1].all()


def test_masks_are_tinted_inside_and_untouched_outside() -> None:
    image, lung, _ = chest()
    drawn = draw_slice(image, one_slice(0), SPACE)[2::4, 2::4].astype(int)
    colourless = np.ptp(drawn, axis=2) == 0
    assert not colourless[lung].any()
    assert colourless[40:90, :4].all()


def test_without_heads_the_picture_stays_grey() -> None:
    drawn = draw_slice(chest()[0], headless(), SPACE)
    assert (np.ptp(drawn.astype(int), axis=2) == 0).all()


def test_full_size_slices_are_not_enlarged_and_tiny_ones_do_not_break() -> None:
    assert draw_slice(np.zeros((512, 400)), headless(), SPACE).shape == (512, 400, 3)
    tiny = SliceFindings(
        index=0, name="a", boxes=(dataclasses.replace(BOX, xyxy_px=(0.0, 0.0, 3.0, 3.0)),)
    )
    assert draw_slice(np.zeros((3, 3)), tiny, SPACE).shape == (513, 513, 3)


def test_every_character_of_a_score_is_told_apart() -> None:
    glyphs = {written(character).tobytes() for character in "0123456789."}
    assert len(glyphs) == 11
