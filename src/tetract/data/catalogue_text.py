"""The catalogue in words: a list, an entry, and the terms one accepts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from tetract.data.catalogue import PublicSet

_WIDTH = 96


def render_list(sets: Iterable[PublicSet]) -> str:
    """One line per set: name, how to get it, licence, title."""
    sets = tuple(sets)
    name = max(len(public.name) for public in sets)
    access = max(len(public.access) for public in sets)
    lines = [
        f"{public.name:<{name}}  {public.access:<{access}}  {public.title}  [{public.licence}]"
        for public in sets
    ]
    return "\n".join([*lines, "tetract data sets NAME tells more."])


def render_set(public: PublicSet) -> str:
    """All of an entry."""
    rows = [
        ("", public.title),
        ("holds", public.holds),
        ("can teach", ", ".join(public.tasks)),
        ("patients", "not published" if public.patients is None else str(public.patients)),
        ("size", public.size),
        *_terms(public),
        ("access", public.access),
        ("by hand", public.by_hand),
        ("files", "; ".join(_file(public))),
        ("import", import_command(public)),
        ("know", public.notes),
        ("not verified", "; ".join(public.unverified)),
    ]
    return "\n".join([public.name, *(_row(key, text) for key, text in rows if text)])


def render_terms(public: PublicSet) -> str:
    """What somebody who downloads the set agrees to."""
    head = f"{public.name}: {public.title}"
    return "\n".join([head, *(_row(key, text) for key, text in _terms(public))])


def import_command(public: PublicSet) -> str:
    """The command that makes a dataset folder of it."""
    if public.import_as is None:
        return "tetract data import csv with a table of your own"
    return f"tetract data import {public.import_as}"


def _terms(public: PublicSet) -> list[tuple[str, str]]:
    return [
        ("licence", public.licence),
        ("asks you to", "; ".join(public.obligations)),
        ("cite", public.citation),
        ("home", public.home),
    ]


def _file(public: PublicSet) -> Iterable[str]:
    for file in public.files:
        yield f"{file.path} (on request)" if file.optional else file.path


def _row(key: str, text: str) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=f"  {key:<12}  ",
        subsequent_indent=" " * 16,
        break_long_words=False,
        break_on_hyphens=False,
    )
