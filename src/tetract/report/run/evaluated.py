"""An evaluation's folder, read for the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from tetract.errors import InputError
from tetract.evaluate.case_files import read_cases
from tetract.types.card import Card
from tetract.types.case import Case
from tetract.types.results import RESULTS_SCHEMA, Results

RESULTS_NAME: Final = "results.json"
CARDS_NAME: Final = "cards.json"
CARDS_SCHEMA: Final = "tetract.cards/1"
_Noun = TypeVar("_Noun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What the page shows of an evaluation.

    Attributes:
        results: Figures, tables and charts.
        cards: What a careful reader wants to know beside them; none where they were not made.
        cases: Slices with pictures; none where they were not made.
    """

    results: Results
    cards: tuple[Card, ...]
    cases: tuple[Case, ...]


def find_evaluation(run: Path, split: str) -> Path:
    """The folder of a run's evaluation on a split.

    Raises:
        InputError: ``E_NOT_EVALUATED``.
    """
    folder = run / "evaluation" / split
    if not (folder / RESULTS_NAME).is_file():
        raise InputError(
            "E_NOT_EVALUATED",
            "this run was not evaluated on the split",
            where=str(run),
            expected=f"evaluation/{split}/{RESULTS_NAME}",
            found="no such file",
            fix=f"Run tetract evaluate {run} --split {split} first",
        )
    return folder


def read_evaluation(folder: Path) -> Evaluated:
    """Read results, cards and cases.

    Raises:
        InputError: ``E_NOT_EVALUATED``, ``E_BAD_RESULTS`` or ``E_BAD_CASES``.
    """
    if not (folder / RESULTS_NAME).is_file():
        raise InputError(
            "E_NOT_EVALUATED",
            "this folder holds no evaluation",
            where=str(folder),
            expected=RESULTS_NAME,
            found="no such file",
            fix="Give the folder that tetract evaluate wrote",
        )
    document = _load(folder / RESULTS_NAME, RESULTS_SCHEMA)
    return Evaluated(
        results=_check(folder / RESULTS_NAME, TypeAdapter(Results).validate_python, document),
        cards=_cards(folder / CARDS_NAME),
        cases=read_cases(folder),
    )


def _cards(path: Path) -> tuple[Card, ...]:
    if not path.is_file():
        return ()
    document = _load(path, CARDS_SCHEMA)
    return _check(path, TypeAdapter(tuple[Card, ...]).validate_python, document.get("cards"))


def _load(path: Path, schema: str) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        found = str(document["schema"])[:40]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _bad(path, found=type(error).__name__) from error
    if found != schema:
        raise _bad(path, expected=schema, found=found)
    return document


def _check(path: Path, read: Callable[[Any], _Noun], document: object) -> _Noun:
    try:
        return read(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:60]
        raise _bad(path, found=f"{place}: {first['msg']}"[:120]) from error


def _bad(path: Path, *, found: str, expected: str = "a file of tetract evaluate") -> InputError:
    return InputError(
        "E_BAD_RESULTS",
        "the results of an evaluation cannot be read",
        where=path.name,
        expected=expected,
        found=found,
        fix="Run tetract evaluate again with this version",
    )
