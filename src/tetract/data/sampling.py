"""Which rows each training step sees: a pure function of seed and step.

Slots of successive batches go round the active tasks, so every task gets the same number of
image passes and a batch of at least as many rows as tasks teaches each of them. Within a task,
sources are drawn as the square root of their size (large sources do not drown small ones; or as
the recipe says) and
rows with a lesion as often as the recipe says. Nothing is remembered between steps: a resumed run
and any number of workers see the same batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int64

from tetract.errors import RecipeError
from tetract.types import Task

_BLOCK = 256  # draws of a task within which shares are exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How often each kind of row is drawn for a task.

    Attributes:
        positive_fraction: Share of positive rows where a source has both kinds.
        source_balance: Shares of sources: by the square root of their size, by their size, alike.
        classes: (N,) which set of candidate classes each row has, from 0; those of one source and
            sign are drawn alike for classification. None: as often as they come.
    """

    positive_fraction: float = 0.5
    source_balance: Literal["sqrt", "proportional", "equal"] = "sqrt"
    classes: Int64[np.ndarray, " N"] | None = None


DEFAULT = Drawing()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pool:
    """Rows of one task, source and sign (and class), and their draws in each block."""

    key: tuple[int, ...]
    rows: Int64[np.ndarray, " R"]
    quota: int


class BatchPlan:
    """The rows of every step.

    Args:
        labelled: (N, 4) bool, which task each row teaches, columns in the order of ``Task``.
        positive: (N, 4) bool, whether it shows what the task looks for.
        sources: (N,) name of each row's source.
        tasks: The active tasks.
        batch_size: Rows per step.
        seed: Another seed draws other batches.
        drawing: Shares of sources, of positive rows and of classes.

    Raises:
        RecipeError: ``E_TASK_UNTAUGHT`` naming a task that no row teaches.
    """

    def __init__(
        self,
        labelled: Bool[np.ndarray, "N 4"],
        positive: Bool[np.ndarray, "N 4"],
        sources: Sequence[str],
        tasks: Sequence[Task],
        batch_size: int,
        seed: int,
        drawing: Drawing = DEFAULT,
    ) -> None:
        self.tasks = tuple(tasks)
        self.batch_size = batch_size
        self.seed = seed
        named = np.asarray(sources, dtype=np.str_)
        self._pools: list[list[_Pool]] = []
        for task in self.tasks:
            column = list(Task).index(task)
            taught = labelled[:, column]
            if not taught.any():
                raise RecipeError(
                    "E_TASK_UNTAUGHT",
                    "no row of the training split is labelled for an active task",
                    where=str(task),
                    fix="Remove the task from the recipe, or give it labelled rows",
                )
            shares = _shares(taught, positive[:, column], named, drawing)
            if task is Task.CLASSIFICATION and drawing.classes is not None:
                shares = _by_class(shares, drawing.classes)
            self._pools.append(_pools(column, shares))
        self._orders: dict[tuple[int, ...], tuple[int, Int64[np.ndarray, " R"]]] = {}
        self._blocks: dict[int, tuple[int, Int64[np.ndarray, " L"]]] = {}

    def rows(self, step: int) -> tuple[int, ...]:
        """Row indices of step ``step``, counted from 0; some may repeat in small data sets."""
        first = step * self.batch_size
        return tuple(self._row(slot) for slot in range(first, first + self.batch_size))

    def _row(self, slot: int) -> int:
        """The row at a position in the endless sequence of slots."""
        turn, task = divmod(slot, len(self.tasks))
        pools = self._pools[task]
        number, place = divmod(turn, sum(pool.quota for pool in pools))
        block = self._block(task, number)
        picked = int(block[place])
        pool = pools[picked]
        drawn = number * pool.quota + int((block[:place] == picked).sum())
        epoch, position = divmod(drawn, len(pool.rows))
        return int(self._order(pool, epoch)[position])

    def _block(self, task: int, number: int) -> Int64[np.ndarray, " L"]:
        """Which pool each draw of a block goes to: fixed shares, shuffled order."""
        kept = self._blocks.get(task)
        if kept is None or kept[0] != number:
            quotas = [pool.quota for pool in self._pools[task]]
            block = np.repeat(np.arange(len(quotas)), quotas)
            # The key starts with the task, so that tasks added later do not change this one.
            rng = np.random.default_rng([self.seed, 0, *self._pools[task][0].key[:1], number])
            kept = number, rng.permutation(block)
            self._blocks[task] = kept
        return kept[1]

    def _order(self, pool: _Pool, epoch: int) -> Int64[np.ndarray, " R"]:
        """The pool's rows shuffled for one epoch; no row follows itself across epochs."""
        kept = self._orders.get(pool.key)
        if kept is None or kept[0] != epoch:
            order = self._shuffled(pool, epoch)
            if epoch and len(order) > 2 and order[0] == self._shuffled(pool, epoch - 1)[-1]:
                order[[0, 1]] = order[[1, 0]]
            kept = epoch, order
            self._orders[pool.key] = kept
        return kept[1]

    def _shuffled(self, pool: _Pool, epoch: int) -> Int64[np.ndarray, " R"]:
        # Two rows take turns: any reshuffling could show one of them twice in a row.
        turn = epoch if len(pool.rows) > 2 else 0
        return np.random.default_rng([self.seed, 1, *pool.key, turn]).permutation(pool.rows)


_Shares = list[tuple[tuple[int, ...], Int64[np.ndarray, " _"], float]]


def _shares(
    taught: Bool[np.ndarray, " N"],
    positive: Bool[np.ndarray, " N"],
    sources: np.ndarray,
    drawing: Drawing,
) -> _Shares:
    """(source, sign), rows and weight of every non-empty pool of a task; weights sum to 1."""
    names = np.unique(sources[taught])
    power = {"equal": 0.0, "sqrt": 0.5, "proportional": 1.0}[drawing.source_balance]
    sizes = {name: float((taught & (sources == name)).sum()) ** power for name in names}
    shares: _Shares = []
    for index, name in enumerate(names):
        weight = sizes[name] / sum(sizes.values())
        mine = taught & (sources == name)
        split = [np.flatnonzero(mine & ~positive), np.flatnonzero(mine & positive)]
        both, wanted = all(len(rows) for rows in split), drawing.positive_fraction
        for sign, rows in enumerate(split):
            chance = (wanted if sign else 1 - wanted) if both else 1.0
            if len(rows) and chance > 0:
                shares.append(((index, sign), rows, weight * chance))
    return shares


def _by_class(shares: _Shares, classes: Int64[np.ndarray, " N"]) -> _Shares:
    """Each pool split into one per class, alike."""
    return [
        ((*key, int(kind)), rows[classes[rows] == kind], weight / len(kinds))
        for key, rows, weight in shares
        for kinds in [np.unique(classes[rows])]
        for kind in kinds
    ]


def _pools(column: int, shares: _Shares) -> list[_Pool]:
    """Whole numbers of draws per block by largest remainder, at least one each."""
    length = max(_BLOCK, 4 * len(shares))
    wanted = np.array([weight for _, _, weight in shares]) * length
    quotas = np.maximum(np.floor(wanted), 1).astype(np.int64)
    missing = max(length - int(quotas.sum()), 0)
    quotas[np.argsort(quotas - wanted, kind="stable")[:missing]] += 1
    return [
        _Pool(key=(column, *key), rows=rows.astype(np.int64), quota=int(quota))
        for (key, rows, _), quota in zip(shares, quotas, strict=True)
    ]
