"""Pictures of why a model answers as it does, and whether they depend on the model at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, slots=True, kw_only=True)
class MapLayer:
    """One map over one slice.

    Attributes:
        name: Short, as in a file name: "class-covid", "objectness", "hidden-residual".
        title: What it shows, in words.
        values: (H, W) at the slice's own pixels, 0 and above.
        unit: What the values are.
    """

    name: str
    title: str
    values: Float32[np.ndarray, "H W"]
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedSlice:
    """The maps of one slice.

    Attributes:
        index: Position in the study, from 0.
        layers: One per map.
    """

    index: int
    layers: tuple[MapLayer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sanity:
    """Does a map change when the weights are drawn anew (Adebayo et al. 2018)?

    Attributes:
        name: Name of the layer.
        correlation: Mean absolute rank correlation of the map with those of networks of random
            weights; None where a map is the same everywhere.
        passed: Whether it lies below the threshold; None where it is undefined.
        threshold: Of ``passed``.
        slices: How many slices it was measured on.
        networks: How many random networks.
        reason: Why it is undefined; "".
    """

    name: str
    correlation: float | None
    passed: bool | None
    threshold: float
    slices: int
    networks: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanations:
    """Maps of some slices of a study, and whether they depend on the model.

    Attributes:
        slices: In the order of the study.
        sanity: One per map.
    """

    slices: tuple[ExplainedSlice, ...]
    sanity: tuple[Sanity, ...]
