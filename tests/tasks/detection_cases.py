"""Slices with boxes, for tests of the detection figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from identities import somebody
from tetract.tasks.detection.metrics import DetectionRow
from tetract.types.figure import Figure

Box = tuple[float, float, float, float]
HERE, THERE, NOWHERE = (0.0, 0.0, 10.0, 10.0), (20.0, 20.0, 30.0, 30.0), (50.0, 50.0, 60.0, 60.0)


def row(
    said: Sequence[tuple[Box, float, int]] = (),
    true: Sequence[tuple[Box, int]] = (),
    annotated: Sequence[int] = (1, 1),
    patient: str = "p",
) -> DetectionRow:
    return DetectionRow(
        xyxy=np.array([box for box, _, _ in said], dtype=np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, _ in said], dtype=np.float32),
        labels=np.array([label for _, _, label in said], dtype=np.int64),
        truth_xyxy=np.array([box for box, _ in true], dtype=np.float32).reshape(-1, 4),
        truth_labels=np.array([label for _, label in true], dtype=np.int64),
        annotated=np.array(annotated, dtype=np.bool_),
        identity=somebody(patient),
    )


def placed(
    one: DetectionRow,
    *,
    series: str = "",
    slice_index: int = 0,
    spacing_mm: tuple[float, float] | None = None,
) -> DetectionRow:
    """The same slice somewhere in a series."""
    who = replace(one.identity, series=series, slice_index=slice_index, spacing_mm=spacing_mm)
    return replace(one, identity=who)


def boxes(random: np.random.Generator, count: int) -> list[Box]:
    """Boxes with corners on whole pixels, close enough to overlap and to tie."""
    corner, side = random.integers(0, 20, (count, 2)), random.integers(3, 12, (count, 2))
    return [tuple(map(float, box)) for box in np.concatenate([corner, corner + side], axis=1)]


def random_row(random: np.random.Generator, scores: Sequence[float], patient: str) -> DetectionRow:
    """One box per score, and up to three lesions."""
    said = boxes(random, len(scores))
    true = boxes(random, int(random.integers(0, 4)))
    return row(
        [(box, score, 0) for box, score in zip(said, scores, strict=True)],
        [(box, 0) for box in true],
        annotated=[1],
        patient=patient,
    )


def figures(value: Any, path: str = "") -> Iterator[tuple[str, Figure]]:
    """Every figure inside, with where it stands."""
    if isinstance(value, Figure):
        yield path, value
    elif isinstance(value, tuple):
        for index, entry in enumerate(value):
            yield from figures(entry, f"{path}.{index}")
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from figures(getattr(value, field.name), f"{path}.{field.name}")
