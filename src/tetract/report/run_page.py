"""One self-contained HTML page about a training run and what its model can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tetract.report.markup import Html, data_uri, el, join
from tetract.report.style import NOTICE, document, header
from tetract.report.tables import render
from tetract.types.table import Table


def run_page(
    title: str,
    tables: Sequence[Table],
    curves: Html,
    examples: Sequence[tuple[str, bytes]] = (),
    *,
    command: str = "",
    environment: Mapping[str, str] | None = None,
) -> str:
    """The page: results in tables, learning curves, example pictures, how it was made.

    Args:
        title: Name of the run; escaped.
        tables: The results.
        curves: From ``learning_curves``.
        examples: Caption and PNG file of each example picture.
        command: What to type to get the same numbers.
        environment: Versions, seed, machine and the like.
    """
    results = join(render(table) for table in tables)
    body = join(
        (
            header("TetraCT run", title, "Four tasks, one encoder: how it learnt, how it does"),
            el(
                "main",
                el("h2", "Results"),
                results or el("p", "No evaluation was made.", class_="soft"),
                *_examples(examples),
                el("h2", "Learning curves"),
                curves,
                *_making(command, environment or {}),
                el("footer", NOTICE),
            ),
        )
    )
    return document(f"{title}: TetraCT run", body)


def _examples(examples: Sequence[tuple[str, bytes]]) -> tuple[Html, ...]:
    if not examples:
        return ()
    shots = join(
        el(
            "figure",
            el("figcaption", caption),
            el("img", src=data_uri(png), alt=caption),
            class_="frame",
        )
        for caption, png in examples
    )
    return (el("h2", "Examples"), el("div", shots, class_="shots"))


def _making(command: str, environment: Mapping[str, str]) -> tuple[Html, ...]:
    parts: list[Html] = []
    if command or environment:
        parts.append(el("h2", "How this was made"))
    if command:
        parts.append(el("pre", command))
    if environment:
        pairs = join(join((el("dt", key), el("dd", value))) for key, value in environment.items())
        parts.append(el("dl", pairs, class_="facts"))
    return tuple(parts)
