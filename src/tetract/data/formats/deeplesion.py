"""DeepLesion: key slices as 16-bit PNG, with boxes around the lesions that somebody measured.

Yan et al., Journal of Medical Imaging 5(3):036501 (2018). Radiologists marked what they needed for
their report, so a box is a lesion, but a place without a box is not free of lesions.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from tetract.data.card import DatasetCard, SourceCard
from tetract.data.cells import BoxEntry, Split, check_box
from tetract.data.finish_import import ImportOptions, ImportReport, Skipped, finish_import
from tetract.data.formats.numbers_in import number_in, numbers_in
from tetract.data.records import Record, read_records
from tetract.data.table import Row
from tetract.errors import LabelError

Value = TypeVar("Value")

LESION: Final = "lesion"
TYPES: Final = {
    -1: "unknown",
    1: "bone",
    2: "abdomen",
    3: "mediastinum",
    4: "liver",
    5: "lung",
    6: "kidney",
    7: "soft-tissue",
    8: "pelvis",
}
_SOURCE: Final = "deeplesion"
_SPLITS: Final = {1: Split.TRAIN, 2: Split.VAL, 3: Split.TEST}
_COLUMNS: Final = (
    "File_name",
    "Patient_index",
    "Study_index",
    "Bounding_boxes",
    "Coarse_lesion_type",
    "Possibly_noisy",
    "Spacing_mm_px_",
    "Image_size",
    "DICOM_windows",
    "Train_Val_Test",
)
_NAME: Final = re.compile(r"([0-9]{6}_[0-9]{2}_[0-9]{2})_([0-9]{3}\.png)")
# The first pixel's centre is at 1 in the table and at 0.5 in half-open boxes.
_TO_HALF_OPEN: Final = -0.5


def import_deeplesion(
    table: Path, images: Path, folder: Path, types: Sequence[str], options: ImportOptions
) -> ImportReport:
    """Make a dataset folder of DeepLesion, one row per key slice.

    Boxes of one slice are joined in one row. Slices around the key slice get no row: nobody
    boxed them. Rows marked as possibly noisy are left out and reported, and so are those whose
    series is not in the folder.

    Args:
        table: ``DL_info.csv``.
        images: The folder ``Images_png``, with a folder per series.
        folder: The dataset folder to write.
        types: Names of the lesion types wanted, all where empty. The training part has no types.
        options: Seed, shares, overwriting; the split is the published one.

    Raises:
        InputError: ``E_LABEL_UNKNOWN`` for a type, ``E_NO_COLUMN``, and what ``finish_import``
            refuses. A row that cannot be read is skipped and reported.
    """
    strangers = sorted(set(types) - set(TYPES.values()))
    if strangers:
        raise LabelError(
            "E_LABEL_UNKNOWN",
            f"unknown lesion type '{strangers[0]}'",
            expected="one of " + ", ".join(TYPES.values()),
        )
    _, records = read_records(table, required=_COLUMNS)
    on_slice: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        on_slice[record.cells["File_name"]].append(record)
    outcomes: list[Row | Skipped] = []
    for name, mine in on_slice.items():
        outcomes += _slice(name, mine, images.absolute(), frozenset(types))
    return finish_import(folder, _card(), outcomes, options, origin=table.name)


def _slice(
    name: str, records: Sequence[Record], images: Path, types: frozenset[str]
) -> list[Row | Skipped]:
    """One row of a key slice's boxes, and what of it was left out."""
    rows: list[Row] = []
    skipped: list[Skipped] = []
    for record in records:
        try:
            path = _image(name, images, record)
            reason = "its series is not in the folder" if path is None else _unwanted(record, types)
            if path is None or reason:
                skipped.append(Skipped(number=record.number, reason=reason, declared=True))
            else:
                rows.append(_row(path, record))
        except LabelError as error:
            skipped.append(Skipped(number=record.number, reason=str(error), declared=False))
    return [*_joined(rows), *skipped]


