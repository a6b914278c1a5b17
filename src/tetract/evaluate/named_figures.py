"""Every figure of an evaluation under one name, and which way is better."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from tetract.evaluate.result import Evaluation, Section
from tetract.types.figure import Figure

# Starts of the last part of a name: errors, distances and false alarms are better when small.
_LOWER_IS_BETTER: Final = (
    *("mae", "rmse", "brier", "ece", "hd95", "false_positive", "missed"),
    *("masked_mae", "masked_rmse", "visible_mae", "visible_rmse"),
)


def named_figures(evaluation: Evaluation) -> dict[str, Figure]:
    """``detection/any_lesion/ap_30`` over all rows, ``SOURCE/detection/...`` over one source's."""
    found = dict(section_figures(evaluation.overall))
    for section in evaluation.sources:
        found.update((f"{section.name}/{name}", one) for name, one in section_figures(section))
    return found


def section_figures(section: Section) -> Iterator[tuple[str, Figure]]:
    """``detection/any_lesion/ap_30`` and the like."""
    for field in dataclasses.fields(section):
        yield from _walk(field.name, getattr(section, field.name))


def named_parts(name: str, scores: object) -> Iterator[tuple[str, Figure]]:
    """The figures inside a noun of scores, each name beginning with ``name``."""
    yield from _walk(name, scores)


def is_better_low(name: str) -> bool:
    """Whether less of this figure is better."""
    return name.rsplit("/", maxsplit=1)[-1].startswith(_LOWER_IS_BETTER)


def _walk(name: str, value: Any) -> Iterator[tuple[str, Figure]]:
    if isinstance(value, Figure):
        yield name, value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _walk(f"{name}/{field.name}", getattr(value, field.name))
    elif isinstance(value, tuple):
        for index, entry in enumerate(value):
            part = str(getattr(entry, "name", index))
            # The classes' own names say more than the field that lists them.
            parent = name.removesuffix("/classes")
            yield from _walk(f"{parent}/{part}", entry)
