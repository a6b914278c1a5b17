"""One slice and its reconstruction, reduced to a few numbers: no image is kept.

Errors are in units of the model's window, in which values lie in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter

from tetract.tasks.reconstruction.grain import Grain, measure_grain
from tetract.tasks.reconstruction.mean_filter import fill_by_mean

DATA_RANGE: Final = 1.0
SSIM_WINDOW_PX: Final = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Errors over some pixels of one slice, in units of the model's window.

    Attributes:
        mae: Mean absolute error.
        mse: Mean squared error.
        ssim: Structural similarity of the whole slice; None below 11 x 11 px, and where only a
            part of the slice is looked at.
        grain: What became of the slice's noise; None where none can be seen, and where pixels
            were hidden.
    """

    mae: float
    mse: float
    ssim: float | None
    grain: Grain | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenErrors:
    """Errors of one slice of which pixels were hidden.

    Attributes:
        model: The model's over the hidden pixels; its SSIM is of the slice with only the hidden
            pixels replaced.
        mean_filter_mae: Mean absolute error of a mean filter on the same pixels; None where
            no pixel was visible.
        visible: The model's over the pixels it was shown in the same pass; None where none was.
    """

    model: Errors
    mean_filter_mae: float | None
    visible: Errors | None = None


def measure_plain(
    image: Float[np.ndarray, "C H W"], reconstruction: Float[np.ndarray, "C H W"]
) -> Errors:
    """Errors over all pixels, and what became of the noise.

    Args:
        image: What was shown, [0, 1].
        reconstruction: What the model made of it, [0, 1].
    """
    difference = reconstruction.astype(np.float64) - image
    return Errors(
        mae=float(np.abs(difference).mean()),
        mse=float((difference**2).mean()),
        ssim=_ssim(image, reconstruction),
        grain=measure_grain(image, reconstruction),
    )


def measure_hidden(
    image: Float[np.ndarray, "C H W"],
    reconstruction: Float[np.ndarray, "C H W"],
    hidden: Bool[np.ndarray, "H W"],
    *,
    patch_px: int,
) -> HiddenErrors | None:
    """Errors over the hidden pixels, those of a mean filter, and those over the visible pixels.

    Args:
        image: What was withheld, [0, 1].
        reconstruction: What the model made of the rest, [0, 1].
        hidden: True where the pixel was withheld.
        patch_px: Side of a hidden patch in pixels; sets the filter's window.

    Returns:
        The errors, or None where nothing was hidden.
    """
    if not hidden.any():
        return None
    difference = reconstruction.astype(np.float64) - image
    filled = fill_by_mean(image, hidden, patch_px=patch_px)
    return HiddenErrors(
        model=_errors(difference[:, hidden], _ssim(image, np.where(hidden, reconstruction, image))),
        mean_filter_mae=(
            None if filled is None else float(np.abs(filled - image)[:, hidden].mean())
        ),
        visible=None if hidden.all() else _errors(difference[:, ~hidden]),
    )


def _errors(difference: Float[np.ndarray, "C N"], ssim: float | None = None) -> Errors:
    return Errors(
        mae=float(np.abs(difference).mean()), mse=float((difference**2).mean()), ssim=ssim
    )


def _ssim(image: Float[np.ndarray, "C H W"], other: Float[np.ndarray, "C H W"]) -> float | None:
    """Wang et al. 2004 (doi 10.1109/TIP.2003.819861): K1 = 0.01, K2 = 0.03, mirrored borders.

    Written here because one separable filter in float64 takes a fiftieth of torchmetrics' time;
    the tests hold the two equal.
    """
    if min(image.shape[1:]) < SSIM_WINDOW_PX:
        return None
    one, two = image.astype(np.float64), other.astype(np.float64)
    mean_one, mean_two = _blur(one), _blur(two)
    variances = _blur(one**2) + _blur(two**2) - mean_one**2 - mean_two**2
    covariance = _blur(one * two) - mean_one * mean_two
    c1, c2 = (0.01 * DATA_RANGE) ** 2, (0.03 * DATA_RANGE) ** 2
    luminance = (2 * mean_one * mean_two + c1) / (mean_one**2 + mean_two**2 + c1)
    structure = (2 * covariance + c2) / (variances.clip(min=0) + c2)
    return float((luminance * structure).mean())


def _blur(image: Float[np.ndarray, "C H W"]) -> Float[np.ndarray, "C H W"]:
    """Each channel under the Gaussian window of SSIM, sigma 1.5 px."""
    radius = SSIM_WINDOW_PX // 2
    return gaussian_filter(image, 1.5, mode="mirror", radius=radius, axes=(1, 2))
