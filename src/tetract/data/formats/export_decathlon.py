"""A dataset folder becomes a datalist with its files, as the decathlon and MONAI read them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tetract.data.cells import ALL, Split, check_known
from tetract.data.formats.export_cases import Content, ExportCase, gather_cases, wanted_classes
from tetract.data.formats.export_images import (
    ImageWriter,
    LeftOutError,
    whole_folder,
    write_each,
    write_masked,
)
from tetract.data.formats.export_report import REPORT_NAME, ExportReport, Tally, WrittenCase
from tetract.data.formats.one_label_map import make_coding
from tetract.data.load import DatasetFolder
from tetract.data.read_row import RowReader
from tetract.errors import LabelError
from tetract.io import atomic_write_text

LIST_NAME = "dataset.json"
_SECTIONS = {"training": Split.TRAIN, "validation": Split.VAL, "test": Split.TEST}


class Labels(StrEnum):
    """What the entries are labelled with."""

    MASKS = "masks"
    CLASSES = "classes"
    BOXES = "boxes"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatalistExport:
    """What is exported, and how.

    Attributes:
        labels: What entries are labelled with.
        content: Which kind of images.
        classes: Classes; of masks, the one that wins an overlap first. None: all.
        sources: Sources; none: all.
    """

    labels: Labels = Labels.MASKS
    content: Content = Content.HU
    classes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def export_decathlon(dataset: DatasetFolder, out: Path, choices: DatalistExport) -> ExportReport:
    """Write images, label maps and a datalist with the sections training, validation and test.

    Masks become label maps, numbered from 1. A class becomes a number, where it is certain. Boxes
    become lists of corners in half-open pixels, for pictures and single slices. What is not known
    in full is left out and counted: a datalist cannot say unknown.

    Args:
        dataset: The data set.
        out: A folder that does not exist or is empty.
        choices: What is wanted.

    Raises:
        InputError: ``E_OUT_NOT_EMPTY``, ``E_EMPTY_EXPORT``, ``E_LABEL_UNKNOWN``,
            ``E_SOURCE_UNKNOWN``, ``E_NO_MASK_CLASS`` or ``E_TOO_MANY_CLASSES``.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``; ``out`` is as it was.
    """
    cases = gather_cases(dataset, choices.sources)
    tally = Tally()
    masked = choices.labels is Labels.MASKS
    precedence = wanted_classes(dataset, choices.classes) if masked else ()
    with whole_folder(out) as place:
        writer = ImageWriter(dataset=dataset, content=choices.content, place=place, suffix="")
        if masked:
            coding, reader = make_coding(precedence, ignore=False, regions=False), RowReader()
            names = {0: "background", **{v: k for k, v in coding.values.items()}}
            write_each(
                cases,
                lambda case: write_masked(case, writer, coding, reader, tally),
                tally,
                dataset.root.name,
            )
        else:
            names = _numbers(dataset, choices)
            write_each(
                cases, lambda case: _write_plain(case, writer, names, choices), tally, out.name
            )
        report = ExportReport(
            layout="decathlon",
            content=str(choices.content),
            precedence=precedence,
            regions=False,
            tally=tally,
            notes=_notes(choices),
        )
        _write_json(place / REPORT_NAME, report.as_json())
        _write_json(place / LIST_NAME, _datalist(dataset, tally, names, choices))
    return report


def _numbers(dataset: DatasetFolder, choices: DatalistExport) -> dict[int, str]:
    """Number to class, in the order of the card."""
    card = dataset.card
    known = card.classes if choices.labels is Labels.CLASSES else card.box_classes
    for name in choices.classes:
        check_known(name, known, "class")
    return dict(enumerate(choices.classes or known))


def _write_plain(
    case: ExportCase, writer: ImageWriter, names: dict[int, str], choices: DatalistExport
) -> WrittenCase:
    """Write an image that is labelled with numbers."""
    row = case.rows[0]
    if len(case.rows) > 1 or row.slice not in (None, ALL):
        raise LeftOutError("a slice of a volume, which is no image of its own")
    numbers = {name: number for number, name in names.items()}
    label: int | tuple[int, ...]
    boxes = None
    if choices.labels is Labels.CLASSES:
        found = row.label or frozenset()
        if len(found) != 1 or not found <= set(numbers):
            raise LeftOutError("class unknown, not certain, or not wanted")
        label = numbers[next(iter(found))]
    else:
        source = writer.dataset.card.source(row.source)
        if row.boxes is None or not set(numbers) <= set(source.box_classes):
            raise LeftOutError("boxes unknown, or known in part only")
        kept = [box for box in row.boxes if box.label in numbers]
        label = tuple(numbers[box.label] for box in kept)
        boxes = tuple(box.xyxy for box in kept)
    volume = writer.read(case)
    if boxes is not None and volume.depth > 1:
        raise LabelError(
            "E_BOXES_ON_VOLUME",
            "boxes stand beside a volume",
            where=case.image.name,
            found=f"{volume.depth} slices",
        )
    return WrittenCase(
        name=case.name,
        split=case.split,
        source=case.source,
        row=row.number,
        image=writer.write_image(case, volume),
        label=label,
        boxes=boxes,
    )


def _datalist(
    dataset: DatasetFolder, tally: Tally, names: dict[int, str], choices: DatalistExport
) -> dict[str, Any]:
    used = {case.source for case in tally.cases}
    sources = [source for source in dataset.card.sources if source.name in used]
    sections = {
        section: [_entry(case) for case in tally.cases if case.split == part]
        for section, part in _SECTIONS.items()
    }
    return {
        "name": dataset.card.name,
        "description": dataset.card.description,
        "reference": "; ".join(f"{s.name}: {s.citation}" for s in sources),
        "licence": "; ".join(f"{s.name}: {s.licence}" for s in sources),
        "modality": {"0": "CT"},
        "labels": {str(number): name for number, name in names.items()},
        "numTraining": len(sections["training"]),
        "numTest": len(sections["test"]),
        **({"box_mode": "xyxy"} if choices.labels is Labels.BOXES else {}),
        **sections,
    }


def _entry(case: WrittenCase) -> dict[str, Any]:
    entry: dict[str, Any] = {"image": f"./{case.image}"}
    if case.boxes is not None:
        entry["box"] = [list(box) for box in case.boxes]
    label = case.label
    if isinstance(label, tuple):
        return {**entry, "label": list(label)}
    return {**entry, "label": f"./{label}" if isinstance(label, str) else label}


def _notes(choices: DatalistExport) -> list[str]:
    notes = ["To get the patients back: import with --patient-from '.*_(p[0-9]+)_s[0-9]+'"]
    if choices.labels is Labels.BOXES:
        notes.append("Boxes are half-open pixels; import them with --box-mode xyxy")
    return notes


def _write_json(path: Path, content: object) -> None:
    atomic_write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
