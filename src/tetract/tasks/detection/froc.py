"""Free-response ROC: sensitivity against false positives per slice.

Bunch et al. 1978; the matching is greedy by score, at an IoU threshold. The rate is per *slice*,
not per scan as in LUNA16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True, slots=True, kw_only=True)
class Detections:
    """Predicted and reference boxes of one slice, one kind of lesion.

    Attributes:
        xyxy: (N, 4) predicted, pixels, half-open.
        scores: (N,) in [0, 1].
        truth: (T, 4) reference, pixels, half-open.
    """

    xyxy: Float[np.ndarray, "N 4"]
    scores: Float[np.ndarray, " N"]
    truth: Float[np.ndarray, "T 4"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrocCurve:
    """Operating points from the strictest to the loosest score threshold.

    Points inside a straight horizontal run are left out; interpolating linearly gives them back.

    Attributes:
        false_positives: (P,) mean per slice, not decreasing, starting at 0.
        sensitivity: (P,) share of the lesions found, not decreasing, starting at 0.
        threshold: (P,) predictions of at least this score are kept; the first is above 1.
    """

    false_positives: Float[np.ndarray, " P"]
    sensitivity: Float[np.ndarray, " P"]
    threshold: Float[np.ndarray, " P"]

    def at(self, false_positives: float) -> float:
        """Sensitivity at a mean number of false positives per slice.

        Linear between neighbouring points; past the last point the last sensitivity, which is
        all that this model finds at any threshold.
        """
        last = int(np.searchsorted(self.false_positives, false_positives, side="right")) - 1
        if last + 1 == len(self.false_positives):
            return float(self.sensitivity[last])
        pair = slice(last, last + 2)
        return float(np.interp(false_positives, self.false_positives[pair], self.sensitivity[pair]))


def box_iou(
    first: Float[np.ndarray, "N 4"], second: Float[np.ndarray, "T 4"]
) -> Float[np.ndarray, "N T"]:
    """Intersection over union of every pair of half-open boxes."""
    one, two = first[:, None].astype(np.float64), second[None].astype(np.float64)
    sides = np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
    shared = sides.clip(min=0).prod(axis=-1)
    areas = (one[..., 2:] - one[..., :2]).prod(axis=-1) + (two[..., 2:] - two[..., :2]).prod(-1)
    union = areas - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def match_boxes(row: Detections, iou: float) -> Bool[np.ndarray, " N"]:
    """Which predictions find a lesion.

    Best score first, each takes the unfound lesion it overlaps most, if by at least ``iou``. A
    second box on a found lesion is a false positive, as in COCO and unlike LUNA16.
    """
    overlap = box_iou(row.xyxy, row.truth)
    hits = np.zeros(len(row.scores), dtype=np.bool_)
    for prediction in np.argsort(-row.scores, kind="stable"):
        if overlap.shape[1] == 0:
            break
        lesion = int(overlap[prediction].argmax())
        if overlap[prediction, lesion] >= iou:
            hits[prediction] = True
            overlap[:, lesion] = -1.0
    return hits


def froc_curve(rows: Sequence[Detections], *, iou: float) -> FrocCurve | None:
    """The curve over all rows, lesion-free ones included; None without a lesion."""
    lesions = sum(len(row.truth) for row in rows)
    if lesions == 0:
        return None
    scores = np.concatenate([row.scores for row in rows]).astype(np.float64)
    hits = np.concatenate([match_boxes(row, iou) for row in rows])
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], hits[order]
    # A threshold keeps or drops equal scores together: only the last of each is a point.
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], [True] * bool(len(scores))))
    found = np.append(0, np.cumsum(hits)[ends])
    wrong = np.append(0, np.cumsum(~hits)[ends])
    threshold = np.append(np.nextafter(1.0, 2.0), scores[ends])
    kept = _corners(found)
    return FrocCurve(
        false_positives=wrong[kept] / len(rows),
        sensitivity=found[kept] / lesions,
        threshold=threshold[kept],
    )


def _corners(found: Int[np.ndarray, " P"]) -> Bool[np.ndarray, " P"]:
    """Points that end a horizontal run, on either side."""
    flat = found[1:] == found[:-1]
    return ~(np.append(False, flat) & np.append(flat, False))
