from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as reference

from tetract.data.formats.outline_pixels import draw_polygons, trace
from tetract.data.formats.rle import decode_runs, encode_runs, format_counts, parse_counts

MASKS = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(lambda s: arrays(np.bool_, s))


@settings(deadline=None)  # other work on the machine is no failure
@given(MASKS)
def test_run_lengths_are_those_of_the_coco_tools(mask: np.ndarray) -> None:
    theirs = reference.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    assert format_counts(encode_runs(mask)) == theirs
    assert np.array_equal(decode_runs(parse_counts(theirs), mask.shape), mask)


def test_long_runs_survive_the_text_form() -> None:
    counts = [0, 5, 262_144, 1, 70_000, 3, 2, 900_000]
    assert parse_counts(format_counts(counts)) == counts


@pytest.mark.parametrize("text", ["a b", "\x7f", "o", "oooooooooooooo0", "é"])
def test_text_that_holds_no_runs_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="run lengths"):
        parse_counts(text)


@pytest.mark.parametrize("counts", [[3], [5], [-1, 5], [2, -1, 3]])
def test_runs_that_do_not_fill_the_canvas_are_refused(counts: list[int]) -> None:
    with pytest.raises(ValueError, match="size of the image"):
        decode_runs(counts, (2, 2))


@settings(deadline=None)  # other work on the machine is no failure
@given(MASKS.filter(np.any))
def test_a_traced_mask_is_drawn_back_to_the_pixel(mask: np.ndarray) -> None:
    assert np.array_equal(draw_polygons([trace(mask)], mask.shape), mask)


def theirs(points: np.ndarray, canvas: tuple[int, int]) -> np.ndarray:
    (drawn,) = reference.frPyObjects([points.ravel().tolist()], *canvas)
    return decode_runs(parse_counts(drawn["counts"].decode()), canvas)


def test_polygons_with_whole_corners_cover_what_the_coco_tools_say() -> None:
    square = np.array([[2, 3], [7, 3], [7, 5], [2, 5]], dtype=np.float64)
    assert np.array_equal(draw_polygons([square], (8, 9)), theirs(square, (8, 9)))


def test_a_slanted_polygon_differs_from_the_coco_tools_at_its_edge_only() -> None:
    points = np.array([[5.2, 3.1], [40.7, 12.4], [33.3, 44.8], [8.9, 37.6]], dtype=np.float64)
    drawn = draw_polygons([points], (50, 50))
    assert (drawn != theirs(points, (50, 50))).sum() <= 0.1 * drawn.sum()
    assert drawn.sum() == pytest.approx(1017.1, rel=0.01)  # the shoelace formula


def test_parts_of_one_lesion_are_united_where_they_overlap() -> None:
    one = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], dtype=np.float64)
    drawn = draw_polygons([one, one + 2], (8, 8))
    assert drawn.sum() == 16 + 16 - 4


def test_an_outline_smaller_than_a_pixel_keeps_the_pixel_it_lies_in() -> None:
    speck = np.array([[3.6, 5.6], [3.8, 5.6], [3.8, 5.8]], dtype=np.float64)
    assert np.argwhere(draw_polygons([speck], (8, 8))).tolist() == [[5, 3]]
