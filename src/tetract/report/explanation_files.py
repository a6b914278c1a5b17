"""Maps of a study as pictures beside its findings, with the check that they depend on the model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, Real

from tetract.io import atomic_write_text, write_png
from tetract.report.folder import safe_stem
from tetract.report.pixels import grey_bytes, heat_bytes
from tetract.report.style import NOTICE
from tetract.types.explanation import ExplainedSlice, Explanations, Sanity

SCHEMA: Final = "tetract.explanations/1"
FOLDER: Final = "explanations"


def write_explanations(
    folder: Path,
    explanations: Explanations,
    slices01: Sequence[Real[np.ndarray, "_ _"]],
) -> list[str]:
    """Write one PNG per map, slice and heat side by side, and ``explanations.json``.

    Args:
        folder: The findings folder.
        explanations: The maps.
        slices01: One picture in [0, 1] per slice of the study.

    Returns:
        Relative paths.
    """
    (folder / FOLDER).mkdir()
    slices = explanations.slices
    tops = _tops(slices)
    files: list[dict[str, object]] = []
    for one in slices:
        for number, layer in enumerate(one.layers):
            name = f"{FOLDER}/{safe_stem(one.index, f'{number}-{layer.name}')}.png"
            picture = _beside(slices01[one.index], layer.values, tops[layer.name])
            write_png(folder / name, picture)
            files.append(
                {
                    "slice": one.index,
                    "map": layer.name,
                    "title": layer.title,
                    "unit": layer.unit,
                    "brightest": tops[layer.name],
                    "file": name,
                }
            )
    record = {
        "schema": SCHEMA,
        "notice": NOTICE,
        "sanity": [_sanity(one) for one in explanations.sanity],
        "maps": files,
    }
    words = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
    atomic_write_text(folder / FOLDER / "explanations.json", words + "\n")
    return [f"{FOLDER}/explanations.json", *(str(one["file"]) for one in files)]


def _tops(slices: Sequence[ExplainedSlice]) -> Mapping[str, float]:
    """One scale per map for all slices: its highest value."""
    tops = dict[str, float]()
    for one in slices:
        for layer in one.layers:
            tops[layer.name] = max(tops.get(layer.name, 0.0), float(layer.values.max()))
    return tops


def _beside(
    image01: Real[np.ndarray, "H W"], values: Float32[np.ndarray, "H W"], top: float
) -> np.ndarray:
    grey = np.repeat(grey_bytes(image01)[..., None], 3, axis=2)
    return np.concatenate([grey, heat_bytes(values, top or 1.0)], axis=1)


def _sanity(one: Sanity) -> dict[str, object]:
    return {
        "map": one.name,
        "rank_correlation_with_random_weights": one.correlation,
        "passed": one.passed,
        "threshold": one.threshold,
        "slices": one.slices,
        "networks": one.networks,
        "reason": one.reason,
    }
