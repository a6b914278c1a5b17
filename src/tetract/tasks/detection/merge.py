"""From boxes on slices to boxes in a scan: neighbours that overlap are one lesion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64, Int64

from tetract.tasks.detection.boxes import box_iou
from tetract.types.identity import HasIdentity

# Low, because the cross-section of a small ball shrinks by a factor of three between thick slices.
LINK_IOU = 0.1


def merge_slices(
    boxes: Sequence[Float[np.ndarray, "_N 4"]],
    scores: Sequence[Float[np.ndarray, " _N"]],
    *,
    first_slice: int = 0,
    iou: float = LINK_IOU,
) -> tuple[Float64[np.ndarray, "M 6"], Float64[np.ndarray, " M"]]:
    """Link boxes of one kind of lesion on consecutive slices of one series.

    Neighbouring slices are linked pair by pair, largest overlap first (of equal ones the boxes
    that come first), each box with at most one above and one below: a lesion that forks is two,
    and boxes side by side never merge.

    Args:
        boxes: (N, 4) ``x0 y0 x1 y1`` in pixels of each slice, half-open.
        scores: (N,) of each slice.
        first_slice: Index of the first.
        iou: Least overlap of two linked boxes.

    Returns:
        (M, 6) ``x0 y0 z0 x1 y1 z1``, pixels and slice indices, half-open, the hull of the linked
        boxes; and (M,) the highest score among them.
    """
    chains: list[Int64[np.ndarray, " _"]] = []
    total = 0
    for depth, here in enumerate(boxes):
        chain = np.full(len(here), -1, dtype=np.int64)
        if depth and len(here) and len(chains[-1]):
            above, below = _link(boxes[depth - 1], here, iou)
            chain[below] = chains[-1][above]
        fresh = chain < 0
        chain[fresh] = total + np.arange(int(fresh.sum()))
        total += int(fresh.sum())
        chains.append(chain)
    return _hulls(boxes, scores, chains, total, first_slice)


def find_scans(rows: Sequence[HasIdentity]) -> list[list[int]] | str:
    """The rows of each series, by slice; or why these rows are not whole series.

    That slices are missing at either end of a series cannot be seen from here.
    """
    if not all(row.identity.series for row in rows):
        return "the series of some slices is unknown"
    if not all(row.identity.patient for row in rows):
        return "the patient of some slices is unknown"
    scans: dict[tuple[str, str, str], list[int]] = {}
    for index, row in enumerate(rows):
        who = row.identity
        scans.setdefault((who.source, who.patient, who.series), []).append(index)
    for scan in scans.values():
        scan.sort(key=lambda index: rows[index].identity.slice_index)
        steps = np.diff([rows[index].identity.slice_index for index in scan])
        if len(steps) == 0:
            return "some series are a single slice"
        if (steps != 1).any():
            return "some series have gaps between their slices or hold a slice twice"
    return list(scans.values())


def _link(
    above: Float[np.ndarray, "N 4"], below: Float[np.ndarray, "T 4"], iou: float
) -> tuple[list[int], list[int]]:
    """Pairs of boxes of two neighbouring slices, largest overlap first, none used twice."""
    overlap = box_iou(above, below)
    first, second = np.nonzero(overlap >= iou)
    order = np.argsort(-overlap[first, second], kind="stable")
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for one, two in zip(first[order].tolist(), second[order].tolist(), strict=True):
        if one not in pairs and two not in used:
            pairs[one] = two
            used.add(two)
    return list(pairs.keys()), list(pairs.values())


def _hulls(
    boxes: Sequence[Float[np.ndarray, "_N 4"]],
    scores: Sequence[Float[np.ndarray, " _N"]],
    chains: Sequence[Int64[np.ndarray, " _"]],
    total: int,
    first_slice: int,
) -> tuple[Float64[np.ndarray, "M 6"], Float64[np.ndarray, " M"]]:
    """The smallest box around each chain, and its best score."""
    low, high = np.full((total, 3), np.inf), np.full((total, 3), -np.inf)
    best = np.full(total, -np.inf)
    for depth, (here, said, chain) in enumerate(zip(boxes, scores, chains, strict=True)):
        if len(chain) == 0:
            continue
        # A chain has one box per slice, so no index stands twice in an assignment.
        level = np.full((len(chain), 1), float(first_slice + depth))
        low[chain] = np.minimum(low[chain], np.concatenate([here[:, :2], level], axis=1))
        high[chain] = np.maximum(high[chain], np.concatenate([here[:, 2:], level + 1], axis=1))
        best[chain] = np.maximum(best[chain], said)
    return np.concatenate([low, high], axis=1), best
