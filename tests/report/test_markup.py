"""Nothing that came from a file can become markup."""

from __future__ import annotations

import pytest

from tetract.report.markup import Html, el, join, text

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a&b'\"<>", "</style>")


@pytest.mark.parametrize("words", HOSTILE)
def test_text_is_escaped_as_child_and_as_attribute(words: str) -> None:
    drawn = el("p", words, title=words)
    assert words not in drawn
    assert drawn.count("<") == 2  # the opening and the closing tag, nothing else


def test_safe_markup_is_not_escaped_twice() -> None:
    assert el("p", el("b", "a & b")) == "<p><b>a &amp; b</b></p>"


def test_safe_plus_plain_is_plain_again() -> None:
    assert text(Html("<b>") + "<i>") == "&lt;b&gt;&lt;i&gt;"


def test_attribute_names_follow_html() -> None:
    assert (
        el("rect", class_="box", stroke_width=1.5) == '<rect class="box" stroke-width="1.5"></rect>'
    )


def test_control_characters_are_dropped() -> None:
    assert join([text("a\x00\x1bb")]) == "ab"
