"""What is read off every slice, labelled or not, to judge the answers about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64
from torch import Tensor

from tetract.types import LabelSpace
from tetract.types.identity import Identity
from tetract.types.predictions import Predictions

# Organs that are segmented too: large and easy; they would hide the lesions in any mean.
ANATOMY = frozenset({"lung", "lungs", "left_lung", "right_lung"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """One slice; None where the model has no such head.

    Attributes:
        probabilities: (K,) over the classes.
        mask: Greatest probability of a lesion's pixel inside the slice.
        box: 1 - prod(1 - score) over all boxes: that at least one is right, were they independent.
        residual: (2,) mean absolute error over hidden pixels in window units: the model's, and
            that of a mean filter on the same pixels; None where nothing was hidden.
        identity: Who the slice is.
    """

    probabilities: Float[np.ndarray, " K"] | None
    mask: float | None
    box: float | None
    residual: Float64[np.ndarray, " two"] | None
    identity: Identity


def read_signals(
    said: Predictions,
    who: Sequence[Identity],
    residuals: Sequence[Float64[np.ndarray, " two"] | None],
    label_space: LabelSpace,
) -> list[Signals]:
    """One entry per row of a batch's predictions.

    Args:
        said: Predictions with everything shown.
        who: Whose; padding outside ``frame_px`` is not looked at.
        residuals: See ``Signals.residual``.
        label_space: What the channels mean.
    """
    lesions = [i for i, name in enumerate(label_space.mask_classes) if name not in ANATOMY]
    return [
        Signals(
            probabilities=None
            if said.class_probabilities is None
            else _numbers(said.class_probabilities[row]),
            mask=None
            if said.mask_probabilities is None or not lesions
            else _greatest(said.mask_probabilities[row][lesions], one),
            box=None if said.boxes is None else noisy_or(_numbers(said.boxes[row].scores)),
            residual=residuals[row],
            identity=one,
        )
        for row, one in enumerate(who)
    ]


def noisy_or(scores: Float[np.ndarray, " N"]) -> float:
    """1 - prod(1 - score); 0 without boxes."""
    return float(-np.expm1(np.log1p(-scores.astype(np.float64).clip(0, 1 - 1e-7)).sum()))


def _greatest(masks: Tensor, who: Identity) -> float:
    top, left, bottom, right = who.frame_px or (0, 0, *masks.shape[-2:])
    return float(masks[:, top:bottom, left:right].float().max())


def _numbers(tensor: Tensor) -> Float[np.ndarray, "..."]:
    return tensor.detach().float().cpu().numpy()
