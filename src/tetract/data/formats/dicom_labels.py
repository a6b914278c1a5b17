"""DICOM Segmentations and RT Structure Sets become masks of a dataset folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np

from tetract.data.card import DatasetCard, SourceCard
from tetract.data.cells import EMPTY, MaskCell, MaskSource
from tetract.data.finish_import import ImportOptions, ImportReport, Skipped, finish_at
from tetract.data.formats.mask_files import MaskFiles
from tetract.data.formats.names import NameRules
from tetract.data.import_place import import_place
from tetract.data.table import Row
from tetract.errors import InputError, LabelError
from tetract.io import (
    CtFolder,
    CtGrid,
    Drawn,
    References,
    Region,
    draw_rois,
    draw_segments,
    find_ct_folders,
    find_objects,
    read_ct_grid,
    read_segmentation,
    read_structure_set,
)


@runtime_checkable  # the tests check annotations
class LabelObject(Protocol):
    """What a segmentation and a structure set have in common."""

    @property
    def name(self) -> str:
        """Base name of the file."""
        ...

    @property
    def regions(self) -> tuple[Region, ...]:
        """What it outlines."""
        ...

    @property
    def references(self) -> References:
        """The CT it was drawn on."""
        ...


Found = TypeVar("Found", bound=LabelObject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format(Generic[Found]):
    """One kind of object.

    Attributes:
        name: Name of the source in the card.
        modality: DICOM modality.
        read: Reads a file.
        draw: Puts regions on a CT's grid.
    """

    name: str
    modality: str
    read: Callable[[Path], Found]
    draw: Callable[[Found, CtGrid, tuple[int, ...]], Drawn]


SEG = Format(name="dicom-seg", modality="SEG", read=read_segmentation, draw=draw_segments)
RTSTRUCT = Format(
    name="dicom-rtstruct", modality="RTSTRUCT", read=read_structure_set, draw=draw_rois
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChoices:
    """What the objects themselves do not say.

    Attributes:
        rules: Which region is which class.
        lesions: Classes that are lesions: boxes are derived of their masks.
        complete: The readers looked at every slice that an object references, so that a slice
            without a pixel of an outlined class is *empty* of it. Otherwise it is *unknown*.
    """

    rules: NameRules
    lesions: tuple[str, ...] = ()
    complete: bool = False


@dataclass(slots=True)
class _Series:
    """One CT and what was drawn on it so far."""

    folder: Path
    grid: CtGrid
    masks: dict[str, Path] = field(default_factory=dict)
    shown: dict[str, np.ndarray] = field(default_factory=dict)
    covered: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def cell(self, index: int, *, complete: bool) -> MaskCell | None:
        """The mask cell of one slice."""
        cell: MaskCell = {
            name: MaskSource(path=path) if self.shown[name][index] else EMPTY
            for name, path in sorted(self.masks.items())
            if self.shown[name][index] or (complete and self.covered[name][index])
        }
        return cell or None


def import_label_objects(
    objects: Path,
    ct: Path,
    folder: Path,
    choices: LabelChoices,
    kind: Format[Found],
    options: ImportOptions,
) -> ImportReport:
    """Make a dataset folder of CT series and the objects drawn on them, one row per slice.

    CT files stay where they are; each class of each series becomes one NIfTI label map on the
    CT's grid under ``masks``, its regions numbered from 1. Running it again gives the same bytes.

    Args:
        objects: One object, or a folder that is searched for them at all depths.
        ct: A CT folder, or a folder above several.
        folder: The dataset folder to write.
        choices: What regions mean.
        kind: ``SEG`` or ``RTSTRUCT``.
        options: Seed, shares, overwriting.

    Raises:
        InputError: For a single object, what is wrong with it; for several, such objects are
            skipped and reported. ``E_SEGMENT_UNKNOWN`` for a rule that no region met, and what
            ``finish_at`` refuses.
    """
    paths = find_objects(objects, kind.modality)
    if not paths:
        raise InputError(
            "E_EMPTY_DATASET",
            f"no DICOM object of modality {kind.modality} was found",
            where=objects.name,
            fix="Give the file, or a folder above it",
        )
    skipped: list[Skipped] = []
    with import_place(folder) as place:
        work = _Work(kind, choices, find_ct_folders(ct), MaskFiles(place=place))
        for number, path in enumerate(paths, 1):
            skipped += work.add_or_skip(path, number, alone=len(paths) == 1)
        choices.rules.check_used(work.regions, objects.name)
        rows = work.rows()
        card = _card(kind.name, rows, choices)
        return finish_at(place, card, [*rows, *skipped], options, origin=objects.name)


class _Work(Generic[Found]):
    """The series met so far."""

    def __init__(
        self,
        kind: Format[Found],
        choices: LabelChoices,
        folders: Sequence[CtFolder],
        files: MaskFiles,
    ) -> None:
        self._kind = kind
        self._choices = choices
        self._folders = folders
        self._files = files
        self._series: dict[Path, _Series] = {}
        self.regions: list[Region] = []

    def add_or_skip(self, path: Path, number: int, *, alone: bool) -> list[Skipped]:
        """As ``add``; one bad object among several is skipped, a single one is refused."""
        try:
            return self.add(path, number)
        except InputError as error:
            if alone:
                raise
            return [Skipped(number=number, reason=str(error), declared=False)]

    def add(self, path: Path, number: int) -> list[Skipped]:
        """Draw one object; what of it could not be drawn."""
        found = self._kind.read(path)
        self.regions += found.regions
        numbers = self._choices.rules.applied(found.regions, found.name)
        where = _folder_of(found, self._folders)
        series = self._series.get(where) or _Series(folder=where, grid=read_ct_grid(where))
        twice = sorted(set(numbers) & set(series.masks))
        if twice:
            raise LabelError(
                "E_SEGMENT_TWICE",
                f"class '{twice[0]}' of this CT was drawn by another object already",
                where=found.name,
                fix="Give the object that counts, or other class names",
            )
        drawn = {n: self._kind.draw(found, series.grid, numbers[n]) for n in numbers}
        covered = series.grid.covered(found.references.instances)
        for name, result in drawn.items():
            stem = f"{series.grid.series_key}-{name}"
            geometry = series.grid.geometry
            series.masks[name] = self._files.write_volume(stem, result.labels, geometry)
            series.shown[name] = np.array([plane.any() for plane in result.labels], dtype=bool)
            series.covered[name] = covered
            series.notes += [f"{name}: {note}" for note in result.notes]
        self._series[where] = series
        return [
            Skipped(number=number, reason=f"{found.name}: not drawn, {part}", declared=True)
            for result in drawn.values()
            for part in result.skipped
        ]

    def rows(self) -> list[Row]:
        """One row per slice of each series."""
        return [
            Row(
                image=series.folder.absolute(),
                source=self._kind.name,
                slice=index,
                patient=series.grid.patient,
                study=series.grid.study,
                series=series.grid.series_key,
                mask=series.cell(index, complete=self._choices.complete),
                note="; ".join(series.notes),
                number=index,
            )
            for _, series in sorted(self._series.items())
            for index in range(series.grid.geometry.shape[0])
        ]


def _folder_of(found: LabelObject, folders: Sequence[CtFolder]) -> Path:
    """The CT folder of an object: by its series, else by its frame of reference if only one has it.

    Raises:
        LabelError: ``E_NO_CT``.
    """
    references = found.references
    same = [f for f in folders if f.series and f.series == references.series]
    same = same or [
        f
        for f in folders
        if f.frame_of_reference and f.frame_of_reference == references.frame_of_reference
    ]
    same = same or (list(folders) if len(folders) == 1 else [])
    if len(same) == 1:
        return same[0].path
    raise LabelError(
        "E_NO_CT",
        "the CT that the object was drawn on is not there, or not the only one",
        where=found.name,
        expected="one folder with the referenced series or frame of reference",
        found=f"{len(same)} among {len(folders)} CT folders",
        fix="Give the folder of that CT with --ct",
    )


def _card(name: str, rows: Sequence[Row], choices: LabelChoices) -> DatasetCard:
    wanted = {value for value in choices.rules.classes.values() if value != "-"}
    shown = {key for row in rows for key in row.mask or {}}
    classes = tuple(sorted(wanted | shown))
    strangers = sorted(set(choices.lesions) - set(classes))
    if strangers:
        raise LabelError(
            "E_LABEL_UNKNOWN",
            f"unknown lesion '{strangers[0]}'",
            expected="one of " + ", ".join(classes),
        )
    nameless = sum(row.patient is None for row in rows)
    known = "partly" if 0 < nameless < len(rows) else "unknown" if nameless else "known"
    empty = (
        "a slice referenced by an object but without a pixel of its class is empty of it, as the"
        " person who imported it said"
        if choices.complete
        else "a slice without a pixel of a class is unknown for it: the objects do not say"
        " whether all of the CT was looked at"
    )
    return DatasetCard(
        name=name,
        description=f"CT series with labels of {name} objects.",
        mask_classes=classes,
        box_classes=choices.lesions,
        sources=(
            SourceCard(
                name=name,
                citation="not stated by the files",
                licence="not stated by the files",
                hu_known=True,
                mask_classes=classes,
                patient_ids=known,
                group_by="short hash of the DICOM Patient ID",
                notes=f"Masks on the CT's own voxels, nothing resampled; {empty}.",
            ),
        ),
    )
