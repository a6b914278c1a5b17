"""A warning that holds for many is told once."""

from __future__ import annotations

from tetract.io import once_per_code


def test_the_first_of_each_code_is_quoted_and_the_others_are_counted() -> None:
    lines = ("W_LOSSY 1.jpg: x", "W_NEAR_GREY 1.jpg: y", "W_LOSSY 2.jpg: x", "W_LOSSY 3.jpg: x")
    assert once_per_code(lines, "pictures") == (
        "W_LOSSY 1.jpg: x (and 2 pictures more)",
        "W_NEAR_GREY 1.jpg: y",
    )


def test_no_warning_stays_none() -> None:
    assert once_per_code((), "slices") == ()
