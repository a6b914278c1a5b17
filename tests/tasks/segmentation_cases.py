"""Masks and rows for the tests of the segmentation figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from identities import somebody
from tetract.tasks.segmentation.metrics import SegmentationRow, measure_masks
from tetract.types.figure import Figure

Spacing = tuple[float, float] | None


def drawn(*lines: str) -> np.ndarray:
    """A mask from its picture: ``#`` is set."""
    return np.array([[letter == "#" for letter in line] for line in lines])


def measured(
    said: np.ndarray,
    true: np.ndarray,
    patient: str = "p",
    *,
    source: str = "s",
    spacing: Spacing = None,
    frame: tuple[int, int, int, int] | None = None,
    tolerance_mm: float = 2.0,
) -> SegmentationRow:
    """One slice of one mask class, (H, W), or of several, (M, H, W)."""
    said, true = (mask if mask.ndim == 3 else mask[None] for mask in (said, true))
    who = dataclasses.replace(somebody(patient, source), spacing_mm=spacing, frame_px=frame)
    annotated = np.ones(len(true), dtype=np.bool_)
    return measure_masks(said.astype(np.float32), true, annotated, who, tolerance_mm=tolerance_mm)


def square(at: int, *, side: int = 4, size: int = 20) -> np.ndarray:
    """A square whose left edge lies at ``at``, its top at 4."""
    mask = np.zeros((size, size), dtype=np.bool_)
    mask[4 : 4 + side, at : at + side] = True
    return mask


NOTHING = np.zeros((20, 20), dtype=np.bool_)


def figures(value: Any, name: str = "") -> Iterator[tuple[str, Figure]]:
    """Every figure inside a frozen value, with its place."""
    if isinstance(value, Figure):
        yield name, value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from figures(getattr(value, field.name), f"{name}/{field.name}")
    elif isinstance(value, tuple):
        for place, entry in enumerate(value):
            yield from figures(entry, f"{name}/{place}")
