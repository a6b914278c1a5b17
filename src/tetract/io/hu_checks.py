"""Whether numbers can be Hounsfield units."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64, Shaped

from tetract.errors import ReadError

AIR_HU = -1024
# What scanners write: padding as low as -3024, metal as high as the extended range.
PLAUSIBLE_HU = (-3100.0, 20000.0)
# Extended CT scales end near 31 700; what lies above was unsigned data read as signed, or the
# reverse.
LARGEST_HU = 32767.0
MAX_IMPLAUSIBLE_SHARE = 0.01
JUMP_HU = 500.0
_SAMPLE_STEP = 4


@dataclass(slots=True, kw_only=True)
class HuTally:
    """Counts over the slices of one volume, in reading order.

    Attributes:
        voxels: Seen so far.
        implausible: Outside [-3100, 20000] HU, padding left out.
        padding: Declared padding set to -1024 HU.
        below_air: Undeclared values below -1024 HU set to -1024 HU.
        lowest: Smallest value before that.
        rounded: Whether a value was not an integer.
        quantiles: (5 %, 50 %, 95 %) of each slice, padding left out.
    """

    voxels: int = 0
    implausible: int = 0
    padding: int = 0
    below_air: int = 0
    lowest: float = 0.0
    rounded: bool = False
    quantiles: list[tuple[float, float, float]] = field(default_factory=list)

    def check_range(self, where: str) -> None:
        """Refuse a volume of which more than 1 % lies outside [-3100, 20000] HU.

        Raises:
            ReadError: ``E_HU_RANGE``.
        """
        if self.implausible > MAX_IMPLAUSIBLE_SHARE * self.voxels:
            raise _range_error(where, f"{self.implausible / self.voxels:.1%} of voxels outside")

    def check_jumps(self, where: str, names: tuple[str, ...]) -> None:
        """Refuse a slice whose whole grey scale is shifted against its neighbours.

        Two signs: between two neighbours the 5 %, 50 % and 95 % quantiles all move by more than
        500 HU the same way; or one slice's median stands more than 500 HU off both neighbours,
        and its 5 % or 95 % quantile does so too. The median alone jumps in good series, where
        about half of a slice is air.

        Raises:
            ReadError: ``E_HU_JUMP`` naming the slice.
        """
        table = np.asarray(self.quantiles, dtype=np.float64).reshape(-1, 3)
        flat = table[:, 0] == table[:, 2]  # a blank slice has no grey scale to compare
        steps = np.diff(table, axis=0)
        for index, step in enumerate(steps):
            if not flat[index : index + 2].any() and _moves(step).all():
                raise _jump_error(where, names[index + 1], names[index], step[1])
        for index in range(1, len(table) - 1):
            into, out = steps[index - 1], -steps[index]
            both = _moves(into) & _moves(out) & (np.sign(into) == np.sign(out))
            if both[1] and (both[0] or both[2]) and not flat[index]:
                raise _jump_error(where, names[index], names[index - 1], into[1])

    def warnings(self, where: str) -> tuple[str, ...]:
        """``W_PADDING``, ``W_BELOW_AIR`` and ``W_ROUNDED``, one line each."""
        lines: list[str] = []
        if self.padding:
            lines.append(f"W_PADDING {where}: {self.padding} padding voxels set to {AIR_HU} HU")
        if self.below_air:
            lines.append(
                f"W_BELOW_AIR {where}: {self.below_air} voxels below {AIR_HU} HU"
                f" (down to {self.lowest:g}) set to {AIR_HU} HU"
            )
        if self.rounded:
            lines.append(f"W_ROUNDED {where}: values were rounded to whole HU")
        return tuple(lines)


def settle_slice(
    hu: Shaped[np.ndarray, "H W"],
    padding: Bool[np.ndarray, "H W"] | None,
    tally: HuTally,
    where: str,
) -> Shaped[np.ndarray, "H W"]:
    """Round one slice to whole HU, set padding and everything below air to -1024, and count.

    Args:
        hu: (H, W) float64 or int32 values in HU; overwritten where integers.
        padding: (H, W) declared padding, or None.
        tally: Counts of the volume, added to.
        where: Base name for errors.

    Raises:
        ReadError: ``E_HU_RANGE`` when a value cannot be a Hounsfield unit at all.
    """
    whole = hu
    if np.issubdtype(hu.dtype, np.floating):
        whole = np.rint(hu)
        tally.rounded = tally.rounded or not np.array_equal(whole, hu)
    tally.voxels += whole.size
    if padding is not None:
        tally.padding += int(padding.sum())
        whole[padding] = AIR_HU  # a plausible value, so that the counts below pass over it
    lowest, highest = float(whole.min()), float(whole.max())
    if highest > LARGEST_HU:
        raise _range_error(where, f"{highest:g} HU")
    low, high = PLAUSIBLE_HU
    if lowest < low or highest > high:
        tally.implausible += int(((whole < low) | (whole > high)).sum())
    if lowest < AIR_HU:
        tally.below_air += int((whole < AIR_HU).sum())
        tally.lowest = min(tally.lowest, lowest)
        np.maximum(whole, AIR_HU, out=whole)
    tally.quantiles.append(_quantiles(whole, padding))
    return whole


def _quantiles(
    whole: Shaped[np.ndarray, "H W"], padding: Bool[np.ndarray, "H W"] | None
) -> tuple[float, float, float]:
    step = _SAMPLE_STEP if whole.size > 10_000 else 1
    sample = whole[::step, ::step]
    if padding is not None:
        sample = sample[~padding[::step, ::step]]
    if sample.size == 0:
        return float(AIR_HU), float(AIR_HU), float(AIR_HU)
    low, middle, high = np.percentile(sample, [5, 50, 95])
    return float(low), float(middle), float(high)


def _moves(step: Float64[np.ndarray, " 3"]) -> Bool[np.ndarray, " 3"]:
    same_way = np.sign(step) == np.sign(step[1])
    return (np.abs(step) > JUMP_HU) & same_way


def _range_error(where: str, found: str) -> ReadError:
    return ReadError(
        "E_HU_RANGE",
        "these numbers cannot be Hounsfield units: wrong sign, wrong rescale or not CT",
        where=where,
        expected=f"{PLAUSIBLE_HU[0]:g} to {PLAUSIBLE_HU[1]:g} HU",
        found=found,
        fix="Export the images again and check PixelRepresentation and rescale",
    )


def _jump_error(where: str, name: str, neighbour: str, step: float) -> ReadError:
    return ReadError(
        "E_HU_JUMP",
        "the grey scale jumps between neighbouring slices; one rescale is probably wrong",
        where=where,
        expected=f"medians within {JUMP_HU:g} HU of each other",
        found=f"{step:+.0f} HU from {neighbour} to {name}",
        fix="Export the series again",
    )
