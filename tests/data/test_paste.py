"""Claims about copied lesions: every label stays true, or nothing is copied."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tetract.data.config import PasteConfig
from tetract.data.lesions import lesion_parts, tight_boxes
from tetract.data.lung_estimate import estimate_lungs
from tetract.data.paste import Chest, Copy, draw_copies, paste
from tetract.data.paste_labels import Meaning, new_class
from tetract.types import Boxes, BoxTarget, MaskTarget, Targets
from tetract.types.batch import Identity, Sample

SIZE = 64
LUNG = (slice(8, 56), slice(8, 56))
MEANING = Meaning(lesions=np.array([False, True]), lungs=np.array([True, False]), normal=0)
PLAIN = Copy(donor=0.0, lesion=0.0, turn=(0, False), place=0.3)
NORMAL, COVID, CANCER = (np.eye(3, dtype=bool)[k] for k in range(3))


def chest(
    *lesions: tuple[int, int, int, int],
    row: int = 0,
    label: np.ndarray | None = None,
    annotated: tuple[bool, bool] = (True, True),
    boxed: bool = True,
    grey: float = 0.2,
) -> Chest:
    """Dark lung in a bright body, each lesion ``x0 y0 x1 y1`` brighter than its lung by 0.3."""
    masks = np.zeros((2, SIZE, SIZE), dtype=bool)
    masks[0][LUNG] = True
    for x0, y0, x1, y1 in lesions:
        masks[1, y0:y1, x0:x1] = True
    image = np.full((1, SIZE, SIZE), 0.9, dtype=np.float32)
    image[0][LUNG] = grey
    image[0][masks[1]] += 0.3
    parts = lesion_parts(masks[1])
    boxes = Boxes(
        xyxy=tight_boxes(parts),
        labels=np.zeros(len(parts), dtype=np.int64),
        masks=parts,
        canvas=(SIZE, SIZE),
    )
    target = BoxTarget(boxes=boxes, annotated=np.array([True])) if boxed else None
    one = Sample(
        image=image,
        targets=Targets(
            label=label,
            masks=MaskTarget(pixels=masks, annotated=np.array(annotated)),
            boxes=target,
        ),
        identity=Identity(row=row, patient="", source="s", slice_index=0, spacing_mm=None),
    )
    return Chest(sample=one, lungs=masks[0] if annotated[0] else None)


DONOR = chest((20, 24, 30, 30), row=7, label=COVID)


def pasted(
    into: Chest, donor: Chest = DONOR, copy: Copy = PLAIN, config: PasteConfig | None = None
) -> Sample:
    return paste(into, donor, copy, meaning=MEANING, config=config or PasteConfig())


def boxes_of(one: Sample) -> Boxes:
    assert one.targets.boxes is not None
    return one.targets.boxes.boxes


def lesion_mask(one: Sample) -> np.ndarray:
    assert one.targets.masks is not None
    return one.targets.masks.pixels[1]


def test_a_copied_lesion_is_in_mask_box_instance_and_class_alike() -> None:
    one = pasted(chest(label=NORMAL))
    assert lesion_mask(one).sum() == 60
    assert np.array_equal(boxes_of(one).xyxy, tight_boxes(lesion_mask(one)[None]))
    instances, label = boxes_of(one).masks, one.targets.label
    assert instances is not None
    assert label is not None
    assert np.array_equal(instances[0], lesion_mask(one))
    assert np.array_equal(label, COVID)
    assert one.identity.donors == (7,)


def test_the_slice_that_is_given_a_lesion_is_not_modified() -> None:
    into = chest(label=NORMAL)
    before = into.sample.image.copy()
    pasted(into)
    assert np.array_equal(into.sample.image, before)
    assert not lesion_mask(into.sample).any()


@pytest.mark.parametrize("place", np.linspace(0, 0.999, 7).tolist())
def test_a_lesion_lies_in_the_lung_and_away_from_others(place: float) -> None:
    into = chest((30, 30, 40, 40))
    one = pasted(into, copy=replace(PLAIN, place=place))
    assert into.lungs is not None
    assert not (lesion_mask(one) & ~into.lungs).any()
    assert len(lesion_parts(lesion_mask(one))) == len(boxes_of(one)) == 2


@pytest.mark.parametrize("turn", [(1, False), (2, True), (3, False)])
def test_a_turned_lesion_keeps_its_pixels_and_its_box_turns(turn: tuple[int, bool]) -> None:
    one = pasted(chest(), copy=replace(PLAIN, turn=turn))
    assert lesion_mask(one).sum() == 60
    assert np.array_equal(boxes_of(one).xyxy, tight_boxes(lesion_mask(one)[None]))


def test_grey_values_are_moved_by_what_the_lungs_differ_in() -> None:
    one = pasted(chest(grey=0.4), config=PasteConfig(feather_px=0.0))
    assert one.image[0][lesion_mask(one)] == pytest.approx(0.4 + 0.3)


def test_a_soft_edge_changes_no_pixel_outside_the_lung() -> None:
    into = chest()
    one = pasted(into, copy=replace(PLAIN, place=0.0), config=PasteConfig(feather_px=4.0))
    assert into.lungs is not None
    assert np.array_equal(one.image[0][~into.lungs], into.sample.image[0][~into.lungs])


def test_nothing_is_copied_where_the_lesion_does_not_fit() -> None:
    into = chest((8, 8, 52, 52))
    assert pasted(into) is into.sample


def test_nothing_is_copied_into_a_slice_whose_source_did_not_look_for_it() -> None:
    into = chest(annotated=(True, False))
    assert pasted(into) is into.sample


def test_nothing_is_copied_from_a_slice_whose_source_looked_for_less() -> None:
    into = chest()
    assert pasted(into, chest((20, 24, 30, 30), boxed=False)) is into.sample


def test_a_slice_of_another_disease_gets_no_lesion() -> None:
    into = chest(label=CANCER)
    assert pasted(into) is into.sample


def test_a_slice_without_known_lungs_gets_no_lesion() -> None:
    into = replace(chest(), lungs=None)
    assert pasted(into) is into.sample


def test_a_lesion_whose_box_has_no_mask_is_not_taken_into_a_boxed_slice() -> None:
    target = DONOR.sample.targets.boxes
    assert target is not None
    boxes = replace(target, boxes=replace(target.boxes, masks=None))
    targets = replace(DONOR.sample.targets, boxes=boxes)
    into = chest()
    assert (
        pasted(into, replace(DONOR, sample=replace(DONOR.sample, targets=targets))) is into.sample
    )


def test_box_only_slices_stay_box_only() -> None:
    into = chest((30, 30, 40, 40))
    target = into.sample.targets.boxes
    assert target is not None
    bare = replace(target, boxes=replace(target.boxes, masks=None))
    sample = replace(into.sample, targets=replace(into.sample.targets, boxes=bare))
    one = pasted(replace(into, sample=sample))
    assert len(boxes_of(one)) == 2
    assert boxes_of(one).masks is None


@pytest.mark.parametrize(
    ("before", "lesion", "allowed", "after"),
    [
        (None, None, True, None),
        (NORMAL, COVID, True, COVID),
        (COVID, COVID, True, COVID),
        (NORMAL | COVID, COVID, True, COVID),
        (CANCER, COVID, False, None),
        (NORMAL | CANCER, COVID, False, None),
        (NORMAL, None, False, None),
        (NORMAL, COVID | CANCER, False, None),
        (NORMAL, NORMAL, False, None),
    ],
)
def test_the_class_follows_from_certain_labels_only(
    before: np.ndarray | None, lesion: np.ndarray | None, allowed: bool, after: np.ndarray | None
) -> None:
    told, label = new_class(before, lesion, normal=0)
    assert told is allowed
    if allowed:
        assert (None if label is None else label.tolist()) == (
            None if after is None else after.tolist()
        )


def test_the_same_seed_draws_the_same_copies_as_often_as_asked() -> None:
    config = PasteConfig(share=0.4, most=3)
    draws = [draw_copies(config, np.random.default_rng(k)) for k in range(300)]
    assert draws[5] == draw_copies(config, np.random.default_rng(5))
    assert 0.3 < np.mean([bool(d) for d in draws]) < 0.5
    assert {len(d) for d in draws} == {0, 1, 2, 3}


@pytest.mark.parametrize("window_hu", [None, (-1350.0, 150.0)])
def test_estimated_lungs_are_the_dark_places_that_the_body_encloses(
    window_hu: tuple[float, float] | None,
) -> None:
    image = np.full((SIZE, SIZE), 0.05, dtype=np.float32)  # air around the body
    image[4:60, 4:60] = 0.92
    image[12:52, 10:28] = image[12:52, 36:54] = 0.3
    image[30:33, 30:32] = 0.1  # an airway
    image[20:24, 14:18] = 0.9  # a vessel within the lung
    found = estimate_lungs(image, window_hu)
    expected = np.zeros_like(found)
    expected[12:52, 10:28] = expected[12:52, 36:54] = True
    assert np.array_equal(found, expected)
