"""LUNA16: MetaImage volumes in ten subsets, nodules by centre and diameter.

Setio et al., Medical Image Analysis 42 (2017): nodules of at least 3 mm that at least 3 of the 4
readers of LIDC-IDRI marked. Other findings stand in ``annotations_excluded.csv``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from tetract.data.card import DatasetCard, SourceCard
from tetract.data.cells import BoxEntry, Split
from tetract.data.finish_import import ImportOptions, ImportReport, Skipped, finish_import
from tetract.data.formats.numbers_in import number_in
from tetract.data.formats.sphere import Sphere, cut_sphere, reached, voxel_of
from tetract.data.records import read_records
from tetract.data.table import Row
from tetract.errors import InputError, LabelError, ReadError
from tetract.io import read_grid
from tetract.types import Geometry

NODULE: Final = "nodule"
ANNOTATIONS: Final = "annotations.csv"
EXCLUDED: Final = "annotations_excluded.csv"
_SOURCE: Final = "luna16"
_COLUMNS: Final = ("seriesuid", "coordX", "coordY", "coordZ", "diameter_mm")
# What is excluded without a diameter is a nodule below 3 mm, or no nodule and of unknown size.
_SMALL_RADIUS_MM: Final = 1.5
_SUBSET: Final = re.compile(r"subset([0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class LunaChoices:
    """What the collection leaves to its user.

    Attributes:
        folds: Published fold (0 to 9) to a split; other folds train. Empty: splits are drawn.
        patients: Series UID to LIDC patient; without it patients are unknown.
    """

    folds: Mapping[int, Split] = field(default_factory=dict)
    patients: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    number: int
    centre_mm: np.ndarray
    diameter_mm: float


_Findings = Mapping[str, Sequence[_Finding]]


def import_luna16(
    root: Path, folder: Path, choices: LunaChoices, options: ImportOptions
) -> ImportReport:
    """Make a dataset folder of LUNA16, one row per slice.

    A nodule is cut by its slices: boxes shrink away from the centre. Other slices are *empty* as
    far as ``annotations_excluded.csv`` shows nothing there, and *unknown* else, or without it.

    Args:
        root: Folder with ``annotations.csv`` and the subsets' ``.mhd`` files, at any depth.
        folder: The dataset folder to write.
        choices: Folds and patients.
        options: Seed, shares, overwriting.

    Raises:
        InputError: ``E_NO_FILE`` without annotations, ``E_BAD_CELL``, ``E_NO_FOLD``, and what
            ``finish_import`` refuses. A volume that cannot be placed is skipped and reported.
    """
    annotations = _find(root, ANNOTATIONS)
    if annotations is None:
        raise ReadError("E_NO_FILE", f"no {ANNOTATIONS} in the folder", where=root.name)
    nodules = _read(annotations)
    listed = _find(root, EXCLUDED)
    excluded = None if listed is None else _read(listed)
    volumes = {path.stem: path for path in sorted(root.rglob("*.mhd"))}
    outcomes: list[Row | Skipped] = []
    for number, (series, path) in enumerate(sorted(volumes.items()), 1):
        fold = _fold(path)
        split = _split(fold, choices, path.name)
        try:
            labels = _labels(read_grid(path), nodules.get(series, ()), _of(excluded, series))
        except InputError as error:
            outcomes.append(Skipped(number=number, reason=str(error), declared=False))
            continue
        note = "" if fold is None else f"fold={fold}"
        outcomes += [
            Row(
                image=path.absolute(),
                source=_SOURCE,
                slice=index,
                patient=choices.patients.get(series),
                series=series,
                split=split,
                boxes=boxes,
                note="; ".join(part for part in (note, seen) if part),
                number=index,
            )
            for index, (boxes, seen) in enumerate(labels)
        ]
    outcomes += _absent(nodules, volumes)
    card = _card(known=bool(choices.patients), excluded=excluded is not None)
    return finish_import(folder, card, outcomes, options, origin=annotations.name)


def parse_folds(texts: Sequence[str]) -> dict[int, Split]:
    """Folds written as ``test=9`` or ``val=8``.

    Raises:
        LabelError: ``E_NO_FOLD``.
    """
    folds: dict[int, Split] = {}
    for text in texts:
        match = re.fullmatch(r"(train|val|test)=([0-9])", text)
        if match is None or int(match[2]) in folds:
            raise LabelError(
                "E_NO_FOLD",
                "not a fold of LUNA16",
                expected="test=9, val=8 and the like, each of the folds 0 to 9 once",
                found=f"'{text}'",
            )
        folds[int(match[2])] = Split(match[1])
    return folds


_SliceLabel = tuple[tuple[BoxEntry, ...] | None, str]


def _labels(
    geometry: Geometry, nodules: Sequence[_Finding], excluded: Sequence[_Finding] | None
) -> list[_SliceLabel]:
    """Boxes and a remark for each slice."""
    boxes: defaultdict[int, list[BoxEntry]] = defaultdict(list)
    doubtful: defaultdict[int, int] = defaultdict(int)
    for nodule in nodules:
        where = f"{ANNOTATIONS} row {nodule.number}"
        sphere = Sphere(centre_mm=nodule.centre_mm, diameter_mm=nodule.diameter_mm)
        cuts = cut_sphere(sphere, geometry, where)
        for index, xyxy in cuts.boxes.items():
            boxes[index].append(BoxEntry(label=NODULE, xyxy=xyxy))
        for index in cuts.slivers:
            doubtful[index] += 1
    for finding in excluded or ():
        where = f"{EXCLUDED} row {finding.number}"
        at = float(voxel_of(finding.centre_mm, geometry, where)[0])
        reach = max(finding.diameter_mm / 2, _SMALL_RADIUS_MM)
        for index in reached(at, reach, geometry):
            doubtful[index] += 1
    found: list[_SliceLabel] = []
    for index in range(geometry.shape[0]):
        seen = f"findings without a box={doubtful[index]}" if doubtful[index] else ""
        if boxes[index]:
            found.append((tuple(boxes[index]), seen))
        else:
            negative = excluded is not None and not doubtful[index]
            found.append((() if negative else None, seen))
    return found


def _read(path: Path) -> dict[str, list[_Finding]]:
    _, records = read_records(path, required=_COLUMNS)
    found: defaultdict[str, list[_Finding]] = defaultdict(list)
    for record in records:
        x, y, z, diameter = (number_in(record, column) for column in _COLUMNS[1:])
        if path.name == ANNOTATIONS and diameter <= 0:
            raise LabelError(
                "E_BAD_CELL",
                "a nodule has no diameter",
                where=f"{path.name} row {record.number}",
                expected="mm above 0",
                found=f"{diameter:g}",
            )
        found[record.cells["seriesuid"]].append(
            _Finding(number=record.number, centre_mm=np.array([x, y, z]), diameter_mm=diameter)
        )
    return found


def _of(findings: _Findings | None, series: str) -> Sequence[_Finding] | None:
    return None if findings is None else findings.get(series, ())


def _find(root: Path, name: str) -> Path | None:
    """The file of that name nearest to the top."""
    if not root.is_dir():
        raise ReadError("E_NOT_FOUND", "no such folder", where=root.name)
    return min(root.rglob(name), key=lambda path: (len(path.parts), path), default=None)


def _fold(path: Path) -> int | None:
    match = _SUBSET.fullmatch(path.parent.name)
    return None if match is None else int(match[1])


def _split(fold: int | None, choices: LunaChoices, where: str) -> Split:
    if not choices.folds:
        return Split.UNASSIGNED
    if fold is None:
        raise LabelError(
            "E_NO_FOLD",
            "the volume is in no folder subset0 to subset9, so its fold is unknown",
            where=where,
            fix="Keep the subsets' folders, or leave --fold out",
        )
    return choices.folds.get(fold, Split.TRAIN)


def _absent(nodules: _Findings, volumes: Mapping[str, Path]) -> list[Skipped]:
    return [
        Skipped(number=finding.number, reason="its volume is not in the folder", declared=True)
        for series, findings in nodules.items()
        if series not in volumes
        for finding in findings
    ]


def _card(*, known: bool, excluded: bool) -> DatasetCard:
    negatives = (
        "Slices without such a nodule are empty only where annotations_excluded.csv shows no"
        " other finding (nodules below 3 mm or marked by fewer readers, and non-nodules); else"
        " they are unknown."
        if excluded
        else "annotations_excluded.csv was not there, so slices without such a nodule are unknown."
    )
    return DatasetCard(
        name=_SOURCE,
        description="Nodules of LUNA16 as boxes on axial slices.",
        citation="Setio et al., Medical Image Analysis 42 (2017) 1-13",
        box_classes=(NODULE,),
        sources=(
            SourceCard(
                name=_SOURCE,
                citation="Setio et al., Medical Image Analysis 42 (2017) 1-13; images: Armato et"
                " al., LIDC-IDRI, The Cancer Imaging Archive (2015)",
                licence="CC BY 4.0 (LUNA16), CC BY 3.0 (LIDC-IDRI)",
                hu_known=True,
                box_classes=(NODULE,),
                patient_ids="partly" if known else "unknown",
                group_by="LIDC patient" if known else "volume; a few patients have two of them",
                notes="A nodule is one of at least 3 mm that at least 3 of 4 readers marked."
                f" {negatives} A slice with a box may also show a finding without one; its note"
                " counts them. Boxes are those of balls of the stated diameter, cut by each slice.",
            ),
        ),
    )
