"""How well slices are reconstructed: seen as they are, and where pixels were withheld.

Errors are in units of the model's window, data range 1.0; in HU only where the source's values
are HU. Copying a visible pixel is no skill, so hidden pixels are told apart and set next to what
a mean filter would have guessed, and a network that copies is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tetract.tasks.reconstruction.copying import CopyingScores, score_copying
from tetract.tasks.reconstruction.errors import (
    DATA_RANGE,
    SSIM_WINDOW_PX,
    Errors,
    HiddenErrors,
    measure_hidden,
    measure_plain,
)
from tetract.tasks.reconstruction.grain import Grain
from tetract.tasks.reconstruction.mean_filter import fill_by_mean
from tetract.types.figure import Figure, Support, count_support, undefined
from tetract.types.identity import Identity
from tetract.types.resamples import AS_IS, Resamples, estimate, ratio, weighted_mean
from tetract.types.studentised import Sums

__all__ = [
    "DATA_RANGE",
    "SSIM_WINDOW_PX",
    "CopyingScores",
    "Errors",
    "Grain",
    "HiddenErrors",
    "ReconstructionRow",
    "ReconstructionScores",
    "fill_by_mean",
    "measure_hidden",
    "measure_plain",
    "score_reconstruction",
]

NO_ROWS = "no rows"
NO_HIDDEN = "no hidden pixels"
NO_VISIBLE = "no visible pixels"


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
    """Means over slices. ``masked_*``: over hidden pixels; ``visible_*``: over the others then.

    Attributes:
        support: All rows.
        data_range: What PSNR and SSIM take as the range of values, window units.
        data_range_hu: The same in HU, or None where the window is unknown.
        mae: In units of the model's window (data range 1.0).
        mae_hu: In HU, over the sources whose values are HU.
        rmse: Root of the mean squared error, window units.
        rmse_hu: In HU, as ``mae_hu``.
        psnr_db: 10 log10(1 / mean squared error), data range 1.0.
        ssim: 11 x 11 Gaussian window of sigma 1.5 px, data range 1.0.
        masked_mae: As ``mae``.
        masked_mae_hu: As ``mae_hu``.
        masked_rmse: As ``rmse``.
        masked_rmse_hu: As ``rmse_hu``.
        masked_psnr_db: As ``psnr_db``.
        masked_ssim: Of whole slices in which the hidden pixels were filled in.
        visible_mae: As ``mae``, in the pass in which patches were hidden.
        visible_mae_hu: As ``mae_hu``.
        visible_rmse: As ``rmse``.
        visible_rmse_hu: As ``rmse_hu``.
        visible_psnr_db: As ``psnr_db``.
        mean_filter_mae: What a mean filter reaches on the hidden pixels.
        masked_skill: Share of the mean filter's error that the model does without: 1 - masked
            MAE / MAE of the mean filter, over the same slices; not above 0: nothing learnt.
        copying: Whether the network copies what it is shown.
    """

    support: Support
    data_range: float
    data_range_hu: float | None
    mae: Figure
    mae_hu: Figure
    rmse: Figure
    rmse_hu: Figure
    psnr_db: Figure
    ssim: Figure
    masked_mae: Figure
    masked_mae_hu: Figure
    masked_rmse: Figure
    masked_rmse_hu: Figure
    masked_psnr_db: Figure
    masked_ssim: Figure
    visible_mae: Figure
    visible_mae_hu: Figure
    visible_rmse: Figure
    visible_rmse_hu: Figure
    visible_psnr_db: Figure
    mean_filter_mae: Figure
    masked_skill: Figure
    copying: CopyingScores


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
    scale = _Scale(width_hu=hu_window_width, hu_known=hu_known, resamples=resamples)
    masked = [(row, row.hidden) for row in rows if row.hidden is not None]
    visible = [(row, one.visible) for row, one in masked if one.visible is not None]
    guessed = [
        (row, one.model.mae, one.mean_filter_mae)
        for row, one in masked
        if one.mean_filter_mae is not None
    ]
    nothing = NO_VISIBLE if masked else NO_HIDDEN
    plain = _summarise([(row, row.plain) for row in rows], scale, NO_ROWS)
    hidden = _summarise([(row, one.model) for row, one in masked], scale, NO_HIDDEN)
    shown = _summarise(visible, scale, nothing)
    theirs = np.array([filtered for _, _, filtered in guessed], dtype=np.float64)
    better = theirs - np.array([ours for _, ours, _ in guessed], dtype=np.float64)
    guesses = [row for row, _, _ in guessed]
    return ReconstructionScores(
        support=count_support(rows),
        data_range=DATA_RANGE,
        data_range_hu=None if hu_window_width is None else DATA_RANGE * hu_window_width,
        mae=plain.mae,
        mae_hu=plain.mae_hu,
        rmse=plain.rmse,
        rmse_hu=plain.rmse_hu,
        psnr_db=plain.psnr_db,
        ssim=plain.ssim,
        masked_mae=hidden.mae,
        masked_mae_hu=hidden.mae_hu,
        masked_rmse=hidden.rmse,
        masked_rmse_hu=hidden.rmse_hu,
        masked_psnr_db=hidden.psnr_db,
        masked_ssim=hidden.ssim,
        visible_mae=shown.mae,
        visible_mae_hu=shown.mae_hu,
        visible_rmse=shown.rmse,
        visible_rmse_hu=shown.rmse_hu,
        visible_psnr_db=shown.psnr_db,
        mean_filter_mae=estimate(
            weighted_mean(theirs), guesses, resamples, reason=nothing, sums=_sums(theirs)
        ),
        masked_skill=estimate(
            lambda weights: ratio(weights @ better, weights @ theirs),
            guesses,
            resamples,
            reason="the mean filter makes no error" if guessed else nothing,
        ),
        copying=score_copying(
            [(row.identity, row.plain.grain) for row in rows], resamples=resamples
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """What a window unit is worth, where it is known; and the draws."""

    width_hu: float | None
    hu_known: Mapping[str, bool]
    resamples: Resamples


@dataclass(frozen=True, slots=True, kw_only=True)
class _Summary:
    """Means over slices."""

    mae: Figure
    mae_hu: Figure
    rmse: Figure
    rmse_hu: Figure
    psnr_db: Figure
    ssim: Figure


_Pairs = Sequence[tuple[ReconstructionRow, Errors]]


def _summarise(pairs: _Pairs, scale: _Scale, reason: str) -> _Summary:
    rows = [row for row, _ in pairs]
    small = f"slices smaller than {SSIM_WINDOW_PX} px"
    similar = [(row, one.ssim) for row, one in pairs if one.ssim is not None]
    similarity = np.array([ssim for _, ssim in similar], dtype=np.float64)

    def figure(kind: _Kind, why_not: str = reason) -> Figure:
        return kind(pairs).estimate(rows, scale.resamples, why_not)

    return _Summary(
        mae=figure(_mae),
        mae_hu=_in_hu(_mae, pairs, scale),
        rmse=figure(_rmse),
        rmse_hu=_in_hu(_rmse, pairs, scale),
        psnr_db=figure(_psnr_db, "no error at all" if rows else reason),
        ssim=estimate(
            weighted_mean(similarity),
            [row for row, _ in similar],
            scale.resamples,
            reason=small if rows else reason,
        ),
    )


def _in_hu(kind: _Kind, pairs: _Pairs, scale: _Scale) -> Figure:
    """The error times the window's width, over the sources whose values are HU."""
    known = [(row, one) for row, one in pairs if scale.hu_known.get(row.identity.source, False)]
    rows, width = [row for row, _ in known], scale.width_hu
    if width is None:
        return undefined(count_support(rows), "HU window unknown")
    return kind(known).estimate(rows, scale.resamples, "no rows with known HU", times=width)


