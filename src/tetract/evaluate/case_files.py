"""The cases of an evaluation on disk: one JSON file, and a PNG for each picture."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tetract.errors import InputError
from tetract.evaluate.rows_codec import decode, encode
from tetract.io import atomic_write_bytes, atomic_write_text
from tetract.types.case import Case, Frame, Layer, Outline, Place
from tetract.types.task import Task

FOLDER: Final = "cases"
CASES_NAME: Final = "cases.json"
SCHEMA: Final = "tetract.cases/1"


def write_cases(folder: Path, cases: Sequence[Case]) -> Path:
    """Write ``cases/cases.json`` and its pictures into an evaluation's folder.

    Equal pictures are written once; pictures of an earlier evaluation are removed.
    """
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    pictures = {_name(layer.png): layer.png for case in cases for layer in case.layers}
    for name, png in pictures.items():
        atomic_write_bytes(place / name, png)
    document = {
        "schema": SCHEMA,
        "use": "Research use only, not a medical device.",
        "cases": [_to_json(case) for case in cases],
    }
    path = place / CASES_NAME
    atomic_write_text(path, json.dumps(document, indent=1, allow_nan=False) + "\n")
    for old in set(place.glob("*.png")) - {place / name for name in pictures}:
        old.unlink()
    return path


def read_cases(folder: Path) -> tuple[Case, ...]:
    """What ``write_cases`` wrote; nothing where the evaluation has no cases.

    Raises:
        InputError: ``E_BAD_CASES``.
    """
    path = folder / FOLDER / CASES_NAME
    if not path.is_file():
        return ()
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise _bad(expected=SCHEMA, found=str(document["schema"])[:40])
        return tuple(_from_json(entry, path.parent) for entry in document["cases"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _bad(found=type(error).__name__) from error


def _name(png: bytes) -> str:
    """A name by content: it says nothing about anybody."""
    return f"{hashlib.sha256(png).hexdigest()[:16]}.png"


def _to_json(case: Case) -> dict[str, Any]:
    said = encode(replace(case, layers=()))
    said["layers"] = [
        {**encode(replace(layer, png=b"")), "png": _name(layer.png)} for layer in case.layers
    ]
    return said


def _from_json(said: dict[str, Any], place: Path) -> Case:
    layers = tuple(
        Layer(
            name=layer["name"],
            title=layer["title"],
            note=layer["note"],
            png=_picture(place, layer["png"]),
            outlines=tuple(decode(Outline, one) for one in layer["outlines"]),
            frames=tuple(decode(Frame, one) for one in layer["frames"]),
        )
        for layer in said["layers"]
    )
    named = {"task": Task(said["task"]), "place": Place(said["place"])}
    bare = {name: entry for name, entry in said.items() if name != "layers"}
    return replace(decode(Case, {**bare, **named, "layers": []}), layers=layers)


def _picture(place: Path, name: str) -> bytes:
    if Path(name).name != name:  # a name never leads out of its folder
        raise ValueError(name)
    return (place / name).read_bytes()


def _bad(*, found: str, expected: str = "a file of tetract evaluate") -> InputError:
    return InputError(
        "E_BAD_CASES",
        "the cases of an evaluation cannot be read",
        where=f"{FOLDER}/{CASES_NAME}",
        expected=expected,
        found=found,
        fix="Run tetract evaluate again; it writes them beside its tables",
    )
