"""K-fold cross-validation: each patient is tested on once, source by source and label by label."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tetract.data.cells import Split
from tetract.data.splits import Group, drawn, groups_of
from tetract.data.table import Row
from tetract.errors import LabelError

_RARE = ("rare",)  # no stratum: those name what they hold
_VALIDATION_PARTS = 8  # of what a fold does not test on, one eighth is tuned on


def fold_rows(rows: Sequence[Row], folds: int, seed: int = 0) -> tuple[tuple[Row, ...], ...]:
    """The rows split ``folds`` times; every patient is in the test part exactly once.

    Whole patients are dealt out within each source and each kind of labels, in an order drawn by
    sha256 of seed and key, each to the fold with the fewest rows of its kind. So where at least
    ``folds`` patients of a source show the same labels, the folds differ by no more of their
    rows than the largest of these patients has. Rarer kinds are dealt out together. What a fold
    does not test on is dealt out once more in the same way: an eighth to tune on, the rest to
    train on. Splits that rows already have are not looked at, and their order has no influence.

    Args:
        rows: All rows of the data set.
        folds: How many, 2 or more.
        seed: Another seed draws another order.

    Returns:
        ``folds`` tuples of all rows in the order given, with their splits in that fold.

    Raises:
        LabelError: ``E_FEW_PATIENTS`` with fewer patients than folds, or when a fold leaves fewer
            than two to train and tune on; ``E_BAD_FOLDS`` for fewer than two folds.
    """
    if folds < 2:
        raise LabelError(
            "E_BAD_FOLDS", "too few folds", expected="2 or more", found=str(folds), where="--folds"
        )
    groups = groups_of(rows)
    if len(groups) < folds:
        raise _too_few(f"{folds} or more patients", str(len(groups)))
    tested = _dealt(groups, folds, seed)
    return tuple(_rows_of_fold(rows, groups, tested, fold, seed) for fold in range(folds))


def fold_hash(folds: Sequence[Sequence[Row]]) -> str:
    """sha256 (hex) of who is where in which fold; independent of row order and file places."""
    lines = {
        f"{number}\t{row.source}\t{row.group}\t{row.split}"
        for number, rows in enumerate(folds)
        for row in rows
    }
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _rows_of_fold(
    rows: Sequence[Row],
    groups: Sequence[Group],
    tested: Mapping[str, int],
    fold: int,
    seed: int,
) -> tuple[Row, ...]:
    others = [group for group in groups if tested[group.key] != fold]
    if len(others) < 2:
        raise _too_few("2 or more patients to train and tune on", f"{len(others)} in fold {fold}")
    parts = _dealt(others, min(_VALIDATION_PARTS, len(others)), seed)

    def split(key: str) -> Split:
        if tested[key] == fold:
            return Split.TEST
        return Split.VAL if parts[key] == 0 else Split.TRAIN

    return tuple(replace(row, split=split(row.group)) for row in rows)


def _dealt(groups: Sequence[Group], parts: int, seed: int) -> dict[str, int]:
    """A part for each patient, each source and kind of labels spread over all of them."""
    by_kind: defaultdict[tuple[str, tuple[str, ...]], list[Group]] = defaultdict(list)
    alike = Counter((group.source, group.stratum) for group in groups)
    for group in groups:
        is_common = alike[group.source, group.stratum] >= parts
        by_kind[group.source, group.stratum if is_common else _RARE].append(group)
    dealer = _Dealer(parts)
    # Rare kinds last within their source, so that they even out the rest.
    for source, kind in sorted(by_kind, key=lambda key: (key[0], key[1] == _RARE, key[1])):
        for group in sorted(by_kind[source, kind], key=lambda g: drawn(seed, g.key)):
            dealer.deal(group, kind)
    return dealer.placed


class _Dealer:
    """Deals patients one by one to the part with the fewest rows of their kind."""

    def __init__(self, parts: int) -> None:
        self.placed: dict[str, int] = {}
        self._parts = range(parts)
        self._of_kind: Counter[tuple[str, tuple[str, ...], int]] = Counter()
        self._of_source: Counter[tuple[str, int]] = Counter()
        self._of_all: Counter[int] = Counter()

    def deal(self, group: Group, kind: tuple[str, ...]) -> None:
        """Place one patient."""

        def fullness(part: int) -> tuple[int, int, int]:
            source = self._of_source[group.source, part]
            first = source if kind == _RARE else self._of_kind[group.source, kind, part]
            return first, source, self._of_all[part]

        part = min(self._parts, key=fullness)
        self.placed[group.key] = part
        self._of_kind[group.source, kind, part] += group.size
        self._of_source[group.source, part] += group.size
        self._of_all[part] += group.size


def _too_few(expected: str, found: str) -> LabelError:
    return LabelError(
        "E_FEW_PATIENTS",
        "too few patients for so many folds",
        expected=expected,
        found=found,
        fix="Ask for fewer folds",
    )
