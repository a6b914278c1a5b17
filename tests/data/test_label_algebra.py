"""Claims about what labels imply, and about what they do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tetract.data.card import SourceCard
from tetract.data.cells import BoxEntry
from tetract.data.label_algebra import Origin, RowLabels, Rules, check_merge, resolve_targets
from tetract.data.lesions import lesion_parts, tight_boxes
from tetract.errors import LabelError, RecipeError
from tetract.types import LabelSpace

SPACE = LabelSpace(
    classes=("normal", "covid", "pneumonia", "cancer"),
    mask_classes=("lung", "infection", "nodule"),
    box_classes=("nodule", "infection"),
)
RULES = Rules(lesions=frozenset({"nodule", "infection"}))
MERGED = Rules(
    merge={"lesion": ("nodule", "infection")}, lesions=frozenset({"nodule", "infection"})
)
LESION_SPACE = LabelSpace(mask_classes=("lesion",), box_classes=("lesion",))


def source(**fields: Any) -> SourceCard:
    plain = {"name": "s", "citation": "", "licence": "", "hu_known": True}
    return SourceCard(**(plain | {"patient_ids": "known", "group_by": "patient"} | fields))


NODULES = source(mask_classes=("nodule",), box_classes=("nodule",))
COVID = source(mask_classes=("lung", "infection"))


def mask(*blocks: tuple[int, int, int, int]) -> np.ndarray:
    """Rectangles ``x0 y0 x1 y1`` on a 16 x 16 canvas."""
    pixels = np.zeros((16, 16), dtype=bool)
    for x0, y0, x1, y1 in blocks:
        pixels[y0:y1, x0:x1] = True
    return pixels


def labels(**fields: Any) -> RowLabels:
    return RowLabels(canvas=(16, 16), **fields)


def box(*xyxy: float, label: str = "nodule") -> BoxEntry:
    x0, y0, x1, y1 = map(float, xyxy)
    return BoxEntry(label=label, xyxy=(x0, y0, x1, y1))


def test_a_row_without_labels_teaches_reconstruction_alone() -> None:
    targets = resolve_targets(labels(), NODULES, SPACE, RULES).targets
    assert (targets.label, targets.masks, targets.boxes) == (None, None, None)
    assert targets.reconstruct


def test_each_part_of_a_mask_gives_a_half_open_box_and_its_own_pixels() -> None:
    row = labels(masks={"infection": mask((1, 2, 4, 5), (9, 9, 12, 15))})
    found = resolve_targets(row, COVID, SPACE, RULES)
    assert found.targets.boxes is not None
    boxes = found.targets.boxes.boxes
    assert boxes.xyxy.tolist() == [[1, 2, 4, 5], [9, 9, 12, 15]]
    assert boxes.labels.tolist() == [1, 1]
    assert boxes.masks is not None
    assert np.array_equal(boxes.masks[1], mask((9, 9, 12, 15)))
    assert found.boxes == (None, Origin.DERIVED)
    assert found.derived.all()


def test_boxes_that_are_not_complete_are_lesions_and_leave_the_rest_open() -> None:
    partial = source(box_classes=("nodule",), boxes_complete=False)
    found = resolve_targets(labels(boxes=(box(1, 1, 4, 4),)), partial, SPACE, RULES).targets
    assert found.boxes is not None
    assert found.boxes.boxes.xyxy.tolist() == [[1, 1, 4, 4]]
    assert not found.boxes.annotated.any()
    assert resolve_targets(labels(boxes=()), partial, SPACE, RULES).targets.boxes is None


def test_parts_that_touch_by_a_corner_are_one_lesion() -> None:
    assert len(lesion_parts(mask((1, 1, 3, 3), (3, 3, 5, 5)))) == 1
    assert len(lesion_parts(mask((1, 1, 3, 3), (4, 4, 5, 5)))) == 2


def test_parts_below_the_least_area_give_no_box() -> None:
    parts = lesion_parts(mask((1, 1, 2, 2), (5, 5, 7, 7)), min_area_px=4.0)
    assert tight_boxes(parts).tolist() == [[5, 5, 7, 7]]


def test_an_empty_mask_gives_a_looked_at_negative_for_its_class_only() -> None:
    targets = resolve_targets(labels(masks={"infection": mask()}), COVID, SPACE, RULES).targets
    assert targets.masks is not None
    assert targets.boxes is not None
    assert targets.masks.annotated.tolist() == [False, True, False]
    assert targets.boxes.annotated.tolist() == [False, True]
    assert len(targets.boxes.boxes) == 0


def test_a_lung_mask_alone_says_nothing_about_boxes() -> None:
    targets = resolve_targets(labels(masks={"lung": mask((0, 0, 9, 9))}), COVID, SPACE, RULES)
    assert targets.targets.boxes is None


def test_no_box_is_derived_when_the_recipe_forbids_it() -> None:
    row = labels(masks={"infection": mask((1, 1, 4, 4))})
    forbidding = Rules(derive_boxes=False, lesions=RULES.lesions)
    assert resolve_targets(row, COVID, SPACE, forbidding).targets.boxes is None


def test_measured_boxes_win_over_derived_ones_of_the_same_class() -> None:
    row = labels(
        masks={"nodule": mask((1, 1, 4, 4), (9, 9, 12, 12))}, boxes=(box(0.5, 0.5, 4.5, 4.5),)
    )
    found = resolve_targets(row, NODULES, SPACE, RULES)
    assert found.targets.boxes is not None
    assert found.targets.boxes.boxes.xyxy.tolist() == [[0.5, 0.5, 4.5, 4.5]]
    assert found.boxes == (Origin.MEASURED, None)
    assert not found.derived.any()


def test_a_measured_box_takes_the_pixels_of_its_class_inside_it() -> None:
    row = labels(masks={"nodule": mask((1, 1, 4, 4), (9, 9, 12, 12))}, boxes=(box(1, 1, 5, 4),))
    boxes = resolve_targets(row, NODULES, SPACE, RULES).targets.boxes
    assert boxes is not None
    assert boxes.boxes.masks is not None
    assert np.array_equal(boxes.boxes.masks[0], mask((1, 1, 4, 4)))


@pytest.mark.parametrize("drawn", [(12, 12, 15, 15), (1, 1, 2, 2)])
def test_a_box_whose_pixels_do_not_fit_it_has_no_instance_mask(drawn: Any) -> None:
    row = labels(masks={"nodule": mask(drawn)}, boxes=(box(1, 1, 8, 8),))
    boxes = resolve_targets(row, NODULES, SPACE, RULES).targets.boxes
    assert boxes is not None
    assert boxes.boxes.masks is None


def test_boxes_alone_have_no_instance_masks_and_no_class_mask() -> None:
    targets = resolve_targets(labels(boxes=(box(1, 1, 3, 3),)), NODULES, SPACE, RULES).targets
    assert targets.masks is None
    assert targets.boxes is not None
    assert targets.boxes.boxes.masks is None


def test_a_normal_slice_is_free_of_lesions_where_the_card_says_so() -> None:
    card = source(normal_class="normal", normal_means_lesion_free=True)
    found = resolve_targets(labels(label=frozenset({"normal"})), card, SPACE, RULES)
    assert found.masks == (None, Origin.IMPLIED, Origin.IMPLIED)
    assert found.boxes == (Origin.IMPLIED, Origin.IMPLIED)
    assert found.targets.masks is not None
    assert not found.targets.masks.pixels.any()


@pytest.mark.parametrize(
    ("lesion_free", "classes"),
    [(False, {"normal"}), (True, {"covid"}), (True, {"normal", "covid"})],
)
def test_nothing_else_implies_an_absence(lesion_free: bool, classes: set[str]) -> None:
    card = source(normal_class="normal", normal_means_lesion_free=lesion_free)
    found = resolve_targets(labels(label=frozenset(classes)), card, SPACE, RULES)
    assert (found.targets.masks, found.targets.boxes) == (None, None)


def test_a_lesion_on_a_lesion_free_slice_is_refused() -> None:
    card = source(
        normal_class="normal", normal_means_lesion_free=True, mask_classes=("nodule", "lung")
    )
    row = labels(label=frozenset({"normal"}), masks={"nodule": mask((1, 1, 3, 3))})
    with pytest.raises(LabelError, match=r"E_LABEL_CONFLICT.*nodule"):
        resolve_targets(row, card, SPACE, RULES)
    lung = labels(label=frozenset({"normal"}), masks={"lung": mask((1, 1, 9, 9))})
    assert resolve_targets(lung, card, SPACE, RULES).masks[0] is Origin.MEASURED


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"covid"}, [False, True, False, False]),
        ({"normal", "cancer"}, [True, False, False, True]),
        ({"normal", "cancer", "fracture"}, [True, False, False, True]),
        ({"fracture"}, None),
        ({"covid", "fracture"}, None),  # leaving out fracture does not make it covid
        ({"normal", "covid", "pneumonia", "cancer"}, None),
    ],
)
def test_candidates_are_restricted_but_never_made_certain(
    names: set[str], expected: list[bool] | None
) -> None:
    label = resolve_targets(labels(label=frozenset(names)), COVID, SPACE, RULES).targets.label
    assert (None if label is None else label.tolist()) == expected


def test_classes_outside_the_recipe_are_ignored() -> None:
    row = labels(masks={"lung": mask((0, 0, 8, 8)), "infection": mask((1, 1, 3, 3))})
    targets = resolve_targets(row, COVID, LabelSpace(mask_classes=("lung",)), RULES).targets
    assert targets.masks is not None
    assert targets.masks.pixels.shape == (1, 16, 16)
    assert targets.boxes is None


def test_a_merged_class_takes_the_pixels_of_all_its_members() -> None:
    both = source(mask_classes=("nodule", "infection"))
    row = labels(masks={"nodule": mask((1, 1, 3, 3)), "infection": mask((8, 8, 12, 12))})
    targets = resolve_targets(row, both, LESION_SPACE, MERGED).targets
    assert targets.masks is not None
    assert np.array_equal(targets.masks.pixels[0], mask((1, 1, 3, 3), (8, 8, 12, 12)))
    assert targets.boxes is not None
    assert len(targets.boxes.boxes) == 2


def test_a_merged_class_is_unknown_while_a_member_the_source_shows_is() -> None:
    both = source(mask_classes=("nodule", "infection"))
    row = labels(masks={"nodule": mask((1, 1, 3, 3))})
    found = resolve_targets(row, both, LESION_SPACE, MERGED)
    assert (found.targets.masks, found.targets.boxes) == (None, None)


def test_a_merged_class_is_known_where_the_source_shows_one_member_only() -> None:
    row = labels(boxes=(box(1, 1, 3, 3),), masks={"nodule": mask((1, 1, 3, 3))})
    found = resolve_targets(row, NODULES, LESION_SPACE, MERGED)
    assert (found.masks, found.boxes) == ((Origin.MEASURED,), (Origin.MEASURED,))


def test_merged_image_classes_share_a_channel() -> None:
    rules = Rules(merge={"inflamed": ("covid", "pneumonia")})
    space = LabelSpace(classes=("normal", "inflamed"))
    row = labels(label=frozenset({"covid", "pneumonia"}))
    label = resolve_targets(row, COVID, space, rules).targets.label
    assert label is not None
    assert label.tolist() == [False, True]


def test_a_class_cannot_be_asked_for_beside_the_merge_that_swallows_it() -> None:
    with pytest.raises(RecipeError, match=r"E_MERGE_OVERLAP.*nodule"):
        check_merge({"lesion": ("nodule",)}, SPACE)


def test_a_box_outside_its_slice_is_refused() -> None:
    with pytest.raises(LabelError, match="E_BOX_OUTSIDE"):
        resolve_targets(labels(boxes=(box(10, 10, 17, 12),)), NODULES, SPACE, RULES)
