"""Lung-PET-CT-Dx: CT series in DICOM, one VOC XML file per boxed slice, named by its instance."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from tetract.data.cells import BoxEntry
from tetract.data.finish_import import Skipped
from tetract.data.formats.published_folders import find_folder, layout_error, relative
from tetract.data.records import Record
from tetract.data.voc import read_voc
from tetract.errors import InputError, LabelError
from tetract.io import CtGrid, find_ct_folders, read_ct_grid

_PATIENT: Final = re.compile(r"Lung_Dx-(([ABEG])\d{4})")
_HISTOLOGY: Final = {
    "A": "adenocarcinoma",
    "B": "small cell carcinoma",
    "E": "large cell carcinoma",
    "G": "squamous cell carcinoma",
}


def walk_lung_pet_ct_dx(root: Path) -> list[Record | Skipped]:
    """One record per slice of each CT series that has a boxed slice.

    The patient, and with it the histology, is the folder ``Lung_Dx-A0001`` above the series; the
    name of an XML object must be the same letter.

    Raises:
        InputError: ``E_BAD_LAYOUT`` without the folder Annotation or without a CT series.
    """
    annotation = find_folder(root, "Annotation", "one XML file per boxed slice")
    found: list[Record | Skipped] = []
    used: dict[str, set[str]] = {}
    folders = [ct.path for ct in find_ct_folders(root)]
    if not folders:
        raise layout_error(root, "CT series as DICOM below folders such as Lung_Dx-A0001")
    for folder in folders:
        for outcome in _series(folder, root, annotation, used):
            found.append(replace(outcome, number=len(found) + 1))
    for patient, boxed in sorted(used.items()):
        lost = _annotations(annotation, patient).keys() - boxed
        if lost:
            reason = (
                f"E_NO_CT {patient}: {len(lost)} boxed slices are in no CT series that was read"
            )
            found.append(Skipped(number=len(found) + 1, reason=reason, declared=False))
    return found


def _series(
    folder: Path, root: Path, annotation: Path, used: dict[str, set[str]]
) -> Iterator[Record | Skipped]:
    """The slices of one series; instances that have a file are noted in ``used``."""
    match = next(filter(None, map(_PATIENT.fullmatch, folder.relative_to(root.parent).parts)), None)
    if match is None:
        yield _skip(f"E_BAD_LAYOUT {folder.name}: no folder such as Lung_Dx-A0001 above the series")
        return
    patient, letter = match[0], match[2]
    files = _annotations(annotation, patient)
    boxed = used.setdefault(patient, set())
    try:
        grid = read_ct_grid(folder)
    except InputError as error:
        yield _skip(str(error))
        return
    here = files.keys() & grid.instances.keys()
    boxed |= here
    if not here:
        yield Skipped(number=0, reason="CT series without a boxed slice", declared=True)
        return
    by_slice = {grid.instances[uid]: files[uid] for uid in here}
    for index in range(grid.geometry.shape[0]):
        try:
            boxes = _boxes(by_slice.get(index), letter, grid)
        except InputError as error:
            yield _skip(str(error))
            continue
        cells = {
            "file": relative(folder, root),
            "slice": str(index),
            "patient": patient,
            "series": grid.series_key,
            "letter": letter,
            "histology": _HISTOLOGY[letter],
            "boxes": boxes,
        }
        yield Record(number=0, cells=cells)


def _annotations(annotation: Path, patient: str) -> Mapping[str, Path]:
    """Instance UID to file, for one patient."""
    short = patient.removeprefix("Lung_Dx-")
    folders = (annotation / short, annotation / patient)
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.xml"))}


def _boxes(path: Path | None, letter: str, grid: CtGrid) -> str:
    """The boxes of a slice as a cell; blank where nobody drew one.

    Raises:
        ReadError: ``E_BAD_XML``.
        LabelError: ``E_LABEL_UNKNOWN`` for another letter than the patient's; ``E_BOX_OUTSIDE``.
    """
    if path is None:
        return ""
    names = {re.compile(letter, re.IGNORECASE): "tumour"}
    boxes = read_voc(path, names, inclusive=False)
    for box in boxes:
        _check_inside(box, grid, path)
    return ";".join(" ".join(f"{corner:g}" for corner in box.xyxy) for box in boxes)


def _check_inside(box: BoxEntry, grid: CtGrid, path: Path) -> None:
    _, rows, columns = grid.geometry.shape
    _, _, x1, y1 = box.xyxy
    if x1 > columns or y1 > rows:
        raise LabelError(
            "E_BOX_OUTSIDE",
            "box leaves the image",
            where=path.name,
            expected=f"x1 <= {columns}, y1 <= {rows} px",
            found=f"x1 = {x1:g}, y1 = {y1:g} px",
        )


def _skip(reason: str) -> Skipped:
    return Skipped(number=0, reason=reason, declared=False)
