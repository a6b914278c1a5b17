"""One map per question, on the model's grid: which pixels speak for a class, a box, for oddness.

Grad-CAM: Selvaraju et al. 2017 (arXiv 1610.02391). Our classifier pools several maps, so there is
no one last layer: each map that it reads gets its Grad-CAM, spread over the image so that its sum
is what the map contributes to the logit, and they are added before the ReLU.
"""

from __future__ import annotations

from typing import Final, cast

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from tetract.model import Network
from tetract.tasks.detection import DetectionHead, DetectionOutput
from tetract.tasks.reconstruction.complementary import draw_turns, infer_unseen
from tetract.tasks.segmentation import SegmentationHead
from tetract.types import Task
from tetract.types.batch import Features

SEED: Final = 0


def map_names(network: Network) -> tuple[str, ...]:
    """The maps that this network has: by class, then boxes, then hidden patches."""
    names: list[str] = []
    if Task.CLASSIFICATION in network.tasks:
        names += [f"class-{name}" for name in network.label_space.classes]
    if Task.DETECTION in network.tasks:
        names.append("objectness")
    if Task.RECONSTRUCTION in network.tasks and network.spec.reconstruction.mode == "masked":
        names.append("hidden-residual")
    return tuple(names)


def draw_maps(
    network: Network, image: Float[Tensor, "B C H W"]
) -> dict[str, Float[Tensor, "B H W"]]:
    """All maps of ``map_names``, 0 and above, of a network in evaluation mode."""
    found: dict[str, Tensor] = {}
    if Task.CLASSIFICATION in network.tasks:
        cams = class_maps(network, image)
        names = network.label_space.classes
        found |= {f"class-{name}": cams[:, k] for k, name in enumerate(names)}
    if Task.DETECTION in network.tasks:
        found["objectness"] = objectness_map(network, image)
    if Task.RECONSTRUCTION in network.tasks and network.spec.reconstruction.mode == "masked":
        found["hidden-residual"] = hidden_residual(network, image)
    return found


def class_maps(network: Network, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K H W"]:
    """(B, K, H, W) what each pixel adds to each class's logit, to first order; negative cut off."""
    with torch.no_grad():
        features = _read_by_class(network, image)
    maps = tuple(m.detach().requires_grad_(True) for m in features.maps)
    with torch.enable_grad():
        head = network.heads[Task.CLASSIFICATION.value]
        logits = head(Features(maps=maps, strides=features.strides)).logits
        cams = [grad_cam(maps, logits[:, k].sum(), image) for k in range(logits.shape[1])]
    return torch.stack(cams, dim=1)


def objectness_map(network: Network, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B H W"]:
    """(B, H, W) greatest probability of a lesion's anchor there, over anchors and levels."""
    with torch.no_grad():
        output = cast("DetectionOutput", network(image, (Task.DETECTION,)).detection)
    head = cast("DetectionHead", network.heads[Task.DETECTION.value])
    by_stride = dict(zip(output.pyramid.strides, output.pyramid.maps, strict=True))
    scores = output.objectness.view(len(image), -1).sigmoid().split(list(output.per_level), dim=1)
    heat = torch.zeros(len(image), 1, *image.shape[-2:])
    for level, own in zip(head.config.levels(), scores, strict=True):
        height, width = by_stride[level.stride].shape[-2:]
        best = own.view(len(image), height, width, -1).amax(dim=3)[:, None]
        heat = torch.maximum(heat, functional.interpolate(best.cpu(), size=image.shape[-2:]))
    return heat[:, 0]


def hidden_residual(network: Network, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B H W"]:
    """(B, H, W) how far each pixel lies from what was inferred while it was hidden."""
    config = network.spec.reconstruction
    turns = draw_turns(
        (image.shape[2], image.shape[3]),
        patch_px=config.patch_px,
        fraction=config.hidden_fraction,
        generator=torch.Generator().manual_seed(SEED),
    )

    def reconstruct(shown: Tensor) -> Tensor:
        said = network.predict(shown, (Task.RECONSTRUCTION,))
        return cast("Tensor", said.reconstruction)

    middle = image.shape[1] // 2  # the slice itself, its neighbours to either side
    return (infer_unseen(reconstruct, image, turns)[:, 0] - image[:, middle]).abs()


def grad_cam(
    maps: tuple[Tensor, ...], logit: Tensor, image: Float[Tensor, "B C H W"]
) -> Float[Tensor, "B H W"]:
    """(B, H, W) what ``maps`` add to ``logit``, and where; negative cut off."""
    pulls = torch.autograd.grad(logit, maps, retain_graph=True)
    total = torch.zeros_like(image[:, :1])
    for one, pull in zip(maps, pulls, strict=True):
        cam = (pull.mean(dim=(2, 3), keepdim=True) * one).sum(dim=1, keepdim=True).detach()
        share = (cam.shape[2] * cam.shape[3]) / (image.shape[2] * image.shape[3])
        total += share * functional.interpolate(
            cam.cpu(), size=image.shape[-2:], mode="bilinear", align_corners=False
        )
    return total[:, 0].clamp(min=0)


def _read_by_class(network: Network, image: Float[Tensor, "B C H W"]) -> Features:
    """The maps that the classifier pools, as in ``Network``."""
    features = cast("Features", network.encoder(image))
    if not network.spec.class_reads_masks:
        return features
    masks = cast("SegmentationHead", network.heads[Task.SEGMENTATION.value])
    return features.with_finest(masks.steps(features).maps[0])
