"""HTML and SVG that cannot be injected into: text is escaped unless it is ``Html``."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable

DASH, MINUS, TIMES = "\u2013", "\u2212", "\u00d7"  # signs that look like letters in code

_VOID = frozenset({"br", "hr", "img", "input", "meta", "link"})
_TRIM = str.maketrans("", "", "\x00\x0b\x0c\x0e\x0f\x1b\x7f")


class Html(str):
    """Markup that is already safe. Everything else is text and gets escaped."""

    __slots__ = ()


def text(value: str) -> Html:
    """The value as text: markup characters escaped, control characters dropped."""
    return value if isinstance(value, Html) else Html(html.escape(value.translate(_TRIM)))


def el(name: str, /, *children: str, **attributes: str | float) -> Html:
    """One element. ``class_`` becomes ``class`` and inner ``_`` becomes ``-`` in attribute names.

    Args:
        name: Tag name, from our own code only.
        *children: ``Html`` is taken as it is; plain strings are escaped.
        **attributes: Values are always escaped; floats are shortened to three decimals.
    """
    inside = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
    )
    if name in _VOID:
        return Html(f"<{name}{inside}>")
    return Html(f"<{name}{inside}>{''.join(text(child) for child in children)}</{name}>")


def join(parts: Iterable[Html]) -> Html:
    """Safe pieces one after the other."""
    return Html("".join(parts))


def data_uri(png: bytes) -> str:
    """A PNG as the value of ``src`` or ``href``, so that a page needs no second file."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _attribute(value: str | float) -> str:
    if isinstance(value, str):
        return html.escape(value.translate(_TRIM))
    return f"{value:.3f}".rstrip("0").rstrip(".")
