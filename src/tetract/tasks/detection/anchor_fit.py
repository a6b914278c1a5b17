"""How well anchors can overlap the lesions of a data set, before anything is learnt.

An anchor is learnt from where it overlaps a lesion enough; a lesion that no anchor overlaps is
hardly ever proposed. Both follow from sizes and positions alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Float32, Int64

from tetract.tasks.detection.anchors import build_anchors
from tetract.tasks.detection.config import DetectionConfig

WANTED_IOU = 0.5  # of the best anchor, for nine lesions of ten
FEWEST = 10  # boxes of a class below which its tenth percentile says nothing
SIZE_EDGES_PX = (4, 8, 16, 32, 64)

Grid = tuple[int, Float[np.ndarray, "A 2"]]
"""Stride in px, and (width, height) in px of each anchor of a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenBoxes:
    """Lesion boxes as the network sees them.

    Attributes:
        xyxy: (N, 4) px on the network's square image, half-open.
        labels: (N,) index into ``names``.
        names: Lesion classes.
        image_px: Side of the image.
    """

    xyxy: Float32[np.ndarray, "N 4"]
    labels: Int64[np.ndarray, " N"]
    names: tuple[str, ...]
    image_px: int

    @property
    def sides_px(self) -> Float[np.ndarray, " N"]:
        """Square root of each box's area."""
        return np.sqrt(np.prod(self.xyxy[:, 2:] - self.xyxy[:, :2], axis=1))

    def enlarged(self, factor: int) -> SeenBoxes:
        """The same on an image ``factor`` times as large."""
        return SeenBoxes(
            xyxy=self.xyxy * np.float32(factor),
            labels=self.labels,
            names=self.names,
            image_px=self.image_px * factor,
        )

    def groups(self) -> dict[str, Int64[np.ndarray, " M"]]:
        """Boxes whose tenth percentile must be good: all, and each class with enough of them."""
        found = {"all": np.arange(len(self.xyxy))}
        for index, name in enumerate(self.names):
            mine = np.flatnonzero(self.labels == index)
            if FEWEST <= len(mine) < len(self.xyxy):
                found[name] = mine
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Best anchor IoU of some boxes.

    Attributes:
        name: Which boxes.
        boxes: Their number.
        quantiles: Tenth, 25th and 50th percentile; NaN where there is no box.
        missed: Share whose best IoU is below 0.5.
    """

    name: str
    boxes: int
    quantiles: tuple[float, float, float]
    missed: float

    @property
    def p10(self) -> float:
        """The tenth percentile."""
        return self.quantiles[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitTable:
    """What one set of anchors makes of a data set.

    Attributes:
        anchors: Anchors per slice.
        groups: All boxes, then each class that has enough.
        sizes: Boxes by side in px.
    """

    anchors: int
    groups: tuple[Fit, ...]
    sizes: tuple[Fit, ...]

    @property
    def unseen(self) -> tuple[Fit, ...]:
        """Groups whose tenth percentile is below ``WANTED_IOU``."""
        return tuple(fit for fit in self.groups if fit.p10 < WANTED_IOU)


def fit_table(boxes: SeenBoxes, config: DetectionConfig) -> FitTable:
    """What the anchors of ``config`` make of ``boxes``; there must be one box or more."""
    grids = grids_of(config)
    best = best_iou(boxes, grids)
    edges = (0, *SIZE_EDGES_PX, np.inf)
    names = [f"below {SIZE_EDGES_PX[0]} px"]
    names += [f"{low} to {high} px" for low, high in pairwise(SIZE_EDGES_PX)]
    names += [f"{SIZE_EDGES_PX[-1]} px and more"]
    sides = boxes.sides_px
    return FitTable(
        anchors=count_anchors(grids, boxes.image_px),
        groups=tuple(_fit(name, best[rows]) for name, rows in boxes.groups().items()),
        sizes=tuple(
            _fit(name, best[(sides >= low) & (sides < high)])
            for name, (low, high) in zip(names, pairwise(edges), strict=True)
            if ((sides >= low) & (sides < high)).any()
        ),
    )


def grids_of(config: DetectionConfig) -> tuple[Grid, ...]:
    """The anchors that a network with ``config`` has, rounding included."""
    corners = build_anchors(config).cell_anchors
    return tuple(
        (level.stride, (cell[:, 2:] - cell[:, :2]).double().numpy())
        for level, cell in zip(config.levels(), corners, strict=True)
    )


def count_anchors(grids: Iterable[Grid], image_px: int) -> int:
    """Anchors per slice."""
    return sum((image_px // stride) ** 2 * len(shapes) for stride, shapes in grids)


def best_iou(boxes: SeenBoxes, grids: Iterable[Grid]) -> Float[np.ndarray, " N"]:
    """IoU of each box with the anchor that overlaps it best."""
    return np.max([level_iou(boxes, stride, shapes) for stride, shapes in grids], axis=0)


def level_iou(
    boxes: SeenBoxes, stride: int, shapes: Float[np.ndarray, "A 2"]
) -> Float[np.ndarray, " N"]:
    """IoU of each box with the best anchor of one level.

    Anchors lie at the multiples of the stride, from 0 on. The nearest of a shape is its best:
    overlap along one axis falls with the distance along it, whatever the other does.
    """
    low, high = boxes.xyxy[:, :2].astype(np.float64), boxes.xyxy[:, 2:].astype(np.float64)
    last = boxes.image_px // stride - 1
    centre = np.minimum(np.rint((low + high) / (2 * stride)), last) * stride
    half = shapes[:, None] / 2
    overlap = np.minimum(high, centre + half) - np.maximum(low, centre - half)
    shared = np.maximum(overlap, 0).prod(axis=2)
    areas = (high - low).prod(axis=1) + shapes.prod(axis=1)[:, None]
    return (shared / (areas - shared)).max(axis=0)


def level_shapes(sizes: Sequence[float], ratios: Sequence[float]) -> Float[np.ndarray, "A 2"]:
    """(width, height) in px of every size with every ratio."""
    return np.array([(size / ratio**0.5, size * ratio**0.5) for ratio in ratios for size in sizes])


def _fit(name: str, best: Float[np.ndarray, " N"]) -> Fit:
    low, quarter, half = (float(value) for value in np.quantile(best, (0.1, 0.25, 0.5)))
    return Fit(
        name=name,
        boxes=len(best),
        quantiles=(low, quarter, half),
        missed=float((best < WANTED_IOU).mean()),
    )
