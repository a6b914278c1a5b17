"""Whether a reconstruction repeats the noise of its input: what cannot be inferred was copied.

Noise does not follow from anatomy. A network that is shown the whole slice and gives it back more
closely than its own noise has let pixels through, and its small error says nothing about what it
has learnt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

# From a median of absolute values to the standard deviation of a normal.
_TO_DEVIATION: Final = 1.4826
# Below this a median of the grain is too uncertain.
_FEWEST_PIXELS: Final = 100
# Rounding to 8 bits alone looks like noise of half a grey level: below 0.56 levels none is seen.
_FINEST: Final = 0.56 / 255
# Beyond this many deviations the grain is an edge or a vessel.
_GRAIN_REACH: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grain:
    """The noise of one slice and what became of it, where the window clips nothing.

    Attributes:
        noise: Its standard deviation, in units of the model's window.
        residual: Standard deviation of what the reconstruction left out, in the same pixels and
            estimated alike.
        kept: Share of the fine grain that the reconstruction holds too: 1 where it was copied,
            0 where it was left out; below 0 or above 1 where it was turned round or sharpened.
        correlation: Of the fine grain of the residual with that of the slice: 1 where the grain
            was left out or weakened, near 0 where the errors have nothing to do with it; None
            where there is no residual.
    """

    noise: float
    residual: float
    kept: float
    correlation: float | None


def measure_grain(
    image: Float[np.ndarray, "C H W"], reconstruction: Float[np.ndarray, "C H W"]
) -> Grain | None:
    """Compare the grain of a slice with that of its reconstruction.

    The grain is what the 3 x 3 Laplacian difference of Immerkaer (1996, doi
    10.1006/cviu.1996.0060) leaves of a picture; steps and slopes have none. Its level is read from
    the median, which the few pixels at edges and vessels do not move (Donoho and Johnstone 1994,
    doi 10.1093/biomet/81.3.425). Pixels at either end of the window, and those beside them, were
    clipped and have lost their noise: they are left out, and with them most air.

    Args:
        image: What was shown, [0, 1].
        reconstruction: What the model made of it.

    Returns:
        The comparison, or None where no noise can be seen: too few pixels inside the window, or
        a slice smoother than 8 bits resolve.
    """
    if min(image.shape[1:]) < 3:
        return None
    inside = _unclipped(image)
    if int(inside.sum()) < _FEWEST_PIXELS:
        return None
    grain = _grain(image)[inside]
    noise = _deviation(grain)
    if noise < _FINEST:
        return None
    residual = image.astype(np.float64) - reconstruction
    # Edges have far more power than noise; a reconstruction may keep them and drop the noise.
    fine = np.abs(grain) <= _GRAIN_REACH * noise
    grain, left = grain[fine], _grain(residual)[inside][fine]
    power, left_power, common = grain @ grain, left @ left, grain @ left
    return Grain(
        noise=noise,
        residual=_deviation(residual[:, 1:-1, 1:-1][inside]),
        kept=1 - float(common / power),
        correlation=float(common / np.sqrt(power * left_power)) if left_power > 0 else None,
    )


def _deviation(values: Float[np.ndarray, " N"]) -> float:
    return _TO_DEVIATION * float(np.median(np.abs(values)))


def _unclipped(image: Float[np.ndarray, "C H W"]) -> Bool[np.ndarray, "C h w"]:
    """True where a pixel and its eight neighbours lie inside the window; without the border."""
    within = (image > 0) & (image < 1)
    rows = within[:, :-2] & within[:, 1:-1] & within[:, 2:]
    return rows[:, :, :-2] & rows[:, :, 1:-1] & rows[:, :, 2:]


def _grain(image: Float[np.ndarray, "C H W"]) -> Float[np.ndarray, "C h w"]:
    """The Laplacian difference, of unit gain for white noise; without the border."""
    wide = image.astype(np.float64)
    rows = wide[:, :-2] - 2 * wide[:, 1:-1] + wide[:, 2:]
    return (rows[:, :, :-2] - 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 6
