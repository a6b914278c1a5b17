"""A prepared slice as bytes: checked before a single number of it is believed.

::

    8 bytes  magic
    4 bytes  CRC-32 of all that follows
    4 bytes  length of the head
    head     JSON: key, facts, and for each array its type, shape and offset
    arrays   each at a multiple of 64 bytes
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Shaped

from tetract.data.cache.packed import PackedSample
from tetract.data.label_algebra import Origin
from tetract.types import Boxes, BoxTarget, MaskTarget, Targets
from tetract.types.batch import Identity

Buffer = memoryview | bytes
Arrays = dict[str, Shaped[np.ndarray, "..."]]

_MAGIC = b"TCTSLC1\n"
_FIXED = struct.Struct("<8sII")
_ALIGN = 64
_TYPES = ("bool", "uint8", "int64", "float16", "float32")
_LARGE = ("image", "mask_bits", "lesion_bits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Where each label of a slice comes from; the fields of ``Resolved``."""

    label: Origin | None
    masks: tuple[Origin | None, ...]
    boxes: tuple[Origin | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A slice ready for augmentation, and where its labels come from."""

    packed: PackedSample
    origins: Origins


def encode(key: str, prepared: Prepared) -> bytes:
    """The slice as bytes, without its row, patient and source: those are not the pixels' matter."""
    packed, targets = prepared.packed, prepared.packed.targets
    arrays: Arrays = {"image": packed.image}
    if packed.masks is not None:
        arrays["mask_bits"] = packed.masks
    if packed.lesions is not None:
        arrays["lesion_bits"] = packed.lesions
    if targets.label is not None:
        arrays["label"] = targets.label
    if targets.masks is not None:
        arrays["annotated"] = targets.masks.annotated
    if targets.boxes is not None:
        arrays["xyxy"] = targets.boxes.boxes.xyxy
        arrays["box_labels"] = targets.boxes.boxes.labels
        arrays["boxes_annotated"] = targets.boxes.annotated
    facts = {
        "slice_index": packed.identity.slice_index,
        "spacing_mm": packed.identity.spacing_mm,
        "frame_px": packed.identity.frame_px,
        "reconstruct": targets.reconstruct,
        "canvas": None if targets.boxes is None else targets.boxes.boxes.canvas,
        "origins": [prepared.origins.label, prepared.origins.masks, prepared.origins.boxes],
    }
    return _framed(key, facts, arrays)


def decode(
    key: str, content: Buffer, identity: Identity, *, verified: bool = False
) -> Prepared | None:
    """The slice behind ``key``, or None when these bytes are not all of it.

    The large arrays are views into ``content``, which must not change while they live.

    Args:
        key: What was asked for.
        content: What was found.
        identity: Row, patient and source of the slice; its place, spacing and frame are read.
        verified: Whether the checksum of these bytes was compared before.
    """
    try:
        if not verified:
            _check_sum(content)
        facts, arrays = _parsed(key, content)
        return _prepared(facts, arrays, identity)
    except (ValueError, KeyError, TypeError, IndexError, struct.error):
        return None


def _framed(key: str, facts: Mapping[str, object], arrays: Arrays) -> bytes:
    entries: dict[str, tuple[str, list[int], int]] = {}
    pieces: list[bytes] = []
    end = 0
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        entries[name] = (array.dtype.name, list(array.shape), end)
        padding = -len(raw) % _ALIGN
        pieces += [raw, b"\0" * padding]
        end += len(raw) + padding
    head = json.dumps({"key": key, "facts": facts, "arrays": entries}, sort_keys=True).encode()
    head += b" " * (-(len(head) + _FIXED.size) % _ALIGN)
    length = len(head).to_bytes(4, "little")
    body = b"".join([length, head, *pieces])
    return _MAGIC + zlib.crc32(body).to_bytes(4, "little") + body


def _check_sum(content: Buffer) -> None:
    if zlib.crc32(memoryview(content)[12:]) != int.from_bytes(content[8:12], "little"):
        raise ValueError("not a whole entry")


def _parsed(key: str, content: Buffer) -> tuple[dict[str, Any], Arrays]:
    magic, _, length = _FIXED.unpack_from(content)
    view = memoryview(content)
    start = _FIXED.size + length
    if magic != _MAGIC or start > len(view):
        raise ValueError("not an entry")
    head = json.loads(str(view[_FIXED.size : start], "utf-8"))
    if head["key"] != key:
        raise ValueError("another entry")
    arrays: Arrays = {}
    for name, (kind, shape, offset) in head["arrays"].items():
        if kind not in _TYPES:
            raise ValueError("unknown type")
        count = math.prod(shape)
        found = np.frombuffer(view, dtype=kind, count=count, offset=start + offset).reshape(shape)
        # Small ones are handed on as they are, and whoever gets them may change them.
        arrays[name] = found if name in _LARGE else found.copy()
    return head["facts"], arrays


def _prepared(facts: dict[str, Any], arrays: Arrays, identity: Identity) -> Prepared:
    spacing, frame = facts["spacing_mm"], facts["frame_px"]
    label, masks, boxes = facts["origins"]
    return Prepared(
        packed=PackedSample(
            image=arrays["image"],
            targets=_targets(facts, arrays),
            masks=arrays.get("mask_bits"),
            lesions=arrays.get("lesion_bits"),
            identity=replace(
                identity,
                slice_index=facts["slice_index"],
                spacing_mm=None if spacing is None else (spacing[0], spacing[1]),
                frame_px=None if frame is None else (frame[0], frame[1], frame[2], frame[3]),
            ),
        ),
        origins=Origins(
            label=_origin(label),
            masks=tuple(_origin(name) for name in masks),
            boxes=tuple(_origin(name) for name in boxes),
        ),
    )


def _targets(facts: dict[str, Any], arrays: Arrays) -> Targets:
    masks = boxes = None
    if "annotated" in arrays:
        annotated = arrays["annotated"]
        masks = MaskTarget(pixels=np.zeros((len(annotated), 0, 0), dtype=bool), annotated=annotated)
    if "xyxy" in arrays:
        height, width = facts["canvas"]
        found = Boxes(
            xyxy=arrays["xyxy"], labels=arrays["box_labels"], masks=None, canvas=(height, width)
        )
        boxes = BoxTarget(boxes=found, annotated=arrays["boxes_annotated"])
    return Targets(
        label=arrays.get("label"), masks=masks, boxes=boxes, reconstruct=facts["reconstruct"]
    )


def _origin(name: str | None) -> Origin | None:
    return None if name is None else Origin(name)
