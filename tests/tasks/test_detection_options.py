"""Every switch of the detector builds, takes a step with partial labels, and predicts."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torchvision.models.detection import maskrcnn_resnet50_fpn
from torchvision.models.detection.anchor_utils import AnchorGenerator

from makers import full_batch, make_batch, make_boxes, make_network
from tetract.errors import RecipeError
from tetract.layers import group_norm
from tetract.model import Network
from tetract.tasks.detection import DetectionConfig
from tetract.tasks.detection.anchors import build_anchors
from tetract.tasks.detection.propose import draw_hard, match_adaptively
from tetract.tasks.detection.regions import enlarged
from tetract.types import Task
from tetract.types.batch import Batch, BoxRow

LIGHT: dict[str, Any] = {"width": 16, "box_hidden": 32, "finest_stride": 2}
LEVELS = [
    {"stride": 2, "sizes": [5, 7], "ratios": [1]},
    {"stride": 8, "sizes": [16, 24], "ratios": [1]},
]
SWITCHES: dict[str, dict[str, Any]] = {
    "thresholds": {"anchor_lesion_iou": 0.6, "anchor_background_iou": 0.4},
    "sampling": {"anchors_per_row": 16, "anchor_lesion_share": 0.5, "region_lesion_share": 0.5},
    "hard negatives": {"hard_negatives": 20},
    "adaptive matching": {"matching": "adaptive"},
    "focal": {"objectness": "focal"},
    "focal on adaptive": {"objectness": "focal", "matching": "adaptive"},
    "group norm": {"head_norm": "group", "box_convs": 2},
    "convolutions without norm": {"box_convs": 1, "mask_convs": 1},
    "no norm in the pyramid": {"pyramid_norm": "none"},
    "given anchors": {"anchors": LEVELS},
    "pooled level": {"pooled_level": True},
    "pooled level of given anchors": {"anchors": [*LEVELS, {**LEVELS[1], "stride": 64}]},
    "context beside": {"context": "concat", "context_scale": 3.0},
    "context averaged": {"context": "average"},
    "decoder as pyramid": {"pyramid": "decoder"},
    "decoder, given anchors": {"pyramid": "decoder", "anchors": LEVELS},
}
each = pytest.mark.parametrize("name", SWITCHES)


def detector(switch: dict[str, Any], *tasks: Task) -> Network:
    return make_network(
        *(tasks or (Task.SEGMENTATION, Task.DETECTION)), detection={**LIGHT, **switch}
    )


@cache
def shared(name: str) -> Network:
    """One network per switch, as building takes longer than a step."""
    return detector(SWITCHES[name])


def losses(network: Network, batch: Batch) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    network.zero_grad()
    found = network.train().losses(batch, torch.Generator().manual_seed(0))
    found.of(Task.DETECTION).backward()
    return dict(found.parts[Task.DETECTION])


def moved(module: torch.nn.Module) -> bool:
    return any(p.grad is not None and bool((p.grad != 0).any()) for p in module.parameters())


@each
def test_a_switch_learns_from_partial_labels_and_predicts(name: str) -> None:
    network = shared(name)
    parts = losses(network, full_batch())
    assert set(parts) == {"rpn_objectness", "rpn_box", "roi_class", "roi_box", "roi_mask"}
    assert all(bool(torch.isfinite(part)) for part in parts.values())
    head = network.heads["detection"]
    for part in ("propose", "regions", "mask_layers", "pyramid"):
        assert moved(head.get_submodule(part)), part
    found = network.eval().predict(full_batch().image).boxes
    assert len(found) == 4
    for one in found:
        assert bool(torch.isfinite(one.xyxy).all())
        assert one.masks.shape == (len(one.xyxy), 64, 64)


@each
def test_rows_with_boxes_alone_train_no_masks(name: str) -> None:
    row = make_boxes((8, 8, 24, 24), masks=False)
    parts = losses(shared(name), make_batch(boxes={0: row}))
    assert "roi_mask" not in parts
    assert float(parts["rpn_box"].detach()) > 0


@each
def test_empty_rows_train_as_negatives(name: str) -> None:
    network = shared(name)
    parts = losses(network, make_batch(boxes={0: make_boxes(masks=False)}))
    assert float(parts["rpn_objectness"].detach()) > 0
    assert float(parts["rpn_box"].detach()) == 0
    bias = network.heads["detection"].get_submodule("propose.head.cls_logits").bias.grad
    assert bool((bias >= 0).all())  # no anchor is pushed towards a lesion
    assert bool((bias > 0).any())


@pytest.mark.parametrize(
    "switch", [{"objectness": "focal"}, {"hard_negatives": 5}, {"matching": "adaptive"}]
)
def test_incomplete_boxes_teach_no_background(switch: dict[str, Any]) -> None:
    row = make_boxes((8, 8, 28, 28), masks=False)
    partial = BoxRow(
        xyxy=row.xyxy, labels=row.labels, masks=None, annotated=torch.tensor([False, False])
    )
    network = detector(switch)
    losses(network, make_batch(boxes={0: partial}))
    bias = network.heads["detection"].get_submodule("propose.head.cls_logits").bias.grad
    assert bool((bias <= 0).all())


def test_the_decoder_is_shared_with_the_masks_where_there_are_masks() -> None:
    batch = make_batch(boxes={0: make_boxes((8, 8, 24, 24), masks=False)})
    for switch, expected in (({"pyramid": "decoder"}, True), ({}, False)):
        network = detector(switch)
        losses(network, batch)
        assert moved(network.heads["segmentation"].get_submodule("decoder")) is expected
        assert not moved(network.heads["segmentation"].get_submodule("project"))
    alone = detector({"pyramid": "decoder"}, Task.DETECTION)
    assert "roi_box" in losses(alone, batch)
    assert not alone.spec.boxes_read_masks


def test_the_decoder_gives_the_same_boxes_alone_as_with_the_masks() -> None:
    network = make_network(detection={**LIGHT, "pyramid": "decoder"}).eval()
    image = make_batch().image
    together, alone = network.predict(image), network.predict(image, (Task.DETECTION,))
    assert alone.mask_probabilities is None
    for one, other in zip(together.boxes, alone.boxes, strict=True):
        assert torch.equal(one.xyxy, other.xyxy)


def test_as_paper_is_the_mask_r_cnn_of_torchvision() -> None:
    stock = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=3)
    ours = make_network(
        Task.DETECTION, side=256, encoder={"name": "resnet50"}, detection={"preset": "as_paper"}
    ).heads["detection"]

    def count(module: torch.nn.Module) -> int:
        return sum(p.numel() for p in module.parameters())

    assert count(ours.get_submodule("pyramid")) == count(stock.backbone.fpn)
    assert count(ours.get_submodule("propose")) == count(stock.rpn)
    assert count(ours.get_submodule("regions")) == count(
        torch.nn.ModuleList([stock.roi_heads.box_head, stock.roi_heads.box_predictor])
    )
    for theirs, mine in zip(
        stock.rpn.anchor_generator.cell_anchors,
        ours.get_submodule("propose.anchor_generator").cell_anchors,
        strict=True,
    ):
        assert torch.equal(theirs, mine)
    for name in ("proposal_matcher", "fg_bg_sampler"):
        assert vars(getattr(stock.rpn, name)) == vars(getattr(ours.propose, name))
        assert vars(getattr(stock.roi_heads, name)) == vars(getattr(ours.regions, name))
    assert stock.rpn._post_nms_top_n == ours.propose._post_nms_top_n


def test_a_preset_gives_way_to_what_is_said_and_survives_saving() -> None:
    config = DetectionConfig.model_validate({"preset": "as_paper", "width": 64})
    assert (config.width, config.box_hidden) == (64, 1024)
    assert DetectionConfig.model_validate_json(config.model_dump_json()) == config


def test_anchors_have_the_sides_that_were_asked_for() -> None:
    given = DetectionConfig.model_validate(
        {"anchors": [{"stride": 2, "sizes": [3.0, 5.0], "ratios": [0.5, 2.0]}]}
    )
    corners = build_anchors(given).cell_anchors[0]
    sides = corners[:, 2:] - corners[:, :2]
    torch.testing.assert_close(sides.prod(dim=1).sqrt(), torch.tensor([3.0, 5.0, 3.0, 5.0]))
    torch.testing.assert_close(sides[:, 1] / sides[:, 0], torch.tensor([0.5, 0.5, 2.0, 2.0]))


def test_scaled_anchors_stay_what_older_models_were_trained_with() -> None:
    config = DetectionConfig(finest_stride=2)
    stock = AnchorGenerator(
        tuple((2.0 * s, 3.0 * s) for s in (2, 4, 8, 16, 32)), ((0.7, 1.0, 1.4),) * 5
    )
    for one, other in zip(build_anchors(config).cell_anchors, stock.cell_anchors, strict=True):
        assert torch.equal(one, other)


def test_anchors_that_were_not_planned_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"E_ANCHORS_NOT_PLANNED detection\.anchors.*plan"):
        detector({"anchors": "auto"})


@pytest.mark.parametrize(
    ("switch", "said"),
    [
        ({"anchors": []}, "one level or more"),
        ({"anchors": [LEVELS[1], LEVELS[0]]}, "finest first"),
        ({"anchors": [LEVELS[0], {"stride": 4, "sizes": [8]}]}, "as many sizes"),
        ({"anchors": [{"stride": 3, "sizes": [8]}]}, "stride"),
        ({"anchors": "best"}, "scaled"),
        ({"finest_stride": 3}, "finest_stride"),
        ({"anchor_lesion_iou": 0.2}, "anchor_background_iou"),
        ({"context_scale": 1.0}, "context_scale"),
        ({"anchor_scales": []}, "anchor_scales"),
        ({"matching": "atss"}, "adaptive"),
    ],
)
def test_an_impossible_setting_is_refused(switch: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DetectionConfig.model_validate(switch)


def test_a_description_of_an_earlier_version_is_understood() -> None:
    old = {
        "width": 48,
        "box_hidden": 256,
        "finest_stride": 2,
        "anchor_scales": [2.0, 3.0],
        "anchor_ratios": [0.7, 1.0, 1.4],
        "anchors_per_row": 64,
        "regions_per_row": 32,
        "proposals": 100,
        "smallest_score": 0.05,
        "largest_overlap": 0.3,
        "detections": 20,
    }
    assert DetectionConfig.model_validate(old) == DetectionConfig(width=48, finest_stride=2)
    names = detector({}).heads["detection"].state_dict()
    assert {
        "pyramid.network.inner_blocks.0.0.weight",
        "propose.head.conv.0.0.weight",
        "regions.box_head.fc7.weight",
        "mask_layers.1.0.weight",
    } <= set(names)


def test_adaptive_matching_by_hand() -> None:
    """Six cells in a row: of the four nearest, those above mean plus one deviation count."""
    centres = torch.arange(6) * 4.0
    anchors = torch.stack([centres - 4, -torch.full((6,), 4.0), centres + 4, torch.full((6,), 4.0)])
    row = make_boxes(masks=False)
    box = torch.tensor([[5.0, -4.0, 13.0, 4.0]])  # centre 9: overlaps 3/13, 7/9, 5/11, 1/15
    row = BoxRow(xyxy=box, labels=torch.tensor([0]), masks=None, annotated=row.annotated)
    labels, matched = match_adaptively([anchors.T], [6], [row], per_cell=1)
    assert labels[0].tolist() == [0, 0, 1, 0, 0, 0]
    assert torch.equal(matched[0][2], box[0])


def test_hard_negatives_are_the_best_scored_ones() -> None:
    config = DetectionConfig(anchors_per_row=4, anchor_lesion_share=0.5, hard_negatives=1)
    labels = torch.tensor([1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0])
    scores = torch.tensor([0.0, 5.0, 1.0, 9.0, 4.0, 3.0, 2.0])
    lesions, others = draw_hard([labels], [scores], config)
    assert lesions.tolist() == [0]
    assert sorted(others.tolist()) == [1, 4, 5]


def test_context_grows_about_the_centre() -> None:
    box = torch.tensor([[10.0, 20.0, 14.0, 30.0]])
    assert enlarged(box, 2.0).tolist() == [[8.0, 15.0, 16.0, 35.0]]


def test_group_norm_stands_in_every_convolution_of_the_heads() -> None:
    plain = detector({"head_norm": "none", "box_convs": 1}).heads["detection"]
    normed = detector({"head_norm": "group", "box_convs": 1}).heads["detection"]
    kind = type(group_norm(16))

    def count(head: torch.nn.Module, name: str) -> int:
        return sum(isinstance(m, kind) for m in head.get_submodule(name).modules())

    for name, expected in (("propose", 1), ("regions", 1), ("mask_layers", 2)):
        assert (count(plain, name), count(normed, name)) == (0, expected)
