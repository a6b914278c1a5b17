"""How well anchors fit lesions, and the search for ones that do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from makers import make_batch, make_network
from tetract.tasks.detection import DetectionConfig
from tetract.tasks.detection.anchor_fit import (
    SeenBoxes,
    best_iou,
    count_anchors,
    fit_table,
    grids_of,
)
from tetract.tasks.detection.anchor_search import search_anchors
from tetract.types import Task

GIVEN = DetectionConfig.model_validate(
    {
        "anchors": [
            {"stride": 2, "sizes": [3, 5], "ratios": [0.7, 1.4]},
            {"stride": 8, "sizes": [10, 17], "ratios": [0.5, 2]},
        ]
    }
)


def lesions(
    count: int, side_px: tuple[float, float], *, image_px: int = 128, seed: int = 0
) -> np.ndarray:
    """Boxes of random place and shape."""
    rng = np.random.default_rng(seed)
    side = np.exp(rng.uniform(*np.log(side_px), count))
    ratio = np.exp(rng.uniform(-0.3, 0.3, count))
    sides = np.stack([side / np.sqrt(ratio), side * np.sqrt(ratio)], axis=1)
    first = rng.uniform(0, 1, (count, 2)) * (image_px - sides)
    return np.concatenate([first, first + sides], axis=1).astype(np.float32)


def seen(*groups: np.ndarray, image_px: int = 128) -> SeenBoxes:
    labels = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    names = tuple(f"class {index}" for index in range(len(groups)))
    return SeenBoxes(xyxy=np.concatenate(groups), labels=labels, names=names, image_px=image_px)


def planned(boxes: SeenBoxes) -> DetectionConfig:
    return DetectionConfig(anchors=search_anchors(boxes).levels)


@pytest.mark.parametrize(
    "config", [DetectionConfig(), DetectionConfig(finest_stride=2), GIVEN], ids=str
)
def test_the_best_iou_is_that_of_the_anchors_a_network_has(config: DetectionConfig) -> None:
    boxes = seen(lesions(60, (2, 60), image_px=64), image_px=64)
    network = make_network(Task.DETECTION, detection=config.model_copy(update={"width": 16}))
    anchors = network(make_batch(1).image).detection.anchors[0]
    expected = box_iou(torch.from_numpy(boxes.xyxy), anchors).max(dim=1).values
    np.testing.assert_allclose(best_iou(boxes, grids_of(config)), expected.numpy(), atol=1e-5)
    assert count_anchors(grids_of(config), 64) == len(anchors)


def test_planned_anchors_reach_what_is_wanted_with_fewer_anchors() -> None:
    boxes = seen(lesions(200, (6, 40)))
    found = search_anchors(boxes)
    before = fit_table(boxes, DetectionConfig(finest_stride=2))
    after = fit_table(boxes, DetectionConfig(anchors=found.levels))
    assert found.reached
    assert after.groups[0].p10 >= 0.5
    assert not after.unseen
    assert after.anchors < before.anchors / 2


def test_the_same_boxes_give_the_same_anchors() -> None:
    boxes = lesions(80, (4, 40))
    shuffled = boxes[np.random.default_rng(1).permutation(len(boxes))]
    assert search_anchors(seen(boxes)).levels == search_anchors(seen(shuffled)).levels


def test_small_lesions_ask_for_stride_2_and_large_ones_do_not() -> None:
    small, large = (planned(seen(lesions(60, side))).levels() for side in ((4, 8), (24, 60)))
    assert small[0].stride == 2
    assert large[0].stride >= 4


def test_a_class_of_few_small_lesions_is_not_outvoted() -> None:
    boxes = seen(lesions(300, (20, 50)), lesions(20, (4, 6), seed=1))
    alone = fit_table(boxes, planned(seen(lesions(300, (20, 50)))))
    both = fit_table(boxes, planned(boxes))
    assert [fit.name for fit in both.groups] == ["all", "class 0", "class 1"]
    assert alone.groups[2].p10 < 0.5
    assert both.groups[2].p10 >= 0.5


def test_lesions_below_the_grid_are_said_to_be_out_of_reach() -> None:
    boxes = seen(lesions(60, (1.0, 1.8)))
    found = search_anchors(boxes)
    assert not found.reached
    assert fit_table(boxes, DetectionConfig(anchors=found.levels)).unseen
    assert search_anchors(boxes.enlarged(4)).reachable["all"] > found.reachable["all"] + 0.2


def test_very_many_boxes_are_thinned_and_still_fit() -> None:
    boxes = seen(lesions(5000, (6, 40)))
    assert fit_table(boxes, planned(boxes)).groups[0].p10 > 0.49


def test_long_lesions_get_long_anchors() -> None:
    boxes = lesions(60, (10, 30))
    boxes[:, 3] = np.minimum(boxes[:, 1] + 2.5 * (boxes[:, 3] - boxes[:, 1]), 128)
    ratios = planned(seen(boxes)).levels()[0].ratios
    assert np.median(ratios) > 1.5


def test_sizes_are_told_apart() -> None:
    boxes = seen(np.array([[0, 0, 3, 3], [8, 8, 20, 20], [0, 0, 100, 100]], dtype=np.float32))
    table = fit_table(boxes, DetectionConfig(finest_stride=2))
    assert [(fit.name, fit.boxes) for fit in table.sizes] == [
        ("below 4 px", 1),
        ("8 to 16 px", 1),
        ("64 px and more", 1),
    ]


def test_rounding_makes_one_shape_of_three_small_anchors() -> None:
    """Why fitted anchors are not rounded, and scaled ones on stride 2 do worse than they look."""
    _, shapes = grids_of(DetectionConfig(finest_stride=2))[0]
    assert len({tuple(shape) for shape in shapes.tolist()}) == 4  # of 6
