"""Every error of reconstruction, over whole sets of slices, against torchmetrics and numpy.

One pixel, constant slices, slices given back exactly, nothing hidden, everything hidden, no slices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.image import structural_similarity_index_measure

from identities import somebody
from tetract.tasks.reconstruction.metrics import (
    ReconstructionRow,
    measure_hidden,
    measure_plain,
    score_reconstruction,
)
from tetract.types.figure import Figure

WIDTH_HU = 1400.0
Value = float | None


@dataclass(frozen=True)
class Case:
    image: np.ndarray
    said: np.ndarray
    hidden: np.ndarray
    in_hu: bool


def case(seed: int, size: tuple[int, int], kind: str, share: float, in_hu: bool) -> Case:
    random = np.random.default_rng(seed)
    image = random.random((1, *size), dtype=np.float32)
    image = np.full_like(image, 0.25) if kind == "constant" else image
    said = image if kind == "exact" else random.random((1, *size), dtype=np.float32)
    return Case(image, said, random.random(size) < share, in_hu)


CASE = st.builds(
    case,
    st.integers(0, 9999),
    st.sampled_from([(1, 1), (3, 8), (10, 30), (11, 11), (16, 13)]),
    st.sampled_from(["noise", "constant", "exact"]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.booleans(),
)


def ssim(image: np.ndarray, said: np.ndarray) -> float:
    pair = (torch.from_numpy(one.astype(np.float64))[None] for one in (said, image))
    return float(structural_similarity_index_measure(*pair, data_range=1.0))


def errors(pairs: Sequence[tuple[np.ndarray, bool]]) -> dict[str, Value]:
    """Of these differences, one array per slice, and whether each is in HU."""

    def mean(values: Sequence[np.ndarray]) -> Value:
        return float(np.mean([one.mean() for one in values])) if values else None

    away = [one.astype(np.float64) for one, _ in pairs]
    in_hu = [one.astype(np.float64) * WIDTH_HU for one, known in pairs if known]
    mse, mse_hu = mean([one**2 for one in away]), mean([one**2 for one in in_hu])
    # Written out: torchmetrics' PSNR is single precision, some 1e-6 dB off (see the other tests).
    psnr = -10 * math.log10(mse) if mse else None
    return {
        "mae": mean([np.abs(one) for one in away]),
        "mae_hu": mean([np.abs(one) for one in in_hu]),
        "rmse": None if mse is None else mse**0.5,
        "rmse_hu": None if mse_hu is None else mse_hu**0.5,
        "psnr_db": psnr,
    }


def expected(cases: Sequence[Case]) -> dict[str, Value]:
    away = [one.said.astype(np.float64) - one.image for one in cases]
    both = list(zip(cases, away, strict=True))
    plain = errors([(gap, one.in_hu) for one, gap in both])
    masked = errors([(gap[:, one.hidden], one.in_hu) for one, gap in both if one.hidden.any()])
    partly = [(one, gap) for one, gap in both if one.hidden.any() and not one.hidden.all()]
    visible = errors([(gap[:, ~one.hidden], one.in_hu) for one, gap in partly])
    large = [one for one in cases if min(one.image.shape[1:]) >= 11]
    plain["ssim"] = _mean([ssim(one.image, one.said) for one in large])
    masked["ssim"] = _mean(
        [
            ssim(one.image, np.where(one.hidden, one.said, one.image))
            for one in large
            if one.hidden.any()
        ]
    )
    parts = (("", plain), ("masked_", masked), ("visible_", visible))
    return {prefix + name: value for prefix, part in parts for name, value in part.items()}


def _mean(values: Sequence[float]) -> Value:
    return float(np.mean(values)) if values else None


def found(cases: Sequence[Case]) -> dict[str, Value]:
    rows = [
        ReconstructionRow(
            plain=measure_plain(one.image, one.said),
            hidden=measure_hidden(one.image, one.said, one.hidden, patch_px=1),
            identity=somebody(source="ct" if one.in_hu else "picture"),
        )
        for one in cases
    ]
    scores = score_reconstruction(rows, hu_window_width=WIDTH_HU, hu_known={"ct": True})
    each = {one.name: getattr(scores, one.name) for one in fields(scores)}
    told = {name: one.value for name, one in each.items() if isinstance(one, Figure)}
    # The mean filter's two have their own referee, a window walked pixel by pixel.
    return {k: v for k, v in told.items() if k not in {"mean_filter_mae", "masked_skill"}}


@settings(deadline=None, max_examples=60)
@given(st.lists(CASE, max_size=4))
def test_every_error_is_that_of_its_referee_or_none(cases: list[Case]) -> None:
    assert found(cases) == pytest.approx(expected(cases), abs=1e-6)
