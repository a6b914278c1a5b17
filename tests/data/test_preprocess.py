"""Claims about grey values and about the way to the model's grid and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tetract.data.label_algebra import Resolved
from tetract.data.lesions import lesion_parts, tight_boxes
from tetract.data.letterbox import Letterbox
from tetract.data.preprocess import fit_targets, normalise, prepare_slice
from tetract.errors import ReadError
from tetract.types import Boxes, BoxTarget, Geometry, Provenance, Targets, Volume

WINDOW = (-1350.0, 150.0)


def volume(values: np.ndarray, *, hu_known: bool = True, spacing: float | None = None) -> Volume:
    geometry = None
    if spacing is not None:
        affine = np.diag([2.0, spacing, spacing, 1.0])
        geometry = Geometry(affine=affine, shape=(1, *values.shape))
    provenance = Provenance(reader="png", name="a.png", slice_names=("a",))
    return Volume(values=values[None], hu_known=hu_known, geometry=geometry, provenance=provenance)


def test_hu_go_through_the_window_and_are_clipped() -> None:
    values = np.array([[-2000, -1350], [-600, 3000]], dtype=np.int16)
    scaled, note = normalise(values, hu_known=True, window_hu=WINDOW)
    assert scaled.tolist() == [[0.0, 0.0], [0.5, 1.0]]
    assert "HU -1350 to 150" in note


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_pictures_are_divided_by_their_bit_depth_whatever_they_show(kind: type) -> None:
    top = np.iinfo(kind).max
    values = np.array([[0, top // 5], [top // 5, 0]], dtype=kind)
    scaled, note = normalise(values, hu_known=False, window_hu=WINDOW)
    assert scaled.max() == pytest.approx(0.2, abs=1e-3)
    assert "unknown window" in note


def test_grey_values_of_another_type_are_refused() -> None:
    with pytest.raises(ReadError, match=r"E_GREY_TYPE.*float32"):
        normalise(np.zeros((2, 2), dtype=np.float32), hu_known=False, window_hu=WINDOW)


def test_a_wide_picture_is_padded_not_stretched() -> None:
    values = np.full((50, 100), 255, dtype=np.uint8)
    image = prepare_slice(volume(values, hu_known=False), 0, image_px=64, window_hu=WINDOW).image
    assert image.shape == (1, 64, 64)
    assert image[0, 17:47].min() == pytest.approx(1.0)
    assert image[0, :15].max() == image[0, 49:].max() == 0.0


def test_shrinking_averages_instead_of_skipping_pixels() -> None:
    stripes = np.zeros((128, 128), dtype=np.uint8)
    stripes[:, ::2] = 254
    image = prepare_slice(volume(stripes, hu_known=False), 0, image_px=32, window_hu=WINDOW).image
    assert np.abs(image[0, 2:-2, 2:-2] - 127 / 255).max() < 0.02


def test_spacing_grows_as_the_image_shrinks() -> None:
    prepared = prepare_slice(
        volume(np.zeros((512, 400), dtype=np.int16), spacing=0.7),
        0,
        image_px=128,
        window_hu=WINDOW,
    )
    assert prepared.spacing_mm == pytest.approx((2.8, 2.8))


@settings(deadline=None)
@given(
    height=st.integers(8, 700),
    width=st.integers(8, 700),
    size=st.sampled_from([32, 96, 256]),
    corner=st.tuples(st.floats(0, 0.8), st.floats(0, 0.8)),
)
def test_boxes_come_back_where_they_were(
    height: int, width: int, size: int, corner: tuple[float, float]
) -> None:
    fit = Letterbox(original=(height, width), size_px=size)
    x, y = corner
    boxes = np.array([[x * width, y * height, width, height]], dtype=np.float32)
    back = fit.boxes_to_original(fit.boxes_to_model(boxes))
    assert np.abs(back - boxes).max() < 1e-2


def test_boxes_and_image_move_together() -> None:
    values = np.zeros((60, 120), dtype=np.uint8)
    values[20:40, 30:90] = 255
    prepared = prepare_slice(volume(values, hu_known=False), 0, image_px=64, window_hu=WINDOW)
    given_box = np.array([[30, 20, 90, 40]], dtype=np.float32)
    seen = tight_boxes(prepared.image > 0.5)
    assert np.abs(prepared.letterbox.boxes_to_model(given_box) - seen).max() <= 0.5


def test_probabilities_return_to_the_original_grid() -> None:
    fit = Letterbox(original=(60, 120), size_px=64)
    mask = np.zeros((1, 60, 120), dtype=bool)
    mask[0, 20:40, 30:90] = True
    back = fit.resize_probabilities_to_original(fit.masks_to_model(mask).astype(np.float32))
    assert back.shape == (1, 60, 120)
    assert ((back >= 0.5) != mask).sum() < 0.15 * mask.sum()


def test_a_model_without_channels_returns_no_channels() -> None:
    fit = Letterbox(original=(60, 120), size_px=64)
    nothing = np.zeros((0, 64, 64), dtype=np.float32)
    assert fit.resize_probabilities_to_original(nothing).shape == (0, 60, 120)


@pytest.mark.parametrize("original", [(60, 120), (120, 61), (7, 300)])
def test_the_frame_holds_the_slice_and_no_padding(original: tuple[int, int]) -> None:
    fit = Letterbox(original=original, size_px=64)
    white = fit.image_to_model(np.ones(original, dtype=np.float32))
    assert fit.frame_px is not None
    top, left, bottom, right = fit.frame_px
    outside = white.copy()
    outside[top:bottom, left:right] = 0.0
    # Bilinear resizing blurs the edge by less than two pixels.
    assert white[top + 2 : bottom - 2, left:right][:, 2:-2].min(initial=1.0) > 0.999
    assert (outside > 0.5).sum() <= 2 * 64


def test_a_square_slice_has_no_padding() -> None:
    assert Letterbox(original=(80, 80), size_px=64).frame_px is None


def test_at_the_same_size_a_mask_is_unchanged() -> None:
    mask = np.random.default_rng(0).random((1, 64, 64)) < 0.3
    assert np.array_equal(Letterbox(original=(64, 64), size_px=64).masks_to_model(mask), mask)


def test_large_masks_keep_their_share_of_the_image() -> None:
    y, x = np.mgrid[:512, :512]
    disc = (((y - 256) ** 2 + (x - 200) ** 2) < 120**2)[None]
    small = Letterbox(original=(512, 512), size_px=128).masks_to_model(disc)
    assert small.mean() == pytest.approx(disc.mean(), rel=0.01)


@settings(deadline=None, max_examples=40)
@given(
    lesion=st.tuples(st.integers(0, 509), st.integers(0, 509), st.integers(1, 3)),
    size=st.sampled_from([32, 64, 128, 480]),
)
def test_no_lesion_disappears_however_small(lesion: tuple[int, int, int], size: int) -> None:
    y, x, side = lesion
    mask = np.zeros((2, 512, 512), dtype=bool)
    mask[0, y : y + side, x : x + side] = True
    mask[1, :256] = True  # a large neighbour in another channel must not hide it
    fit = Letterbox(original=(512, 512), size_px=size)
    assert fit.masks_to_model(mask)[0].any()
    assert fit.lesions_to_model(mask[:1])[0].any()


def test_two_vanishing_lesions_both_survive() -> None:
    mask = np.zeros((1, 256, 256), dtype=bool)
    mask[0, 5, 5] = mask[0, 200, 77] = True
    small = Letterbox(original=(256, 256), size_px=32).masks_to_model(mask)
    assert len(lesion_parts(small[0])) == 2


def resolved(masks: np.ndarray, *, derived: bool) -> Resolved:
    boxes = Boxes(
        xyxy=tight_boxes(masks),
        labels=np.zeros(len(masks), dtype=np.int64),
        masks=masks,
        canvas=(64, 64),
    )
    return Resolved(
        targets=Targets(boxes=BoxTarget(boxes=boxes, annotated=np.array([True]))),
        label=None,
        masks=(),
        boxes=(None,),
        derived=np.full(len(masks), derived),
    )


@pytest.mark.parametrize(("derived", "expected"), [(True, 1), (False, 2)])
def test_only_derived_boxes_below_the_least_size_are_left_out(derived: bool, expected: int) -> None:
    masks = np.zeros((2, 64, 64), dtype=bool)
    masks[0, 10:13, 10:13] = True
    masks[1, 30:42, 30:42] = True
    fit = Letterbox(original=(64, 64), size_px=32)
    boxes = fit_targets(resolved(masks, derived=derived), fit, min_lesion_px=5).boxes
    assert boxes is not None
    assert len(boxes.boxes) == expected
    assert boxes.boxes.xyxy[-1].tolist() == [15, 15, 21, 21]
