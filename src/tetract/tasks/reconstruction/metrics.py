"""How well slices are reconstructed: seen as they are, and where pixels were withheld.

Errors are in units of the model's window, data range 1.0; in HU only where the source's values
are HU. Copying a visible pixel is no skill, so hidden pixels are told apart and set next to what
a mean filter would have guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter, uniform_filter

from tetract.types.figure import Figure, Support, count_support
from tetract.types.identity import Identity
from tetract.types.resamples import AS_IS, Resamples, estimate, weighted_mean

DATA_RANGE = 1.0
SSIM_WINDOW_PX = 11
NO_ROWS = "no rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Errors over some pixels of one slice, in units of the model's window.

    Attributes:
        mae: Mean absolute error.
        mse: Mean squared error.
        ssim: Structural similarity of the whole slice; None below 11 x 11 px.
    """

    mae: float
    mse: float
    ssim: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenErrors:
    """Errors over the hidden pixels of one slice.

    Attributes:
        model: The model's; its SSIM is of the slice with only the hidden pixels replaced.
        mean_filter_mae: Mean absolute error of a mean filter on the same pixels; None where
            no pixel was visible.
    """

    model: Errors
    mean_filter_mae: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconstructionRow:
    """One slice, reduced to its errors.

    Attributes:
        plain: With the whole slice shown.
        hidden: With patches withheld, or None where none were.
        identity: Who the slice is.
    """

    plain: Errors
    hidden: HiddenErrors | None
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconstructionScores:
    """Means over slices; ``masked_*`` over hidden pixels only.

    Attributes:
        support: All rows.
        mae: In units of the model's window (data range 1.0).
        mae_hu: In HU, over the sources whose values are HU.
        rmse: Root of the mean squared error, window units.
        psnr_db: 10 log10(1 / mean squared error), data range 1.0.
        ssim: 11 x 11 Gaussian window of sigma 1.5 px, data range 1.0.
        masked_mae: As ``mae``.
        masked_mae_hu: As ``mae_hu``.
        masked_rmse: As ``rmse``.
        masked_psnr_db: As ``psnr_db``.
        masked_ssim: Of whole slices in which the hidden pixels were filled in.
        mean_filter_mae: What a mean filter reaches on the hidden pixels.
    """

    support: Support
    mae: Figure
    mae_hu: Figure
    rmse: Figure
    psnr_db: Figure
    ssim: Figure
    masked_mae: Figure
    masked_mae_hu: Figure
    masked_rmse: Figure
    masked_psnr_db: Figure
    masked_ssim: Figure
    mean_filter_mae: Figure


def measure_plain(
    image: Float[np.ndarray, "C H W"], reconstruction: Float[np.ndarray, "C H W"]
) -> Errors:
    """Errors over all pixels."""
    difference = reconstruction.astype(np.float64) - image
    return Errors(
        mae=float(np.abs(difference).mean()),
        mse=float((difference**2).mean()),
        ssim=_ssim(image, reconstruction),
    )


