"""Slices beside a slice, as channels of their own (2.5-D input)."""

from __future__ import annotations

from dataclasses import dataclass

from tetract.types import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Which slices beside a slice a model sees.

    Attributes:
        each_side: How many on either side; 0: the slice alone.
        distance_mm: From one to the next, as near as the volume's slices allow and one slice at
            least. None, and where the spacing is unknown: the next slice.
    """

    each_side: int = 0
    distance_mm: float | None = None

    def slices(self, volume: Volume, index: int) -> list[int]:
        """Their indices in storage order, the slice itself in the middle.

        Beyond the ends of the volume the last slice is repeated; a single picture repeats itself.
        """
        step = 1
        if self.distance_mm is not None and volume.geometry is not None:
            step = max(1, round(self.distance_mm / volume.geometry.spacing_mm[0]))
        reach = range(-self.each_side, self.each_side + 1)
        return [min(max(index + step * k, 0), volume.depth - 1) for k in reach]


NO_NEIGHBOURS = Neighbours()
