"""The fewest anchors that overlap the lesions of a data set well enough.

Every combination of a finest and a coarsest level, one to three sizes per level and one to three
ratios is tried: some thousand, all against the same boxes, so the answer is the same each time.
nnDetection plans its anchors in this spirit (Baumgartner et al. 2021, arXiv 2106.00817).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float32

from tetract.tasks.detection.anchor_fit import (
    WANTED_IOU,
    SeenBoxes,
    level_iou,
    level_shapes,
)
from tetract.tasks.detection.config import AnchorLevel

LEVELS = (2, 4, 8, 16, 32)
COARSEST_START = 8  # px; a finest level beyond it saves nothing worth having
BASES = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)  # smallest side over stride
STEPS = {1: (1.0,), 2: (1.4, 1.6, 2.0), 3: (1.25, 1.4, 1.6)}  # from one size to the next
SPREADS = {1: (1.0,), 2: (1.2, 1.4, 1.7), 3: (1.4, 1.7, 2.0)}  # of ratios about the middle one
SLACK = 0.05  # share of boxes given away for fewer anchors where the wanted IoU is out of reach
_AIM = WANTED_IOU + 1e-4  # overlaps are compared in single precision
MOST_BOXES = 2000  # more do not move a percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The outcome of a search.

    Attributes:
        levels: The anchors.
        reached: Whether nine of ten boxes of every group overlap one by ``WANTED_IOU``.
        reachable: The best tenth percentile that any anchors give each group.
    """

    levels: tuple[AnchorLevel, ...]
    reached: bool
    reachable: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Choice:
    """One combination: levels, sizes in strides, ratios."""

    strides: tuple[int, ...]
    scales: tuple[float, ...]
    ratios: tuple[float, ...]

    def levels(self) -> tuple[AnchorLevel, ...]:
        return tuple(
            AnchorLevel.model_validate(
                {
                    "stride": stride,
                    "sizes": [round(scale * stride, 2) for scale in self.scales],
                    "ratios": self.ratios,
                }
            )
            for stride in self.strides
        )

    def anchors(self, image_px: int) -> int:
        cells = sum((image_px // stride) ** 2 for stride in self.strides)
        return cells * len(self.scales) * len(self.ratios)


def search_anchors(boxes: SeenBoxes) -> Found:
    """Anchors for ``boxes``, of which there must be one or more; the same for the same boxes.

    Fewest anchors per slice among those that reach the wanted IoU for every group that can reach
    it, and that overlap nearly as many boxes as possible of the groups that cannot; then the
    better mean.
    """
    boxes = _thinned(boxes)
    groups = boxes.groups()
    choices = list(_choices(_middle_ratio(boxes)))
    overlap = _overlaps(boxes, choices)
    of_groups = [overlap[:, rows] for rows in groups.values()]
    tenths = np.stack([np.quantile(best, 0.1, axis=1) for best in of_groups], axis=1)
    seen = np.stack([(best >= WANTED_IOU).mean(axis=1) for best in of_groups], axis=1)
    reachable = tenths.max(axis=0)
    lacking = np.where(reachable >= _AIM, _AIM - tenths, seen.max(axis=0) - SLACK - seen)
    lacking = np.clip(lacking, 0, None).max(axis=1).round(6)
    anchors = [choice.anchors(boxes.image_px) for choice in choices]
    best = int(np.lexsort((-overlap.mean(axis=1), anchors, lacking))[0])
    return Found(
        levels=choices[best].levels(),
        reached=bool((tenths[best] >= _AIM).all()),
        reachable={name: float(value) for name, value in zip(groups, reachable, strict=True)},
    )


def _overlaps(boxes: SeenBoxes, choices: list[_Choice]) -> Float32[np.ndarray, "C N"]:
    """Best IoU of every box for every choice; choices share their levels, so each is asked once."""
    known: dict[tuple[int, float, tuple[float, ...]], Float32[np.ndarray, " N"]] = {}
    best = np.zeros((len(choices), len(boxes.xyxy)), dtype=np.float32)
    for mine, choice in zip(best, choices, strict=True):
        for stride, scale in product(choice.strides, choice.scales):
            key = (stride, scale, choice.ratios)
            if key not in known:
                shapes = level_shapes([scale * stride], choice.ratios)
                known[key] = level_iou(boxes, stride, shapes).astype(np.float32)
            np.maximum(mine, known[key], out=mine)
    return best


def _choices(middle: float) -> Iterator[_Choice]:
    for first, last in product(range(LEVELS.index(COARSEST_START) + 1), range(len(LEVELS))):
        if last < first:
            continue
        strides = LEVELS[first : last + 1]
        for scales, ratios in product(_series(), _ratios(middle)):
            yield _Choice(strides, scales, ratios)


def _series() -> Iterator[tuple[float, ...]]:
    for base, (count, steps) in product(BASES, STEPS.items()):
        for step in steps:
            yield tuple(round(base * step**k, 3) for k in range(count))


def _ratios(middle: float) -> Iterator[tuple[float, ...]]:
    for count, spreads in SPREADS.items():
        for spread in spreads:
            factors = {1: (1.0,), 2: (1 / spread, spread), 3: (1 / spread, 1.0, spread)}[count]
            yield tuple(round(middle * factor, 2) for factor in factors)


def _middle_ratio(boxes: SeenBoxes) -> float:
    """Height over width of the median box, or 1 where it is close to that."""
    sides = boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]
    ratio = float(np.exp(np.median(np.log(sides[:, 1] / sides[:, 0]))))
    return 1.0 if 1 / 1.15 < ratio < 1.15 else round(ratio, 1)


def _thinned(boxes: SeenBoxes) -> SeenBoxes:
    """Evenly many fewer boxes of every class and size, where there are very many."""
    if len(boxes.xyxy) <= MOST_BOXES:
        return boxes
    order = np.lexsort((*boxes.xyxy.T, boxes.sides_px, boxes.labels))
    kept = order[np.linspace(0, len(order) - 1, MOST_BOXES).round().astype(np.int64)]
    return SeenBoxes(
        xyxy=boxes.xyxy[kept],
        labels=boxes.labels[kept],
        names=boxes.names,
        image_px=boxes.image_px,
    )
