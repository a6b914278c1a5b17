"""The random-label run: what a probe learns from labels that mean nothing must be nothing.

Yagis et al. 2021 (doi 10.1038/s41598-021-01681-w) gave patients labels by lot: networks "told" them
on test slices whenever slices of one patient lay on both sides of the split. Labels by patient id
cannot show a leak where the ids are missing or wrong, so here they are drawn per *scan as it
looks*: slices of one id, and slices that look alike, share a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from tetract.evaluate.cards.look_alikes import are_alike, scans
from tetract.evaluate.cards.probes import Probe, nearest, ridge

DRAWS: Final = 1000
CHANCE: Final = 0.5
# Rarely wrong rather than quick to alarm: one honest split in 2000 is called leaking by a probe.
LEVEL: Final = 0.999
FEWEST: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One probe, fitted and asked many times.

    Attributes:
        probe: Which one, in words.
        accuracy: Mean over the draws of the share of scored slices whose label it said.
        low: Lower end of the 99.9 % interval of that mean.
        high: Upper end.
    """

    probe: str
    accuracy: float
    low: float
    high: float

    @property
    def leaks(self) -> bool:
        """Whether it is above chance."""
        return self.low > CHANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomLabels:
    """The whole run.

    Attributes:
        runs: One per probe.
        trained: Training slices.
        scored: Scored slices.
        groups: Scans among all of them.
        torn: Scored slices that look like a training slice.
    """

    runs: tuple[Run, ...]
    trained: int
    scored: int
    groups: int
    torn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The slices of one side of the split.

    Attributes:
        details: ``look_alikes.details``.
        features: Of the network.
        groups: The recorded group of each.
    """

    details: Float[np.ndarray, "N D"]
    features: Float[np.ndarray, "N F"]
    groups: tuple[str, ...]


def run_random_labels(trained: Side, scored: Side) -> RandomLabels:
    """Draw labels, fit on the training slices, ask of the scored ones; 1000 times.

    A label is a coin flip per scan, so whatever a probe says is right with probability 1/2 on
    every slice whose scan lies on one side: the mean is 0.5 exactly, for any probe.
    """
    both = np.concatenate([trained.details, scored.details])
    scan = scans(both, (*trained.groups, *scored.groups))
    rng = np.random.default_rng(0)
    coins = rng.integers(0, 2, size=(int(scan.max()) + 1, DRAWS)) * 2.0 - 1.0
    known, truth = np.split(coins[scan], [len(trained.groups)])
    asked: Sequence[tuple[str, Probe, str]] = (
        ("nearest neighbour on 64 px details", nearest, "details"),
        ("ridge on the network's features", ridge, "features"),
    )
    runs = tuple(
        _run(name, probe(getattr(trained, what), known, getattr(scored, what)), truth)
        for name, probe, what in asked
    )
    return RandomLabels(
        runs=runs,
        trained=len(trained.groups),
        scored=len(scored.groups),
        groups=len(coins),
        torn=int(are_alike(scored.details, trained.details).any(axis=1).sum()),
    )


def _run(name: str, said: Float[np.ndarray, "M L"], truth: Float[np.ndarray, "M L"]) -> Run:
    # A tie is half right, as a coin would be.
    right = (1 + np.sign(said) * truth) / 2
    draws = right.mean(axis=0)
    reach = float(ndtri((1 + LEVEL) / 2) * draws.std(ddof=1) / np.sqrt(len(draws)))
    mean = float(draws.mean())
    return Run(probe=name, accuracy=mean, low=mean - reach, high=mean + reach)
