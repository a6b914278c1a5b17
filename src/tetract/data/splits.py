"""Which rows are trained on, tuned on and tested on: whole patients, source by source."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tetract.data.cells import MaskSource, Split
from tetract.data.table import Row
from tetract.errors import LabelError

_PARTS = (Split.TRAIN, Split.VAL, Split.TEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitFractions:
    """Shares of slices aimed at within each source; they sum to 1.

    Attributes:
        train: Share to train on.
        val: Share to tune and stop on.
        test: Share that only the final evaluation sees.
    """

    train: float = 0.7
    val: float = 0.1
    test: float = 0.2

    def __post_init__(self) -> None:
        """Refuse shares that are not shares.

        Raises:
            LabelError: ``E_SPLIT_FRACTIONS``.
        """
        shares = (self.train, self.val, self.test)
        if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
            raise LabelError(
                "E_SPLIT_FRACTIONS",
                "split shares must be at least 0 and sum to 1",
                found=f"train={self.train:g} val={self.val:g} test={self.test:g}",
            )

    def of(self, part: Split) -> float:
        """The share of ``part``."""
        return {Split.TRAIN: self.train, Split.VAL: self.val, Split.TEST: self.test}[part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rows of one patient (or of one image without a patient).

    Attributes:
        key: ``Row.group`` of its rows.
        source: The source it is counted in.
        size: Number of rows.
        stratum: What its labels show, sorted: classes, masks and boxes that are present.
    """

    key: str
    source: str
    size: int
    stratum: tuple[str, ...]


@dataclass(slots=True)
class _Fill:
    """Slices placed so far, per part and per (stratum, part)."""

    overall: Counter[Split] = field(default_factory=Counter)
    within: Counter[tuple[tuple[str, ...], Split]] = field(default_factory=Counter)

    def add(self, group: Group, part: Split) -> None:
        self.overall[part] += group.size
        self.within[group.stratum, part] += group.size


def assign_splits(
    rows: Sequence[Row], fractions: SplitFractions | None = None, seed: int = 0
) -> tuple[Row, ...]:
    """Give every ``unassigned`` row a split, whole patients at a time.

    Words that a row already has stay, and the patient's other rows follow them. Within each
    source, patients in an order drawn by sha256 of seed and key go where most slices are still
    wanted: among patients whose labels show the same classes where there are at least three of
    the kind, else overall. That is the greedy idea of iterative stratification (Sechidis et al.,
    ECML PKDD 2011), rare kinds last so that they even out the rest. A source with one patient
    trains, with two trains and tests, with three or more has all parts. The order of ``rows`` has
    no influence.

    Args:
        rows: All rows of the data set.
        fractions: Shares of slices per part.
        seed: Another seed draws another order.

    Raises:
        LabelError: ``E_PATIENT_LEAK`` when given words already tear a patient apart.
    """
    shares = fractions or SplitFractions()
    check_no_patient_in_two_splits(rows)
    placed = {row.group: row.split for row in rows if row.split != Split.UNASSIGNED}
    by_source: defaultdict[str, list[Group]] = defaultdict(list)
    for group in groups_of(rows):
        by_source[group.source].append(group)
    for groups in by_source.values():
        placed |= _assign_source(groups, placed, shares, seed)
    return tuple(replace(row, split=placed[row.group]) for row in rows)


def check_no_patient_in_two_splits(rows: Iterable[Row]) -> None:
    """Refuse a table that trains and tests on the same patient.

    Raises:
        LabelError: ``E_PATIENT_LEAK`` naming the patient's key, both splits and a row of each.
    """
    first: dict[str, Row] = {}
    for row in rows:
        if row.split == Split.UNASSIGNED:
            continue
        other = first.setdefault(row.group, row)
        if other.split != row.split:
            raise LabelError(
                "E_PATIENT_LEAK",
                f"patient '{row.group}' is in two splits",
                where=f"rows {other.number} and {row.number}",
                expected="one split per patient",
                found=f"{other.split} and {row.split}",
                fix="Give all rows of a patient the same split, or write unassigned",
            )


