"""Claims about training with fewer labels: whole patients, nested shares, training rows only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tetract.data.cells import EMPTY, Split
from tetract.data.fewer_labels import thin_labels
from tetract.data.table import Row


def rows(patients: int = 20, **changes: Any) -> list[Row]:
    """Two slices of each patient; the second half of the patients are normal."""
    return [
        replace(
            Row(
                image=Path(f"/data/{patient}-{number}.png"),
                source="site",
                patient=f"p{patient}",
                split=Split.TRAIN,
                label=frozenset({"normal" if 2 * patient >= patients else "covid"}),
                mask={"lesion": EMPTY},
                boxes=(),
            ),
            **changes,
        )
        for patient in range(patients)
        for number in range(2)
    ]


def labelled(found: tuple[Row, ...]) -> set[str | None]:
    return {row.patient for row in found if row.label is not None}


@pytest.mark.parametrize(("share", "expected"), [(0.1, 2), (0.25, 6), (0.5, 10), (1.0, 20)])
def test_a_share_of_the_patients_of_each_kind_keeps_all_of_its_labels(
    share: float, expected: int
) -> None:
    thinned, (kept,) = thin_labels(rows(), {"class": share})
    who = labelled(thinned)
    assert len(who) == len(kept.patients) == expected  # rounded up in each of two kinds
    assert kept.of == 20
    assert sum(row.label is not None for row in thinned) == 2 * expected
    assert {label for row in thinned for label in row.label or ()} == {"normal", "covid"}


def test_a_share_holds_every_smaller_one_whatever_the_order_of_the_table() -> None:
    few, more = (labelled(thin_labels(rows(), {"class": s})[0]) for s in (0.2, 0.6))
    assert few < more
    assert labelled(thin_labels(rows()[::-1], {"class": 0.2})[0]) == few


def test_only_the_columns_that_are_named_lose_labels_and_no_slice_goes() -> None:
    before = rows()
    thinned, _ = thin_labels(before, {"mask": 0.1, "boxes": 0.1})
    assert len(thinned) == len(before)
    masked, boxed = (
        [row.patient for row in thinned if one(row)]
        for one in (
            lambda row: row.mask is not None,
            lambda row: row.boxes is not None,
        )
    )
    assert masked == boxed
    assert len(masked) == 4
    assert all(row.label is not None for row in thinned)


def test_validation_and_test_keep_theirs() -> None:
    before = [replace(row, split=Split.TEST) for row in rows()]
    thinned, (kept,) = thin_labels(before, {"class": 0.1})
    assert list(thinned) == before
    assert kept.of == 0


def test_each_source_keeps_its_share() -> None:
    both = [*rows(), *rows(10, source="other")]
    thinned, _ = thin_labels(both, {"class": 0.2})
    kept = {row.source: set[str | None]() for row in both}
    for row in thinned:
        if row.label is not None:
            kept[row.source].add(row.patient)
    assert sorted(len(who) for who in kept.values()) == [2, 4]


def test_no_share_changes_nothing() -> None:
    before = rows()
    thinned, kept = thin_labels(before, {})
    assert all(one is other for one, other in zip(thinned, before, strict=True))
    assert kept == ()
