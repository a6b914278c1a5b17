"""A datalist of the Medical Segmentation Decathlon, or of MONAI: entries by section.

``{"training": [{"image": …, "label": …, "fold": 0}], "validation": […], "test": […]}``. The label
of an entry is a file, a class number, or one number per entry of ``box``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tetract.data.cells import Split
from tetract.data.formats.json_file import bad_json, load_json
from tetract.data.formats.nnunet_json import numbered

_SECTIONS: Final = {
    "training": Split.TRAIN,
    "validation": Split.VAL,
    "test": Split.TEST,
    "testing": Split.TEST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One image of the list.

    Attributes:
        number: Its place in the whole list, from 1.
        image: Its path as written.
        split: What its section or fold says.
        label_file: Path of its label map, or None.
        class_number: Number of its class, or None.
        boxes: Class number and corners of each box, as written; ``()`` for none, None where the
            entry says nothing of boxes.
    """

    number: int
    image: str
    split: Split
    label_file: str | None = None
    class_number: int | None = None
    boxes: tuple[tuple[int, tuple[float, ...]], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Datalist:
    """The whole list.

    Attributes:
        name: Of the data set, or "".
        citation: How to cite it, or "".
        licence: Terms of use, or "".
        channels: Channel number to name; empty where the list does not say.
        labels: Label number to name; empty where the list does not say.
        entries: In the order of the file, training first.
    """

    name: str
    citation: str
    licence: str
    channels: Mapping[int, str]
    labels: Mapping[int, str]
    entries: tuple[Entry, ...]


def load_datalist(path: Path, fold: int, channel: int | None) -> Datalist:
    """Read a datalist.

    Args:
        path: The JSON file.
        fold: Training entries of this fold validate, where entries have folds and the list has
            no validation section.
        channel: Which path counts where an entry lists several images.

    Raises:
        ReadError: ``E_NO_FILE``; ``E_BAD_JSON`` naming the entry that is wrong.
    """
    content = load_json(path)
    listed = [(key, content[key]) for key in _SECTIONS if key in content]
    if not listed or not all(isinstance(entries, list) for _, entries in listed):
        found = ", ".join(sorted(content)[:8])
        raise bad_json(path.name, "no list 'training'", expected="lists of entries", found=found)
    # A list with a validation section has said who validates; its folds are for others.
    fixed = bool(content.get("validation"))
    entries: list[Entry] = []
    for section, written in listed:
        for index, one in enumerate(written):
            where = f"{path.name} {section}[{index}]"
            plain = {"image": one} if isinstance(one, str) else one
            if not isinstance(plain, dict):
                raise bad_json(where, "an entry is neither a path nor an object")
            split = _SECTIONS[section]
            if split == Split.TRAIN and not fixed:
                split = _of_fold(plain.get("fold"), fold, where)
            entries.append(_entry(plain, len(entries) + 1, split, channel, where))
    return Datalist(
        name=_text(content, "name"),
        citation=_text(content, "reference"),
        licence=_text(content, "licence") or _text(content, "license"),
        channels=_numbered(content, "modality", path.name),
        labels=_numbered(content, "labels", path.name),
        entries=tuple(entries),
    )


def _entry(
    plain: Mapping[str, Any], number: int, split: Split, channel: int | None, where: str
) -> Entry:
    label = plain.get("label")
    image = _image(plain.get("image"), channel, where)
    if "box" in plain:
        boxes = _boxes(plain["box"], label, where)
        return Entry(number=number, image=image, split=split, boxes=boxes)
    if label is None or isinstance(label, str):
        return Entry(number=number, image=image, split=split, label_file=label or None)
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    if type(label) is int or (isinstance(label, float) and label.is_integer()):
        return Entry(number=number, image=image, split=split, class_number=int(label))
    raise bad_json(
        where, "key 'label' is wrong", expected="a path, one class number, or numbers beside boxes"
    )


def _image(written: object, channel: int | None, where: str) -> str:
    if isinstance(written, list) and len(written) == 1:
        written = written[0]
    if isinstance(written, list) and channel is not None and channel < len(written):
        written = written[channel]
    if isinstance(written, str) and written:
        return written
    raise bad_json(
        where,
        "key 'image' is missing or wrong",
        expected="one path, or several and --channel",
        found=f"{len(written)} paths" if isinstance(written, list) else type(written).__name__,
    )


def _boxes(written: object, label: object, where: str) -> tuple[tuple[int, tuple[float, ...]], ...]:
    numbers = label if isinstance(label, list) else []
    corners: list[Any] = written if isinstance(written, list) else []
    legal = isinstance(written, list) and all(_is_box(box) for box in corners)
    if not legal or len(numbers) != len(corners) or any(type(n) is not int for n in numbers):
        raise bad_json(
            where,
            "boxes and their labels do not fit",
            expected="one whole number in 'label' per list of 4 or 6 numbers in 'box'",
        )
    return tuple((n, tuple(map(float, box))) for n, box in zip(numbers, corners, strict=True))


def _is_box(box: object) -> bool:
    return (
        isinstance(box, list)
        and len(box) in (4, 6)
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in box)
    )


def _of_fold(written: object, fold: int, where: str) -> Split:
    if written is None:
        return Split.UNASSIGNED
    if type(written) is not int:
        raise bad_json(where, "key 'fold' is no whole number")
    return Split.VAL if written == fold else Split.TRAIN


def _numbered(content: Mapping[str, Any], key: str, where: str) -> dict[int, str]:
    return numbered(content[key], key, where) if content.get(key) else {}


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key, "")
    return " ".join(value.split()) if isinstance(value, str) else ""
