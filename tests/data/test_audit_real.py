"""The audit on real slices: altered copies are found, other patients are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from audit_cases import a_copy

from tetract.data.audit.duplicates import near_pairs
from tetract.data.audit.thumbnail import shrink, stack_thumbnails
from tetract.io import read_volume

pytestmark = pytest.mark.real


def slices(shared: Path, patients: int) -> list[np.ndarray]:
    """One 8-bit LIDC slice of each of so many patients (the series names them apart)."""
    found: dict[str, Path] = {}
    for path in sorted((shared / "data" / "ct" / "lidc_luna16" / "images").iterdir()):
        found.setdefault(path.name.split(".mhd")[0], path)
    return [read_volume(path).values[0] for path in list(found.values())[:patients]]


def test_altered_copies_of_real_slices_are_found_and_nothing_else(shared: Path) -> None:
    pictures = slices(shared, 40)
    copies = [a_copy(picture) for picture in pictures]
    small = stack_thumbnails([shrink(p, hu_known=False) for p in [*pictures, *copies]])
    pairs = near_pairs(small, np.arange(80))
    assert {(pair.first, pair.second) for pair in pairs} == {(k, k + 40) for k in range(40)}
    assert min(pair.similarity for pair in pairs) > 0.9