@dataclass(frozen=True, slots=True)
class _MeanError:
    """A mean over slices, and what is made of it."""

    values: Float[np.ndarray, " N"]
    then: Callable[[Float[np.ndarray, " R"]], Float[np.ndarray, " R"]]

    def estimate(
        self,
        rows: Sequence[ReconstructionRow],
        resamples: Resamples,
        reason: str,
        times: float = 1.0,
    ) -> Figure:
        """The figure, ``times`` so large."""

        def made(mean: Float[np.ndarray, " R"]) -> Float[np.ndarray, " R"]:
            return self.then(mean) * times

        plain = weighted_mean(self.values)
        return estimate(
            lambda weights: made(plain(weights)),
            rows,
            resamples,
            reason=reason,
            sums=_sums(self.values, made),
        )


_Kind = Callable[[_Pairs], _MeanError]


def _mae(pairs: _Pairs) -> _MeanError:
    return _MeanError(np.array([one.mae for _, one in pairs], dtype=np.float64), np.asarray)


def _rmse(pairs: _Pairs) -> _MeanError:
    return _MeanError(_squares(pairs), np.sqrt)


def _psnr_db(pairs: _Pairs) -> _MeanError:
    return _MeanError(_squares(pairs), _decibels)


def _squares(pairs: _Pairs) -> Float[np.ndarray, " N"]:
    return np.array([one.mse for _, one in pairs], dtype=np.float64)


def _decibels(square: Float[np.ndarray, " R"]) -> Float[np.ndarray, " R"]:
    # No error at all would be infinitely many decibels: undefined.
    return 10 * np.log10(DATA_RANGE**2 / np.where(square > 0, square, np.nan))


def _sums(
    values: Float[np.ndarray, " N"],
    then: Callable[[Float[np.ndarray, " R"]], Float[np.ndarray, " R"]] | None = None,
) -> Sums:
    return Sums(above=values, below=np.ones(len(values)), is_share=False, then=then)