def measure_hidden(
    image: Float[np.ndarray, "C H W"],
    reconstruction: Float[np.ndarray, "C H W"],
    hidden: Bool[np.ndarray, "H W"],
    *,
    patch_px: int,
) -> HiddenErrors | None:
    """Errors over the hidden pixels, and those of a mean filter.

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
    difference = (reconstruction.astype(np.float64) - image)[:, hidden]
    filled = fill_by_mean(image, hidden, patch_px=patch_px)
    return HiddenErrors(
        model=Errors(
            mae=float(np.abs(difference).mean()),
            mse=float((difference**2).mean()),
            ssim=_ssim(image, np.where(hidden, reconstruction, image)),
        ),
        mean_filter_mae=(
            None if filled is None else float(np.abs(filled - image)[:, hidden].mean())
        ),
    )


def fill_by_mean(
    image: Float[np.ndarray, "C H W"], hidden: Bool[np.ndarray, "H W"], *, patch_px: int
) -> Float[np.ndarray, "C H W"] | None:
    """Fill hidden pixels with the mean of the visible ones around them.

    The window is ``2 patch_px + 1`` px wide and doubles for the pixels that see none.

    Returns:
        (C, H, W) float64, or None where no pixel is visible.
    """
    if hidden.all():
        return None
    filled = image.astype(np.float64)
    visible = (~hidden).astype(np.float64)
    pending, side = hidden, 2 * patch_px + 1
    while pending.any():
        share = uniform_filter(visible, side, mode="constant")
        # Half a pixel: below it, the share is only the filter's rounding.
        ready = pending & (share * side**2 > 0.5)
        for channel, shown in zip(filled, image * visible, strict=True):
            total = uniform_filter(shown, side, mode="constant")
            channel[ready] = total[ready] / share[ready]
        pending, side = pending & ~ready, 2 * side + 1
    return filled


def score_reconstruction(
    rows: Sequence[ReconstructionRow],
    *,
    hu_window_width: float | None,
    hu_known: Mapping[str, bool],
    resamples: Resamples = AS_IS,
) -> ReconstructionScores:
    """Average the rows; every slice weighs the same.

    Args:
        rows: The slices, in any order.
        hu_window_width: Width of the model's window in HU, None where the model has none.
        hu_known: By source: whether its values are HU. A source not named is not.
        resamples: Draws of the patients for the intervals; ``AS_IS``: no intervals.
    """
    masked = [row for row in rows if row.hidden is not None]
    plain = _summarise(rows, lambda row: row.plain, NO_ROWS, resamples)
    hidden = _summarise(masked, _hidden_errors, "no hidden pixels", resamples)
    return ReconstructionScores(
        support=count_support(rows),
        mae=plain.mae,
        mae_hu=_in_hu([(row, row.plain) for row in rows], hu_window_width, hu_known, resamples),
        rmse=plain.rmse,
        psnr_db=plain.psnr_db,
        ssim=plain.ssim,
        masked_mae=hidden.mae,
        masked_mae_hu=_in_hu(
            [(row, _hidden_errors(row)) for row in masked], hu_window_width, hu_known, resamples
        ),
        masked_rmse=hidden.rmse,
        masked_psnr_db=hidden.psnr_db,
        masked_ssim=hidden.ssim,
        mean_filter_mae=_mean(
            masked,
            lambda row: None if row.hidden is None else row.hidden.mean_filter_mae,
            "no visible pixels" if masked else "no hidden pixels",
            resamples,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Summary:
    """Means over slices."""

    mae: Figure
    rmse: Figure
    psnr_db: Figure
    ssim: Figure


def _hidden_errors(row: ReconstructionRow) -> Errors:
    if row.hidden is None:
        msg = "the row has no hidden pixels"
        raise ValueError(msg)
    return row.hidden.model


def _mean(
    rows: Sequence[ReconstructionRow],
    read: Callable[[ReconstructionRow], float | None],
    reason: str,
    resamples: Resamples,
) -> Figure:
    """Mean over the rows where ``read`` gives a number."""
    pairs = [(row, value) for row in rows if (value := read(row)) is not None]
    values = np.array([value for _, value in pairs], dtype=np.float64)
    return estimate(weighted_mean(values), [row for row, _ in pairs], resamples, reason=reason)


def _summarise(
    rows: Sequence[ReconstructionRow],
    read: Callable[[ReconstructionRow], Errors],
    reason: str,
    resamples: Resamples,
) -> _Summary:
    mean_square = weighted_mean(np.array([read(row).mse for row in rows], dtype=np.float64))

    def rmse(weights: Float[np.ndarray, "R N"]) -> Float[np.ndarray, " R"]:
        return np.sqrt(mean_square(weights))

    def psnr_db(weights: Float[np.ndarray, "R N"]) -> Float[np.ndarray, " R"]:
        square = mean_square(weights)
        # No error at all would be infinitely many decibels: undefined.
        known = np.where(square > 0, square, np.nan)
        return 10 * np.log10(DATA_RANGE**2 / known)

    small = f"slices smaller than {SSIM_WINDOW_PX} px"
    return _Summary(
        mae=_mean(rows, lambda row: read(row).mae, reason, resamples),
        rmse=estimate(rmse, rows, resamples, reason=reason),
        psnr_db=estimate(psnr_db, rows, resamples, reason="no error at all" if rows else reason),
        ssim=_mean(rows, lambda row: read(row).ssim, small if rows else reason, resamples),
    )


def _in_hu(
    pairs: Sequence[tuple[ReconstructionRow, Errors]],
    width: float | None,
    hu_known: Mapping[str, bool],
    resamples: Resamples,
) -> Figure:
    """MAE times the window's width, over the sources whose values are HU."""
    known = [(row, one) for row, one in pairs if hu_known.get(row.identity.source, False)]
    rows = [row for row, _ in known]
    if width is None:
        return Figure(value=None, support=count_support(rows), reason="HU window unknown")
    values = np.array([one.mae * width for _, one in known], dtype=np.float64)
    return estimate(weighted_mean(values), rows, resamples, reason="no rows with known HU")


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
