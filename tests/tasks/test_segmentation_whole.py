"""Every figure of segmentation, from masks to means, against its definition, pixel by pixel.

Up to three patients of several slices, some of unknown spacing; masks from empty to full.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segmentation_cases import figures
from test_segmentation_metrics_contours import outline, percentile_95
from test_segmentation_metrics_lesions import parts_of

from identities import somebody
from tetract.tasks.segmentation.metrics import MaskScores, measure_masks, score_segmentation

SIDE = 6
SPACINGS = [None, (1.0, 1.0), (2.0, 0.5)]
Value = float | None


@dataclass(frozen=True)
class Slice:
    patient: str
    said: np.ndarray
    true: np.ndarray
    spacing: tuple[float, float] | None


def mask(seed: int, kind: str) -> np.ndarray:
    """Nothing, everything, one pixel, or blobs."""
    random = np.random.default_rng(seed)
    found = np.full((SIDE, SIDE), kind == "full")
    if kind == "pixel":
        found[tuple(random.integers(0, SIDE, 2))] = True
    if kind == "blobs":
        found = random.random((SIDE, SIDE)) < 0.35
    return found


MASK = st.builds(mask, st.integers(0, 999), st.sampled_from(["empty", "full", "pixel", "blobs"]))
SLICE = st.builds(Slice, st.sampled_from(["a", "b", ""]), MASK, MASK, st.sampled_from(SPACINGS))


def mean(values: Sequence[float]) -> Value:
    return fmean(values) if values else None


def overlap(slices: Sequence[Slice]) -> tuple[float, float]:
    """Dice and IoU of the pixels of several slices; there is a reference pixel."""
    hit = sum(int((s.said & s.true).sum()) for s in slices)
    either = sum(int((s.said | s.true).sum()) for s in slices)
    return 2 * hit / (either + hit), hit / either


def contours(one: Slice) -> tuple[float, float]:
    """HD95 and NSD over all pairs of contour pixels; tolerance 2."""
    height, width = one.spacing or (1.0, 1.0)
    ends = outline(one.said), outline(one.true)
    away = [
        [min(((y - v) * height) ** 2 + ((x - u) * width) ** 2 for v, u in goal) for y, x in start]
        for start, goal in (ends, ends[::-1])
    ]
    near = sum(square <= 4.0 for side in away for square in side)
    return max(percentile_95(side) for side in away), near / sum(map(len, away))


def lesions(one: Slice) -> tuple[list[tuple[float, bool]], int]:
    """Diameter of each lesion and whether it is found; painted parts that touch no found one."""
    parts, area = parts_of(one.said), math.prod(one.spacing or (1.0, 1.0))
    each, forgiven = list[tuple[float, bool]](), list[set[tuple[int, int]]]()
    for lesion in parts_of(one.true):
        touching = [part for part in parts if part & lesion]
        painted = set[tuple[int, int]]().union(*touching)
        found = 10 * len(painted & lesion) >= len(painted | lesion)
        each.append((2 * math.sqrt(len(lesion) * area / math.pi), found))
        forgiven += touching if found else []
    return each, sum(part not in forgiven for part in parts)


def by_patient(slices: Sequence[Slice]) -> list[list[Slice]]:
    groups = defaultdict[str, list[Slice]](list)
    for number, one in enumerate(slices):
        groups[one.patient or f"nobody {number}"].append(one)
    return list(groups.values())


def expected_overlap(slices: Sequence[Slice]) -> dict[str, Value]:
    bearing = [group for group in by_patient(slices) if any(s.true.any() for s in group)]
    whole = overlap(slices) if bearing else (None, None)
    return {
        "/dice": mean([overlap(group)[0] for group in bearing]),
        "/iou": mean([overlap(group)[1] for group in bearing]),
        "/dice_pooled": whole[0],
        "/iou_pooled": whole[1],
        "/dice_slices": mean([overlap([s])[0] for s in slices if s.true.any()]),
    }


def expected_contours(slices: Sequence[Slice], unit: str) -> dict[str, Value]:
    hd95, nsd = list[float](), list[float]()
    for group in by_patient(slices):
        own = [s for s in group if s.true.any() and (s.spacing is None) == (unit == "px")]
        drawn = [contours(s) for s in own if s.said.any()]
        if drawn:
            hd95.append(fmean(one[0] for one in drawn))
        if own:  # a slice without paint has 0
            nsd.append(sum(one[1] for one in drawn) / len(own))
    return {f"/contours_{unit}/hd95": mean(hd95), f"/contours_{unit}/nsd": mean(nsd)}


def expected_lesions(slices: Sequence[Slice]) -> dict[str, Value]:
    each = [(one, s.spacing is None) for s in slices for one in lesions(s)[0]]
    false, found = sum(lesions(s)[1] for s in slices), sum(one[1] for one, _ in each)
    count = len(each)
    told = {
        "sensitivity": found / count if count else None,
        "precision": found / (found + false) if count and found + false else None,
        "f1": 2 * found / (count + found + false) if count else None,
    }
    limits = [0.0, 6.0, 10.0, 30.0, math.inf]
    for place in range(8):
        low, high = limits[place % 4], limits[place % 4 + 1]
        own = [hit for (size, hit), px in each if px == (place >= 4) and low <= size < high]
        told[f"by_size/{place}/sensitivity"] = mean(own)
    return {f"/lesions/{name}": value for name, value in told.items()}


def expected_free(slices: Sequence[Slice]) -> dict[str, Value]:
    free = [s for s in slices if not s.true.any()]
    nobody = [group for group in by_patient(slices) if not any(s.true.any() for s in group)]

    def area(one: Slice) -> float:
        return math.nan if one.spacing is None else float(one.said.sum()) * math.prod(one.spacing)

    patients = [sum(map(area, group)) for group in nobody]
    return {
        "/false_positive_px": mean([float(s.said.sum()) for s in free]),
        "/false_positive_mm2": mean([a for s in free if not math.isnan(a := area(s))]),
        "/false_lesions": mean([float(len(parts_of(s.said))) for s in free]),
        "/free_patients/px": mean([float(sum(s.said.sum() for s in group)) for group in nobody]),
        "/free_patients/mm2": mean([a for a in patients if not math.isnan(a)]),
        "/free_patients/lesions": mean(
            [float(sum(len(parts_of(s.said)) for s in group)) for group in nobody]
        ),
    }


def scored(slices: Sequence[Slice]) -> MaskScores:
    """One annotated class, beside one that nobody looked for and that the model paints."""
    everywhere = np.ones((1, SIDE, SIDE), dtype=np.float32)
    rows = []
    for one in slices:
        who = replace(somebody(one.patient), spacing_mm=one.spacing)
        rows.append(
            measure_masks(
                np.concatenate([one.said[None].astype(np.float32), everywhere]),
                np.stack([one.true, one.true & False]),
                np.array([True, False]),
                who,
            )
        )
    scores = score_segmentation(rows, ("lesion", "other"))
    assert scores.classes[1].dice.value is None
    assert scores.dice_macro.value == scores.classes[0].dice.value
    return scores.classes[0]


@settings(deadline=None, max_examples=60)
@given(st.lists(SLICE, max_size=6))
def test_every_figure_is_its_definition_or_none(slices: list[Slice]) -> None:
    found = {name: figure.value for name, figure in figures(scored(slices))}
    expected = {
        **expected_overlap(slices),
        **expected_contours(slices, "mm"),
        **expected_contours(slices, "px"),
        **expected_lesions(slices),
        **expected_free(slices),
    }
    assert found == pytest.approx(expected, abs=1e-6)
