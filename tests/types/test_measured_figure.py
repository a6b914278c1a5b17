from __future__ import annotations

import math

import pytest

from identities import somebody
from tetract.evaluate.collect import Seen
from tetract.types.figure import Figure, Support, count_support, mean_figure
from tetract.types.identity import group_keys

NOBODY = Support(slices=0, patients=0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_figure_is_never_nan_or_infinite(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Figure(value=value, support=NOBODY)


def test_a_missing_figure_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        Figure(value=None, support=NOBODY)


def test_a_figure_with_a_value_has_no_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        Figure(value=0.5, support=NOBODY, reason="odd")


def test_the_mean_of_nothing_is_undefined() -> None:
    assert mean_figure([], NOBODY, reason="nothing here").reason == "nothing here"


def test_equal_patient_keys_of_two_sources_are_two_patients() -> None:
    rows = [Seen(identity=somebody("1", source)) for source in ("a", "b", "a")]
    assert count_support(rows) == Support(slices=3, patients=2)


def test_slices_without_patient_are_groups_of_their_own() -> None:
    rows = [Seen(identity=somebody(patient, "a")) for patient in ("", "", "1")]
    assert len(set(group_keys(rows))) == 3
    assert count_support(rows) == Support(slices=3, patients=1, slices_without_patient=2)
