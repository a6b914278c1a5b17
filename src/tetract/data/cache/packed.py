"""Samples made small, to keep a whole data set in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float16, Float32, UInt8

from tetract.types import Targets
from tetract.types.batch import Identity, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedSample:
    """A sample at 2 bytes per image pixel and 1 bit per mask pixel.

    Attributes:
        image: (C, H, W) float16; rounding changes [0, 1] by at most 1/4096, a twelfth of a grey
            level of an 8-bit picture.
        targets: Without pixels of masks and instance masks.
        masks: (K, bytes) the class masks' bits, or None.
        lesions: (N, bytes) the instance masks' bits, or None.
        identity: As in the sample.
    """

    image: Float16[np.ndarray, "C H W"]
    targets: Targets
    masks: UInt8[np.ndarray, "K bytes"] | None
    lesions: UInt8[np.ndarray, "N lesion_bytes"] | None
    identity: Identity


def pack(sample: Sample) -> PackedSample:
    """The sample made small."""
    masks, boxes = sample.targets.masks, sample.targets.boxes
    bits = lesion_bits = None
    if masks is not None:
        bits = _bits(masks.pixels)
        masks = replace(masks, pixels=_nothing(masks.pixels))
    if boxes is not None and boxes.boxes.masks is not None:
        lesion_bits = _bits(boxes.boxes.masks)
        boxes = replace(boxes, boxes=replace(boxes.boxes, masks=None))
    return PackedSample(
        image=sample.image.astype(np.float16),
        targets=replace(sample.targets, masks=masks, boxes=boxes),
        masks=bits,
        lesions=lesion_bits,
        identity=sample.identity,
    )


def unpack(packed: PackedSample) -> Sample:
    """The sample again; arrays are fresh, so a caller may change them."""
    masks, boxes = packed.targets.masks, packed.targets.boxes
    height, width = packed.image.shape[-2:]
    if masks is not None and packed.masks is not None:
        masks = replace(masks, pixels=_pixels(packed.masks, (height, width)))
    if boxes is not None:
        lesions = None if packed.lesions is None else _pixels(packed.lesions, (height, width))
        xyxy, labels = boxes.boxes.xyxy.copy(), boxes.boxes.labels.copy()
        whole = replace(boxes.boxes, xyxy=xyxy, labels=labels, masks=lesions)
        boxes = replace(boxes, boxes=whole)
    return Sample(
        image=_widened(packed.image),
        targets=replace(packed.targets, masks=masks, boxes=boxes),
        identity=packed.identity,
    )


def _widened(image: Float16[np.ndarray, "C H W"]) -> Float32[np.ndarray, "C H W"]:
    # By torch, in a tenth of numpy's time; it takes no view of a read-only file.
    return torch.from_numpy(np.require(image, requirements="W")).float().numpy()


def _nothing(pixels: Bool[np.ndarray, "K H W"]) -> Bool[np.ndarray, "K 0 0"]:
    return np.zeros((len(pixels), 0, 0), dtype=bool)


def _bits(pixels: Bool[np.ndarray, "K H W"]) -> UInt8[np.ndarray, "K bytes"]:
    count, height, width = pixels.shape
    return np.packbits(pixels.reshape(count, height * width), axis=1)


def _pixels(
    bits: UInt8[np.ndarray, "K bytes"], shape: tuple[int, int]
) -> Bool[np.ndarray, "K H W"]:
    flat = np.unpackbits(bits, axis=1, count=shape[0] * shape[1])
    return flat.view(bool).reshape(len(bits), *shape)
