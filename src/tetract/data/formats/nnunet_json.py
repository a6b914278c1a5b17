"""``dataset.json`` of nnU-Net, version 2 and version 1.

Version 2 writes ``labels`` as name to number, or to a list of numbers (a region), and may name
an ``ignore`` label; version 1, like the decathlon before it, writes number to name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tetract.data.formats.class_names import class_name
from tetract.data.formats.json_file import bad_json, load_json
from tetract.data.formats.label_values import LabelValues
from tetract.errors import ReadError
from tetract.io.labels.label_map import LARGEST_LABEL

JSON_NAME: Final = "dataset.json"
_BACKGROUND: Final = "background"
_IGNORE: Final = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class NnunetJson:
    """What the file says.

    Attributes:
        name: Of the data set, or "".
        channels: Channel number to name.
        values: What voxel values mean.
        ending: End of every file name, such as ``.nii.gz``.
        promised: Number of training cases, or None.
        citation: Where it says how to cite, or "".
        licence: Where it says so, or "".
        listed: Cases with their files by name, where the file lists them; or None.
    """

    name: str
    channels: Mapping[int, str]
    values: LabelValues
    ending: str
    promised: int | None
    citation: str
    licence: str
    listed: Mapping[str, Mapping[str, Any]] | None = None


def load_nnunet_json(path: Path) -> NnunetJson:
    """Read a ``dataset.json``.

    Raises:
        ReadError: ``E_NO_FILE``; ``E_BAD_JSON`` naming the key that is wrong.
        LabelError: ``E_CLASS_NAME`` for a label that cannot name a class.
    """
    content = load_json(path)
    second = "channel_names" in content
    key = "channel_names" if second else "modality"
    ending = content.get("file_ending", None if second else ".nii.gz")
    if not isinstance(ending, str) or not ending.startswith(".") or "/" in ending:
        raise bad_json(path.name, "key 'file_ending' is wrong", expected="such as .nii.gz")
    promised = content.get("numTraining")
    listed = content.get("dataset")
    return NnunetJson(
        name=_text(content, "name"),
        channels=numbered(content.get(key), key, path.name),
        values=label_values(content.get("labels"), path.name),
        ending=ending,
        promised=promised if type(promised) is int else None,
        citation=_text(content, "reference"),
        licence=_text(content, "licence") or _text(content, "license"),
        listed=listed if isinstance(listed, dict) else None,
    )


def numbered(content: object, key: str, where: str) -> dict[int, str]:
    """A mapping such as ``{"0": "CT"}``.

    Raises:
        ReadError: ``E_BAD_JSON``.
    """
    if isinstance(content, list):  # some tools write a plain list of names
        content = {str(number): name for number, name in enumerate(content)}
    found: dict[int, str] = {}
    for number, name in content.items() if isinstance(content, dict) else ():
        if not (_is_number(number) and isinstance(name, str)):
            raise bad_json(where, f"key '{key}' is wrong", expected='such as {"0": "CT"}')
        found[int(number)] = name
    if not found:
        raise bad_json(where, f"key '{key}' is missing or wrong", expected='such as {"0": "CT"}')
    return found


def label_values(content: object, where: str) -> LabelValues:
    """The key ``labels`` of either version.

    Raises:
        ReadError: ``E_BAD_JSON``.
        LabelError: ``E_CLASS_NAME``.
    """
    if not isinstance(content, dict) or not content:
        raise bad_json(where, "key 'labels' is missing or wrong", expected="names and numbers")
    pairs = _by_name(content, where)
    classes: dict[str, tuple[int, ...]] = {}
    ignore: int | None = None
    for name, values in pairs:
        if name.strip().lower() == _BACKGROUND:
            if values != (0,):
                raise bad_json(where, "the background is not 0", found=str(list(values)))
        elif name == _IGNORE and len(values) == 1:
            ignore = values[0]
        else:
            _add(classes, class_name(name, where), values, where)
    if ignore is not None and any(ignore in values for values in classes.values()):
        raise bad_json(where, "a class holds the ignore label", found=str(ignore))
    return LabelValues(classes=classes, ignore=ignore)


def _by_name(content: Mapping[str, Any], where: str) -> list[tuple[str, tuple[int, ...]]]:
    if all(_is_number(key) and isinstance(value, str) for key, value in content.items()):
        return [(name, (int(number),)) for number, name in content.items()]
    found: list[tuple[str, tuple[int, ...]]] = []
    for name, value in content.items():
        values = value if isinstance(value, list) else [value]
        if not values or not all(type(n) is int and 0 <= n <= LARGEST_LABEL for n in values):
            told = f"a whole number from 0 to {LARGEST_LABEL}, or a list of them"
            raise bad_json(where, f"label '{name}' is wrong", expected=told)
        found.append((name, tuple(sorted(set(values)))))
    return found


def _add(
    classes: dict[str, tuple[int, ...]], name: str, values: tuple[int, ...], where: str
) -> None:
    if name in classes:
        raise bad_json(where, f"two labels become the class '{name}'")
    if 0 in values:
        raise bad_json(where, f"label '{name}' holds the background", found=str(list(values)))
    classes[name] = values


def _is_number(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 5


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key, "")
    return " ".join(value.split()) if isinstance(value, str) else ""


def not_a_layout(where: str, what: str, *, expected: str, fix: str) -> ReadError:
    """The error of a folder that is not laid out as its importer needs."""
    return ReadError("E_BAD_LAYOUT", what, where=where, expected=expected, fix=fix)
