"""The masks' decoder in one step: run once per row, whichever arms read it."""

from __future__ import annotations

import torch
from jaxtyping import Int64
from torch import Tensor

from tetract.tasks.segmentation import SegmentationHead
from tetract.types.batch import Features


class Decoding:
    """What the segmentation arm has decoded of one batch so far.

    Args:
        arm: The segmentation arm.
        features: The encoder's features of every row.
    """

    def __init__(self, arm: SegmentationHead, features: Features) -> None:
        self._arm = arm
        self._features = features
        self._rows = torch.zeros(0, dtype=torch.int64, device=features.maps[0].device)
        self._known: Features | None = None

    def steps(self, rows: Int64[Tensor, " R"]) -> Features:
        """The decoder's steps for ``rows``, finest first; what is known is not made again.

        Gradients flow into the decoder, except for rows first asked for while they are off.
        """
        missing = rows[~torch.isin(rows, self._rows)]
        known = self._known
        if known is None or len(missing):
            made = self._arm.steps(self._features.select(missing))
            known = self._known = made if known is None else _joined(known, made)
            self._rows = torch.cat([self._rows, missing])
        if torch.equal(rows, self._rows):
            return known
        return known.select((rows[:, None] == self._rows[None]).int().argmax(dim=1))


def _joined(first: Features, second: Features) -> Features:
    maps = zip(first.maps, second.maps, strict=True)
    return Features(maps=tuple(torch.cat(pair) for pair in maps), strides=first.strides)
