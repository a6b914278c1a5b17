"""Whether sources give classes away, from the labels alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tetract.evaluate.class_source import Coincidence, find_coincidence

CLASSES = ("covid", "normal", "cancer")
C, N, K = (1, 0, 0), (0, 1, 0), (0, 0, 1)
NOT_C, OPEN, UNLABELLED = (0, 1, 1), (1, 1, 1), (0, 0, 0)


def found(**sources: Sequence[Sequence[int]]) -> Coincidence:
    labels = [label for mine in sources.values() for label in mine]
    names = [name for name, mine in sources.items() for _ in mine]
    return find_coincidence(np.array(labels, dtype=bool).reshape(-1, 3), names, CLASSES)


def test_one_class_per_source_is_the_source() -> None:
    one = found(a=[C, C], b=[N], c=[K])
    assert (one.whole, one.single, one.told) == (True, ("a", "b", "c"), CLASSES)
    assert "Class and source coincide: overall" in one.banner


def test_several_labels_that_all_exclude_the_class_of_the_other_source_change_nothing() -> None:
    assert found(a=[C], b=[N, NOT_C]).whole


def test_a_class_of_one_source_only_is_named_and_the_others_are_not() -> None:
    one = found(a=[C], b=[N, K])
    assert (one.whole, one.told) == (False, ("covid",))
    assert "coincide for covid:" in one.banner


@pytest.mark.parametrize(
    "sources",
    [
        {"a": [C, N], "b": [N]},
        {"a": [C, N], "b": [C, N]},
        {"a": [C], "b": [C]},
        {"a": [C, N, K]},
        {"a": [C], "b": [OPEN]},
        {"a": [UNLABELLED], "b": [C, N]},
        {},
    ],
)
def test_a_source_that_holds_both_or_classes_that_nothing_decides_carry_no_banner(
    sources: dict[str, Sequence[Sequence[int]]],
) -> None:
    assert found(**sources).banner == ""


def test_unlabelled_slices_hide_nothing() -> None:
    assert found(a=[C, UNLABELLED], b=[N, UNLABELLED]).whole
