"""Names for patients and series that say nothing about them.

A slice leaves the data room under the table row its patient first appears in. So nothing further
on, no log, checkpoint or file of results, can hold a hospital's number by accident, and two
evaluations of one data set still agree on who is who.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from tetract.data.table import Row


def patient_names(rows: Sequence[Row]) -> list[str]:
    """One name per row, equal for a patient of a source; "" where the source names none."""
    return _first_rows("patient", ((row.source, row.patient) for row in rows))


def series_names(rows: Sequence[Row]) -> list[str]:
    """One name per row, equal for a series of a patient; "" where the table names none."""
    return _first_rows("series", ((row.source, row.patient, row.series) for row in rows))


def _first_rows(kind: str, keys: Iterable[tuple[Hashable, ...]]) -> list[str]:
    """The last part of a key is what may be unknown."""
    first: dict[tuple[Hashable, ...], int] = {}
    return [
        f"{kind} of row {first.setdefault(key, index)}" if key[-1] else ""
        for index, key in enumerate(keys)
    ]