def split_hash(rows: Iterable[Row]) -> str:
    """sha256 (hex) of who is in which split; independent of row order and of where files lie."""
    lines = sorted({f"{row.source}\t{row.group}\t{row.split}" for row in rows})
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def groups_of(rows: Sequence[Row]) -> list[Group]:
    """The patients behind rows, each with its source, size and stratum."""
    members: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        members[row.group].append(row)
    return [
        Group(
            key=key,
            # A patient found in two sources is counted in one of them, whole.
            source=min(row.source for row in mine),
            size=len(mine),
            stratum=tuple(sorted(set().union(*map(_shows, mine)))),
        )
        for key, mine in members.items()
    ]


def _shows(row: Row) -> set[str]:
    """What a row's labels show: its class when certain, masks and boxes when present."""
    label = row.label or frozenset()
    shown = {f"class {name}" for name in label} if len(label) == 1 else set[str]()
    shown |= {f"mask {k}" for k, m in (row.mask or {}).items() if isinstance(m, MaskSource)}
    return shown | {f"box {box.label}" for box in row.boxes or ()}


def _assign_source(
    groups: list[Group], given: dict[str, Split], shares: SplitFractions, seed: int
) -> dict[str, Split]:
    fill = _Fill()
    for group in groups:
        if group.key in given:
            fill.add(group, given[group.key])
    order = {group.key: drawn(seed, group.key) for group in groups}
    common = Counter(group.stratum for group in groups)
    free = sorted(
        (group for group in groups if group.key not in given),
        key=lambda g: (-common[g.stratum], g.stratum, order[g.key]),
    )
    if len(groups) < 3 and not fill.overall:
        # Too few patients to fill three parts: train first, then the test that counts.
        few = sorted(free, key=lambda g: order[g.key])
        return {g.key: part for g, part in zip(few, (Split.TRAIN, Split.TEST), strict=False)}
    wanted = _Wanted(groups, shares)
    chosen: dict[str, Split] = {}
    for group in free:
        part = wanted.most(group, fill)
        chosen[group.key] = part
        fill.add(group, part)
    return _none_empty(free, chosen, fill, shares)


class _Wanted:
    """How many slices each part should get, overall and of each kind of patient."""

    def __init__(self, groups: list[Group], shares: SplitFractions) -> None:
        self.shares = shares
        self.total = sum(group.size for group in groups)
        self.patients = Counter(group.stratum for group in groups)
        self.slices: Counter[tuple[str, ...]] = Counter()
        for group in groups:
            self.slices[group.stratum] += group.size

    def most(self, group: Group, fill: _Fill) -> Split:
        """The part that lacks most slices."""

        def lack(part: Split) -> float:
            share = self.shares.of(part)
            if self.patients[group.stratum] < 3:
                return share * self.total - fill.overall[part]
            return share * self.slices[group.stratum] - fill.within[group.stratum, part]

        return max(_PARTS, key=lack)


def _none_empty(
    free: list[Group], chosen: dict[str, Split], fill: _Fill, shares: SplitFractions
) -> dict[str, Split]:
    """Move the smallest patients of the fullest part into wanted parts that got none."""
    for part in (Split.TRAIN, Split.TEST, Split.VAL):
        if fill.overall[part] or not shares.of(part):
            continue
        crowd = Counter(chosen.values())
        donor, patients = max(crowd.items(), key=lambda item: (item[1], item[0]), default=(part, 0))
        if patients < 2:
            continue
        moved = min((g for g in free if chosen[g.key] == donor), key=lambda g: (g.size, g.key))
        chosen[moved.key] = part
        fill.overall[donor] -= moved.size
        fill.add(moved, part)
    return chosen


def drawn(seed: int, key: str) -> str:
    """A lot for ``key``, the same on every machine: sha256 (hex) of seed and key."""
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()
