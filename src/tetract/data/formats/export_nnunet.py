"""A dataset folder becomes an nnU-Net raw folder, version 2."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tetract.data.cells import Split
from tetract.data.formats.export_cases import Content, gather_cases, wanted_classes
from tetract.data.formats.export_images import (
    ImageWriter,
    whole_folder,
    write_each,
    write_masked,
)
from tetract.data.formats.export_report import REPORT_NAME, ExportReport, Tally
from tetract.data.formats.nnunet_cases import SPLITS_NAME
from tetract.data.formats.nnunet_json import JSON_NAME
from tetract.data.formats.one_label_map import Coding, make_coding
from tetract.data.load import DatasetFolder
from tetract.data.read_row import RowReader
from tetract.io import atomic_write_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportChoices:
    """What is exported, and how.

    Attributes:
        content: Which kind of images.
        classes: Classes, the one that wins an overlap first; none: all.
        sources: Sources; none: all.
        ignore: Whether voxels that cannot be told are written as the label ``ignore``.
        regions: Whether combinations of classes have values of their own.
    """

    content: Content = Content.HU
    classes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    ignore: bool = False
    regions: bool = False


def export_nnunet(dataset: DatasetFolder, out: Path, choices: ExportChoices) -> ExportReport:
    """Write ``imagesTr``, ``labelsTr``, ``imagesTs``, ``labelsTs`` and ``dataset.json``.

    Volumes are NIfTI of int16 HU on their own grid; pictures are PNG. The training and validation
    splits together are ``imagesTr``, told apart by ``splits_final.json``; the test split is
    ``imagesTs``. An image whose wanted masks are not all known is left out and counted, unless
    ``ignore`` lets the map say so. The same input gives the same bytes.

    Args:
        dataset: The data set.
        out: A folder that does not exist or is empty.
        choices: What is wanted.

    Raises:
        InputError: ``E_OUT_NOT_EMPTY``, ``E_EMPTY_EXPORT``, ``E_LABEL_UNKNOWN``,
            ``E_SOURCE_UNKNOWN``, ``E_NO_MASK_CLASS`` or ``E_TOO_MANY_CLASSES``.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``; ``out`` is as it was.
    """
    coding = make_coding(
        wanted_classes(dataset, choices.classes), ignore=choices.ignore, regions=choices.regions
    )
    cases = gather_cases(dataset, choices.sources)
    reader, tally = RowReader(), Tally()
    with whole_folder(out) as place:
        writer = ImageWriter(dataset=dataset, content=choices.content, place=place, suffix="_0000")
        write_each(
            cases,
            lambda case: write_masked(case, writer, coding, reader, tally),
            tally,
            dataset.root.name,
        )
        report = ExportReport(
            layout="nnunet",
            content=str(choices.content),
            precedence=coding.classes,
            regions=coding.regions,
            tally=tally,
            notes=_write_splits(place, tally),
        )
        _write_json(place / REPORT_NAME, report.as_json())
        _write_json(place / JSON_NAME, _dataset_json(dataset, tally, coding, writer))
    return report


def _write_splits(place: Path, tally: Tally) -> list[str]:
    """``splits_final.json`` with one fold, where both of its parts have cases."""
    fold = {
        str(part): sorted(case.name for case in tally.cases if case.split == part)
        for part in (Split.TRAIN, Split.VAL)
    }
    notes = [
        "To get the patients back: import with --patient-from '.*_(p[0-9]+)_s[0-9]+'",
    ]
    if all(fold.values()):
        _write_json(place / SPLITS_NAME, [fold])
        return [f"Copy {SPLITS_NAME} to the folder of nnUNet_preprocessed", *notes]
    empty = " and ".join(name for name, cases in fold.items() if not cases)
    return [f"No {SPLITS_NAME}: there is no case of {empty}", *notes]


def _dataset_json(
    dataset: DatasetFolder, tally: Tally, coding: Coding, writer: ImageWriter
) -> dict[str, Any]:
    used = {case.source for case in tally.cases}
    sources = [source for source in dataset.card.sources if source.name in used]
    trained = sum(case.split != Split.TEST for case in tally.cases)
    content: dict[str, Any] = {
        "name": dataset.card.name,
        "description": dataset.card.description,
        "reference": "; ".join(f"{s.name}: {s.citation}" for s in sources),
        "licence": "; ".join(f"{s.name}: {s.licence}" for s in sources),
        "channel_names": {"0": "CT" if writer.content is Content.HU else "grey"},
        "labels": coding.labels(),
        "numTraining": trained,
        "file_ending": writer.ending,
    }
    if coding.regions:
        # In this order nnU-Net paints its predictions, the last on top; each as itself alone.
        content["regions_class_order"] = list(coding.values.values())
    return content


def _write_json(path: Path, content: object) -> None:
    atomic_write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
