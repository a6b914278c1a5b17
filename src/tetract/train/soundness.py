"""Batches whose loss or gradient is no finite number: passed over, counted, then refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn

from tetract.errors import TetractError
from tetract.types import Task
from tetract.types.batch import Batch, Identity

IN_A_ROW, IN_ALL = 3, 10
MOST_NAMED = 8

NameRow = Callable[[Identity], str]


def row_position(who: Identity) -> str:
    """How a row is named where no table is at hand."""
    return f"position {who.row}"


class Soundness:
    """Counts spoilt batches; the weights never see them.

    Args:
        name_row: How a message calls a row; never by its patient.
    """

    def __init__(self, name_row: NameRow = row_position) -> None:
        self.name_row = name_row
        self.in_a_row = 0
        self.in_all = 0

    def sound(self) -> None:
        """A batch was as it should be."""
        self.in_a_row = 0

    def spoilt(self, step: int, what: str, rows: Iterable[Identity]) -> None:
        """A batch was not.

        Args:
            step: Optimiser steps taken before it.
            what: Such as ``the loss of segmentation``.
            rows: Those that may have done it.

        Raises:
            TetractError: ``E_LOSS_NOT_FINITE`` at the third in a row or the tenth in all.
        """
        self.in_a_row += 1
        self.in_all += 1
        if self.in_a_row < IN_A_ROW and self.in_all < IN_ALL:
            return
        often = (
            f"{self.in_a_row} batches in a row"
            if self.in_a_row >= IN_A_ROW
            else f"{self.in_all} batches in all"
        )
        named = list(dict.fromkeys(self.name_row(who) for who in rows))
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        raise TetractError(
            "E_LOSS_NOT_FINITE",
            f"{what} was not a finite number, {often}",
            where=f"step {step}, {', '.join(named[:MOST_NAMED])}{more}",
            fix="Lower optimiser.rate or look at these rows; last/ holds the weights from before, "
            "and --resume goes on from there",
        )


def rows_behind(batch: Batch, tasks: Iterable[Task]) -> tuple[Identity, ...]:
    """The rows of ``batch`` that teach one of ``tasks``."""
    columns = [list(Task).index(task) for task in tasks]
    rows: list[int] = batch.labelled[:, columns].any(dim=1).nonzero().flatten().tolist()
    return tuple(batch.identity[row] for row in rows)


class KeptBuffers:
    """Copies of what a forward pass changes by itself: BatchNorm's running statistics."""

    def __init__(self, network: nn.Module) -> None:
        self._buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]

    @torch.no_grad()
    def put_back(self) -> None:
        """Undo the passes since."""
        for buffer, before in self._buffers:
            buffer.copy_(before)
