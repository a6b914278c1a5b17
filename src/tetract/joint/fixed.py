"""``fixed``: the paper's weights and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import torch

from tetract.joint.weighting import Losses, State
from tetract.types import Task


class Fixed:
    """Factor 1 for every task (unitary scalarisation where all w are 1).

    Kurin et al. 2022 (arXiv 2201.04122) and Xin et al. 2022 found tuned fixed weights as good as
    what is below.
    """

    def __init__(self) -> None:
        self.state: State = {}

    def factors(
        self,
        losses: Losses,
        _generator: torch.Generator,
    ) -> dict[Task, float]:
        """One each."""
        return dict.fromkeys(losses, 1.0)

    def learn(self, _losses: Losses, _again: Callable[[], Losses]) -> None:
        """Nothing to learn."""
