"""Which slices the cards look at: a bounded number, spread over patients, read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from tetract.data.dataset import SliceDataset
from tetract.data.splits import drawn
from tetract.errors import TetractError
from tetract.model import Network
from tetract.types import Task
from tetract.types.batch import Sample

MOST_TRAINED: Final = 128
MOST_SCORED: Final = 96
_PER_PATIENT: Final = 4
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """Slices that the probes see.

    Attributes:
        scored: Of the evaluated split.
        trained: Of the training split; empty where it is the evaluated one or cannot be had.
        unread: Chosen slices that could not be read.
    """

    scored: tuple[Sample, ...]
    trained: tuple[Sample, ...]
    unread: int

    @property
    def all(self) -> tuple[Sample, ...]:
        """Training slices first."""
        return (*self.trained, *self.scored)


def look_at(scored: SliceDataset, trained: SliceDataset | None) -> LookedAt:
    """Choose and read the slices; the same data set gives the same choice.

    Half of the training slices are those that stand next to a chosen scored slice in the table:
    slices of one scan stand together, so a scan that was torn apart is met there if anywhere.
    """
    chosen = spread(_groups(scored), MOST_SCORED, _PER_PATIENT)
    seen, failed = read(scored, chosen)
    if trained is None:
        return LookedAt(scored=seen, trained=(), unread=failed)
    near = _next_to(trained, [scored.items[k].position for k in chosen])
    near = spread([str(k) for k in near], MOST_TRAINED // 2, 1, near)
    others = [k for k in spread(_groups(trained), MOST_TRAINED, _PER_PATIENT) if k not in near]
    taught, also = read(trained, sorted([*near, *others[: MOST_TRAINED - len(near)]]))
    return LookedAt(scored=seen, trained=taught, unread=failed + also)


def spread(
    groups: Sequence[str], most: int, per_group: int, names: Sequence[int] | None = None
) -> list[int]:
    """At most ``most`` places, group by group in an order drawn by lot, evenly within a group.

    Args:
        groups: The group of each place.
        most: Places to choose.
        per_group: Places of one group.
        names: What to call the places; None: their numbers.
    """
    members: defaultdict[str, list[int]] = defaultdict(list)
    for place, group in enumerate(groups):
        members[group].append(place if names is None else names[place])
    chosen: list[int] = []
    for group in sorted(members, key=lambda key: drawn(0, key)):
        mine = members[group]
        at = np.linspace(0, len(mine) - 1, min(per_group, len(mine))).round().astype(int)
        chosen += [mine[k] for k in at]
    return sorted(chosen[:most])


def read(dataset: SliceDataset, places: Iterable[int]) -> tuple[tuple[Sample, ...], int]:
    """The slices at these places, and how many could not be read."""
    samples: list[Sample] = []
    failed = 0
    for place in places:
        try:
            samples.append(dataset.sample(place))
        except TetractError:
            failed += 1
    return tuple(samples), failed


def images(samples: Sequence[Sample]) -> Float32[Tensor, "N C H W"]:
    """Their images, stacked."""
    return torch.from_numpy(np.stack([sample.image for sample in samples]))


def labelled(samples: Iterable[Sample], task: Task) -> tuple[Sample, ...]:
    """Those that teach ``task``."""
    return tuple(sample for sample in samples if sample.targets.is_labelled(task))


@torch.no_grad()
def features(network: Network, samples: Sequence[Sample]) -> Float[np.ndarray, "N F"]:
    """What the encoder's two deepest maps hold on average, as the classifier's pooling sees it."""
    device = next(network.parameters()).device
    rows: list[Float[np.ndarray, "n F"]] = []
    for first in range(0, len(samples), _AT_ONCE):
        maps = network.encoder(images(samples[first : first + _AT_ONCE]).to(device)).maps
        pooled = torch.cat([one.mean(dim=(2, 3)) for one in maps[-2:]], dim=1)
        rows.append(pooled.double().cpu().numpy())
    return np.concatenate(rows)


def _groups(dataset: SliceDataset) -> list[str]:
    return [item.row.group for item in dataset.items]


def _next_to(trained: SliceDataset, positions: Sequence[int]) -> list[int]:
    """The training slice whose row stands closest before or after each of the positions."""
    rows = np.array([item.position for item in trained.items])
    if not len(rows):
        return []
    return sorted({int(np.abs(rows - position).argmin()) for position in positions})
