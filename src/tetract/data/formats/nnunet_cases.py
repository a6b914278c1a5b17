"""The cases of an nnU-Net raw folder: which files belong together, and which are missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tetract.data.cells import Split
from tetract.data.finish_import import Skipped
from tetract.data.formats.inside import inside
from tetract.data.formats.json_file import bad_json, load_json_list
from tetract.data.formats.nnunet_json import JSON_NAME, NnunetJson
from tetract.data.formats.volume_case import Case
from tetract.errors import InputError, ReadError

SPLITS_NAME = "splits_final.json"


@dataclass(slots=True)
class FoundCases:
    """What a folder holds.

    Attributes:
        cases: Usable cases, numbered from 1 in the order of their names, training first.
        skipped: Cases with a file missing, and other surprises.
    """

    cases: list[Case]
    skipped: list[Skipped]


def find_cases(
    root: Path, meta: NnunetJson, channel: int, folds: Mapping[str, Split]
) -> FoundCases:
    """Pair images with label maps.

    Args:
        root: The raw folder.
        meta: Its ``dataset.json``.
        channel: Which image of a case is the CT.
        folds: Case to its part, where a fold says so.

    Raises:
        ReadError: ``E_BAD_JSON`` or ``E_PATH_ESCAPE`` for a list of cases in ``dataset.json``.
    """
    found = FoundCases(cases=[], skipped=[])
    if meta.listed is None:
        images = _named(root / "imagesTr", meta.ending, channel)
        labels = _named(root / "labelsTr", meta.ending, None)
    else:
        images, labels = _listed(root, meta.listed, channel)
    for name in sorted(images | labels):
        _add(found, name, images, labels, folds.get(name, Split.UNASSIGNED))
    trained = len(found.cases) + len(found.skipped)
    tests = _named(root / "imagesTs", meta.ending, channel)
    labels = _named(root / "labelsTs", meta.ending, None)
    for name in sorted(tests):
        number = len(found.cases) + len(found.skipped) + 1
        case = Case(number=number, name=name, image=tests[name], label=None, split=Split.TEST)
        if name in labels:
            case = Case(
                number=number, name=name, image=tests[name], label=labels[name], split=Split.TEST
            )
        found.cases.append(case)
    _check_count(found, meta.promised, trained)
    _check_folds(found, folds)
    return found


def read_folds(path: Path, fold: int) -> dict[str, Split]:
    """Case to ``train`` or ``val`` of one fold of a ``splits_final.json``.

    Raises:
        ReadError: ``E_NO_FILE`` or ``E_BAD_JSON``.
        InputError: ``E_NO_FOLD``.
    """
    content = load_json_list(path)
    if not 0 <= fold < len(content):
        raise InputError(
            "E_NO_FOLD",
            "there is no such fold",
            where=path.name,
            expected=f"0 to {len(content) - 1}",
            found=str(fold),
            fix="Give another --fold",
        )
    entry = content[fold]
    parts: dict[str, Split] = {}
    for key in (Split.TRAIN, Split.VAL):
        names = entry.get(str(key)) if isinstance(entry, dict) else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise bad_json(path.name, f"fold {fold} has no list '{key}' of case names")
        for name in names:
            if parts.setdefault(name, key) != key:
                raise bad_json(path.name, f"a case of fold {fold} trains and validates")
    return parts


def _named(folder: Path, ending: str, channel: int | None) -> dict[str, Path]:
    """Case name to file; of images, those of one channel."""
    number = "" if channel is None else f"_{channel:04d}"
    pattern = re.compile(rf"([^.].*){re.escape(number + ending)}")
    found: dict[str, Path] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        match = pattern.fullmatch(path.name)
        if match is not None and path.is_file():
            found[match[1]] = path
    return found


def _listed(
    root: Path, listed: Mapping[str, Any], channel: int
) -> tuple[dict[str, Path], dict[str, Path]]:
    images: dict[str, Path] = {}
    labels: dict[str, Path] = {}
    for name, entry in listed.items():
        paths = entry.get("images") if isinstance(entry, dict) else None
        label = entry.get("label") if isinstance(entry, dict) else None
        if not (isinstance(paths, list) and len(paths) > channel and isinstance(label, str)):
            raise bad_json(JSON_NAME, "key 'dataset' is wrong", expected="images and label")
        image = inside(root, str(paths[channel]), JSON_NAME)
        drawn = inside(root, label, JSON_NAME)
        images |= {name: image} if image.is_file() else {}
        labels |= {name: drawn} if drawn.is_file() else {}
    return images, labels


def _add(
    found: FoundCases,
    name: str,
    images: Mapping[str, Path],
    labels: Mapping[str, Path],
    split: Split,
) -> None:
    number = len(found.cases) + len(found.skipped) + 1
    if name not in images:
        error = ReadError(
            "E_MISSING_IMAGE", "a label map without its image", where=labels[name].name
        )
        found.skipped.append(_surprise(number, error))
    elif name not in labels:
        error = ReadError(
            "E_MISSING_MASK", "a training image without its label map", where=images[name].name
        )
        found.skipped.append(_surprise(number, error))
    else:
        case = Case(number=number, name=name, image=images[name], label=labels[name], split=split)
        found.cases.append(case)


def _check_count(found: FoundCases, promised: int | None, trained: int) -> None:
    if promised is not None and promised != trained:
        error = ReadError(
            "E_CASE_COUNT",
            "numTraining does not fit the folder",
            where=JSON_NAME,
            expected=f"{promised} training cases",
            found=str(trained),
            fix="Copy the folder again, or correct the number",
        )
        found.skipped.append(_surprise(0, error))


def _check_folds(found: FoundCases, folds: Mapping[str, Split]) -> None:
    known = {case.name for case in found.cases}
    for name in sorted(set(folds) - known):
        what = f"a case of the fold has no files: {name}"
        error = ReadError("E_MISSING_IMAGE", what, where=SPLITS_NAME)
        found.skipped.append(_surprise(0, error))


def _surprise(number: int, error: ReadError) -> Skipped:
    return Skipped(number=number, reason=str(error), declared=False)
