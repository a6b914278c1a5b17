"""Who a slice is, for tests that score made-up slices."""

from __future__ import annotations

import itertools

from tetract.types.identity import Identity

_counter = itertools.count()


def somebody(patient: str = "p", source: str = "s", *, series: str = "") -> Identity:
    """A slice of this patient, unlike any other slice."""
    return Identity(
        row=next(_counter),
        patient=patient,
        source=source,
        slice_index=0,
        spacing_mm=None,
        series=series,
    )