def _joined(rows: Sequence[Row]) -> list[Row]:
    if not rows:
        return []
    boxes = tuple(box for row in rows for box in row.boxes or ())
    return [replace(rows[0], boxes=boxes, note="; ".join(dict.fromkeys(r.note for r in rows)))]


def _row(path: Path, record: Record) -> Row:
    cells = record.cells
    patient = f"{_SOURCE}-{cells['Patient_index']}"
    low, high = numbers_in(record, "DICOM_windows", 2)
    spacing = numbers_in(record, "Spacing_mm_px_", 3)
    return Row(
        image=path,
        source=_SOURCE,
        patient=patient,
        study=f"{patient}-{cells['Study_index']}",
        split=_choice(record, "Train_Val_Test", _SPLITS),
        boxes=(BoxEntry(label=LESION, xyxy=_box(record)),),
        note=f"type={_type(record)} window={low:g} to {high:g} HU"
        f" spacing={' x '.join(f'{n:g}' for n in spacing)} mm",
        number=record.number,
    )


def _image(name: str, images: Path, record: Record) -> Path | None:
    """The picture of a key slice; None where its series was not downloaded.

    Raises:
        LabelError: ``E_BAD_CELL`` for a name that is no key slice's; ``E_MISSING_IMAGE``.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise LabelError(
            "E_BAD_CELL",
            "not the name of a key slice",
            where=f"row {record.number} column File_name",
            expected="patient_study_series_slice.png in digits",
            found=f"'{name[:40]}'",
        )
    path = images / match[1] / match[2]
    if not path.parent.is_dir():
        return None
    if not path.is_file():
        raise LabelError("E_MISSING_IMAGE", "image file does not exist", where=name)
    return path


def _unwanted(record: Record, types: frozenset[str]) -> str:
    if number_in(record, "Possibly_noisy") != 0:
        return "marked as possibly noisy"
    if types and _type(record) not in types:
        return "another lesion type than asked for"
    return ""


def _type(record: Record) -> str:
    return _choice(record, "Coarse_lesion_type", TYPES)


def _choice(record: Record, column: str, known: Mapping[int, Value]) -> Value:
    number = number_in(record, column)
    if number in known:
        return known[int(number)]
    raise LabelError(
        "E_BAD_CELL",
        "not one of the values that DeepLesion uses",
        where=f"row {record.number} column {column}",
        expected=", ".join(str(n) for n in known),
        found=f"{number:g}",
    )


def _box(record: Record) -> tuple[float, float, float, float]:
    """The half-open box of a row; padding that leaves the picture is cut off.

    Raises:
        LabelError: ``E_BAD_CELL``, ``E_BOX_EMPTY``.
    """
    height, width = numbers_in(record, "Image_size", 2)
    x0, y0, x1, y1 = (n + _TO_HALF_OPEN for n in numbers_in(record, "Bounding_boxes", 4))
    cut = (max(0.0, x0), max(0.0, y0), min(width, x1), min(height, y1))
    rounded = (round(cut[0], 3), round(cut[1], 3), round(cut[2], 3), round(cut[3], 3))
    check_box(rounded)
    return rounded


def _card() -> DatasetCard:
    citation = "Yan et al., J Med Imaging 5(3):036501 (2018)"
    return DatasetCard(
        name=_SOURCE,
        description="Key slices of DeepLesion with boxes around measured lesions.",
        citation=citation,
        box_classes=(LESION,),
        sources=(
            SourceCard(
                name=_SOURCE,
                citation=citation,
                licence="NIH Clinical Center: free use with citation and a link to the source",
                hu_known=True,
                hu_offset=32768,
                boxes_complete=False,
                box_classes=(LESION,),
                patient_ids="known",
                group_by="Patient_index",
                notes="PARTIAL: boxes are lesions, but a place without a box is not free of them:"
                " radiologists boxed what their report needed, and much has no box. Boxes are"
                " trained on; the rest of a slice is no background, and no detection figure is"
                " made from this source.",
            ),
        ),
    )
