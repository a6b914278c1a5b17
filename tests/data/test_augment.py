"""Claims about random changes: everything moves together and no lesion is lost from sight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tetract.data.augment import apply
from tetract.data.augment_draw import AugmentDraw, draw
from tetract.data.collate import collate
from tetract.data.config import AugmentConfig
from tetract.data.intensity import change_intensity
from tetract.data.lesions import tight_boxes
from tetract.data.warp import Warp
from tetract.types import Boxes, BoxTarget, LabelSpace, MaskTarget, Targets
from tetract.types.batch import Identity, Sample

SIZE = 96


def sample(*blocks: tuple[int, int, int, int], with_masks: bool = True) -> Sample:
    """Bright rectangles ``x0 y0 x1 y1`` on black, each one a lesion."""
    masks = np.zeros((len(blocks), SIZE, SIZE), dtype=bool)
    for mask, (x0, y0, x1, y1) in zip(masks, blocks, strict=True):
        mask[y0:y1, x0:x1] = True
    union = np.asarray(masks.any(axis=0, keepdims=True))
    boxes = Boxes(
        xyxy=np.array(blocks, dtype=np.float32).reshape(-1, 4),
        labels=np.arange(len(blocks), dtype=np.int64),
        masks=masks if with_masks else None,
        canvas=(SIZE, SIZE),
    )
    return Sample(
        image=union.astype(np.float32),
        targets=Targets(
            masks=MaskTarget(pixels=union, annotated=np.array([True])),
            boxes=BoxTarget(boxes=boxes, annotated=np.ones(max(len(blocks), 1), dtype=bool)),
        ),
        identity=Identity(row=0, patient="", source="s", slice_index=0, spacing_mm=None),
    )


def boxes_of(one: Sample) -> Boxes:
    assert one.targets.boxes is not None
    return one.targets.boxes.boxes


def mask_of(one: Sample) -> np.ndarray:
    assert one.targets.masks is not None
    return one.targets.masks.pixels


def test_the_same_seed_draws_the_same_change() -> None:
    config = AugmentConfig()
    one, two = (draw(config, np.random.default_rng(7), SIZE) for _ in range(2))
    assert one == two
    assert one != draw(config, np.random.default_rng(8), SIZE)


def test_draws_stay_in_their_ranges() -> None:
    config = AugmentConfig()
    rng = np.random.default_rng(0)
    draws = [draw(config, rng, SIZE) for _ in range(300)]
    assert max(abs(d.rotation_deg) for d in draws) <= config.rotation_deg
    assert all(config.scale[0] <= d.scale <= config.scale[1] for d in draws)
    assert max(abs(d.shift_px[0]) for d in draws) <= config.shift * SIZE
    assert 0.35 < np.mean([d.flip_x for d in draws]) < 0.65


def test_switched_off_it_changes_nothing() -> None:
    change = draw(AugmentConfig(enabled=False), np.random.default_rng(0), SIZE)
    one = sample((10, 20, 30, 40))
    assert change == AugmentDraw()
    assert np.array_equal(apply(one, change).image, one.image)


@pytest.mark.parametrize("change", [AugmentDraw(flip_x=True), AugmentDraw(flip_y=True)])
def test_flipping_twice_gives_the_sample_back(change: AugmentDraw) -> None:
    one = sample((10, 20, 30, 44), (50, 3, 60, 9))
    once = apply(one, change)
    twice = apply(once, change)
    assert not np.array_equal(once.image, one.image)
    assert np.array_equal(twice.image, one.image)
    assert np.array_equal(mask_of(twice), mask_of(one))
    assert np.array_equal(boxes_of(twice).xyxy, boxes_of(one).xyxy)


def test_a_flip_moves_image_masks_and_boxes_alike() -> None:
    flipped = apply(sample((10, 20, 30, 44)), AugmentDraw(flip_x=True))
    assert boxes_of(flipped).xyxy.tolist() == [[66, 20, 86, 44]]
    assert tight_boxes(mask_of(flipped)).tolist() == [[66, 20, 86, 44]]
    assert tight_boxes(flipped.image > 0.5).tolist() == [[66, 20, 86, 44]]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (AugmentDraw(shift_px=(5.0, -3.0)), [37, 45, 57, 65]),
        (AugmentDraw(scale=1.2), [38.4, 38.4, 62.4, 62.4]),
        (AugmentDraw(rotation_deg=90.0), [36, 40, 56, 60]),
    ],
)
def test_zoom_shift_and_turn_go_where_their_names_say(
    change: AugmentDraw, expected: list[float]
) -> None:
    moved = apply(sample((40, 40, 60, 60)), change)
    assert np.abs(boxes_of(moved).xyxy[0] - expected).max() <= 0.7


changes = st.builds(
    AugmentDraw,
    flip_x=st.booleans(),
    rotation_deg=st.floats(-10, 10),
    scale=st.floats(0.8, 1.25),
    shift_px=st.tuples(st.floats(-6, 6), st.floats(-6, 6)),
)


@settings(deadline=None, max_examples=60)
@given(change=changes)
def test_boxes_are_those_of_the_moved_masks_and_of_the_moved_image(change: AugmentDraw) -> None:
    moved = apply(sample((20, 30, 40, 42), (55, 60, 70, 80)), change)
    boxes = boxes_of(moved)
    assert boxes.masks is not None
    assert np.abs(boxes.xyxy - tight_boxes(boxes.masks)).max() < 1e-3
    assert np.array_equal(boxes.masks.any(axis=0), mask_of(moved)[0])
    assert np.array_equal(moved.image[0] >= 0.5 - 1e-4, mask_of(moved)[0])


@settings(deadline=None, max_examples=60)
@given(change=changes)
def test_a_box_without_pixels_moves_like_the_image_and_is_not_turned(change: AugmentDraw) -> None:
    moved = apply(sample((30, 36, 60, 54), with_masks=False), change)
    seen = tight_boxes(moved.image >= 0.5 - 1e-4)
    assert np.abs(boxes_of(moved).xyxy - seen).max() <= 0.51


def test_a_box_keeps_its_margin_around_its_lesion() -> None:
    one = sample((40, 40, 50, 50))
    boxes = one.targets.boxes
    assert boxes is not None
    wide = replace(boxes.boxes, xyxy=np.array([[38, 39, 52, 51]], dtype=np.float32))
    one = replace(one, targets=replace(one.targets, boxes=replace(boxes, boxes=wide)))
    moved = apply(one, AugmentDraw(shift_px=(4.0, 8.0)))
    assert boxes_of(moved).xyxy.tolist() == [[46, 43, 60, 55]]


def test_a_lesion_that_leaves_the_view_leaves_the_boxes() -> None:
    moved = apply(sample((0, 40, 4, 44), (50, 50, 60, 60)), AugmentDraw(shift_px=(0.0, -10.0)))
    assert boxes_of(moved).labels.tolist() == [1]
    assert boxes_of(moved).masks is not None


def test_a_lesion_cut_by_the_border_keeps_the_part_in_view() -> None:
    moved = apply(sample((0, 40, 12, 52)), AugmentDraw(shift_px=(0.0, -6.0)))
    assert boxes_of(moved).xyxy.tolist() == [[0, 40, 6, 52]]


@pytest.mark.parametrize("with_masks", [True, False])
def test_a_sliver_of_a_lesion_is_never_called_background(with_masks: bool) -> None:
    one = sample((0, 40, 10, 50), with_masks=with_masks)
    kept = apply(one, AugmentDraw(flip_x=True, shift_px=(0.0, 9.0)))
    assert boxes_of(kept).xyxy.tolist() == [[86, 40, 96, 50]]


@settings(deadline=None, max_examples=80)
@given(change=changes, x=st.integers(25, 70), y=st.integers(25, 70))
def test_a_lesion_of_one_pixel_survives(change: AugmentDraw, x: int, y: int) -> None:
    moved = apply(sample((x, y, x + 1, y + 1)), change)
    masks = boxes_of(moved).masks
    assert masks is not None
    assert masks.sum(axis=(1, 2)).tolist()[0] >= 1


def test_intensity_changes_leave_targets_alone_and_stay_in_range() -> None:
    change = AugmentDraw(
        gamma=0.8, contrast=1.2, brightness=0.1, noise_std=0.1, noise_seed=3, blur_px=1.0
    )
    one = sample((10, 20, 30, 40))
    changed = apply(one, change)
    assert not np.array_equal(changed.image, one.image)
    assert changed.image.dtype == np.float32
    assert changed.image.min() >= 0
    assert changed.image.max() <= 1
    assert np.array_equal(mask_of(changed), mask_of(one))
    assert np.array_equal(apply(one, change).image, changed.image)


def test_a_sample_without_targets_can_be_changed() -> None:
    bare = replace(sample((10, 20, 30, 40)), targets=Targets())
    moved = apply(bare, AugmentDraw(flip_y=True, rotation_deg=5.0))
    assert moved.targets == Targets()


@pytest.mark.parametrize("with_masks", [True, False])
def test_a_changed_sample_without_lesions_still_makes_a_batch(with_masks: bool) -> None:
    moved = apply(sample(with_masks=with_masks), AugmentDraw(flip_x=True, scale=1.1))
    batch = collate([moved], LabelSpace(mask_classes=("lesion",), box_classes=("lesion",)))
    assert batch.boxes[0] is not None
    assert batch.boxes[0].xyxy.shape == (0, 4)


def test_apply_does_not_touch_its_input() -> None:
    one = sample((10, 20, 30, 40))
    before = one.image.copy(), boxes_of(one).xyxy.copy()
    apply(one, AugmentDraw(flip_x=True, gamma=2.0, scale=1.1, noise_std=0.1))
    assert np.array_equal(one.image, before[0])
    assert np.array_equal(boxes_of(one).xyxy, before[1])


def whole_warp(mask: np.ndarray, change: AugmentDraw) -> np.ndarray:
    """Every pixel of a moved mask, without the short cut of a window."""
    return Warp(change, SIZE).image(mask[None].astype(np.float32))[0]


@settings(deadline=None, max_examples=80)
@given(
    change=st.builds(
        AugmentDraw,
        rotation_deg=st.floats(-45, 45),
        scale=st.floats(0.5, 2),
        shift_px=st.tuples(st.floats(-48, 48), st.floats(-48, 48)),
    ),
    corner=st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)),
    side=st.integers(0, 40),
)
def test_a_mask_moved_in_its_window_is_the_mask_moved_whole(
    change: AugmentDraw, corner: tuple[int, int], side: int
) -> None:
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    mask[corner[0] : corner[0] + side, corner[1] : corner[1] + side] = True
    moved = np.zeros((SIZE, SIZE), dtype=np.float32)
    for found in Warp(change, SIZE).masks(mask[None]):
        if found is not None:
            moved[found.window] = found.share
    assert np.array_equal(moved, whole_warp(mask, change))


def test_gamma_is_a_power_and_keeps_black_and_white() -> None:
    image = np.linspace(0, 1, SIZE * SIZE, dtype=np.float32).reshape(1, SIZE, SIZE)
    changed = change_intensity(image.copy(), AugmentDraw(gamma=0.75))
    assert np.abs(changed - image.astype(np.float64) ** 0.75).max() < 1e-6
    assert (changed[0, 0, 0], changed[0, -1, -1]) == (0, 1)


def test_noise_is_normal_and_its_seed_alone_decides_it() -> None:
    grey = np.full((1, SIZE, SIZE), 0.5, dtype=np.float32)
    change = AugmentDraw(noise_std=0.05, noise_seed=4_000_000_000)
    noise = change_intensity(grey.copy(), change) - grey
    assert np.array_equal(change_intensity(grey.copy(), change) - grey, noise)
    assert not np.array_equal(change_intensity(grey.copy(), replace(change, noise_seed=1)), noise)
    assert abs(noise.mean()) < 0.002
    assert abs(noise.std() - 0.05) < 0.002
    assert 0.66 < np.mean(np.abs(noise) < 0.05) < 0.71


def test_every_range_of_a_draw_is_filled_and_none_is_tied_to_another() -> None:
    config = AugmentConfig(geometry=1, intensity=1, noise=1, blur=1)
    draws = [draw(config, np.random.default_rng(seed), SIZE) for seed in range(400)]
    drawn = np.array(
        [
            [
                *(d.rotation_deg, np.log(d.scale), *d.shift_px, np.log(d.gamma), d.contrast),
                *(d.brightness, d.noise_std, d.noise_seed, d.blur_px),
            ]
            for d in draws
        ]
    )
    spread = np.ptp(drawn, axis=0)
    wide = [20, np.log(1.25 / 0.8), *[0.12 * SIZE] * 2, np.log(1.35 / 0.75), 0.3, 0.1, 0.03]
    assert np.allclose(spread, [*wide, 2**32, 0.8], rtol=0.05)
    assert np.abs(np.corrcoef(drawn.T) - np.eye(10)).max() < 0.2
