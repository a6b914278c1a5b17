"""What box formats have in common: images, and the lesions outlined on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from tetract.data.cells import Split

Corners = tuple[float, float, float, float]
Draw = Callable[[], Bool[np.ndarray, "H W"]]
"""Makes the pixels of one outline on the canvas of its image; only when they are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlined:
    """One lesion as a foreign file describes it.

    Attributes:
        label: Its name in the foreign file.
        xyxy: ``x0 y0 x1 y1`` in px, half-open, finite, with an area; it may leave the image.
        draw: Its pixels, or None where only the box is known.
        crowd: Whether it is one outline around several lesions that nobody told apart.
    """

    label: str
    xyxy: Corners
    draw: Draw | None = None
    crowd: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlinedImage:
    """One image of a foreign data set.

    Attributes:
        number: Which entry it is, from 1, as the foreign file counts.
        path: The image.
        name: How the foreign file calls it; patients are found by this name.
        canvas: ``(H, W)`` in px that the outlines refer to.
        outlined: The lesions; ``()`` where somebody looked in vain, None where nobody looked.
        split: A split that the foreign data set publishes.
    """

    number: int
    path: Path
    name: str
    canvas: tuple[int, int]
    outlined: tuple[Outlined, ...] | None
    split: Split = Split.UNASSIGNED


@dataclass(slots=True)
class Mended:
    """What was mended without a loss of meaning, counted for the report.

    Attributes:
        counts: Number of boxes per warning code.
    """

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, code: str) -> None:
        """Count one more."""
        self.counts[code] = self.counts.get(code, 0) + 1
