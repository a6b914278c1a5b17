"""One entry of a datalist as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tetract.data.cells import ALL, BoxEntry, check_known, parse_corners
from tetract.data.formats.cuboids import BoxMode, boxes_on_slices, corners_lps
from tetract.data.formats.decathlon_json import Entry
from tetract.data.formats.inside import inside
from tetract.data.formats.label_values import LEFT_OUT
from tetract.data.formats.volume_case import Case, CaseSettings, case_rows
from tetract.data.read_image import read_image, source_of
from tetract.data.table import Row
from tetract.errors import GeometryError, LabelError, ReadError
from tetract.types import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class DatalistSettings:
    """What is the same for all entries.

    Attributes:
        root: Absolute folder that paths start from.
        case: How label maps are read.
        names: Label number to class; ``-`` for one that is not wanted.
        box_mode: How boxes are meant.
        every_slice: The class of a volume holds for each slice.
        complete: A slice of a volume that no box meets is empty; otherwise it is unknown.
    """

    root: Path
    case: CaseSettings
    names: Mapping[int, str]
    box_mode: BoxMode | None
    every_slice: bool
    complete: bool = False


def entry_rows(entry: Entry, settings: DatalistSettings) -> list[Row]:
    """The rows of an entry.

    Raises:
        InputError: What is wrong with its files or labels; ``E_CLASS_OF_VOLUME`` for a class
            number on a volume without ``every_slice``.
    """
    image = _existing(entry.image, settings.root, "E_MISSING_IMAGE")
    if entry.class_number is not None:
        return [_classified(entry, image, settings)]
    if entry.boxes is not None:
        return _boxed(entry, image, settings)
    label = entry.label_file
    case = Case(
        number=entry.number,
        name=case_name(entry.image),
        image=image,
        label=None if label is None else _existing(label, settings.root, "E_MISSING_MASK"),
        split=entry.split,
    )
    return case_rows(case, settings.case)


def case_name(path: str) -> str:
    """``imagesTr/lung_001.nii.gz`` as ``lung_001``."""
    name = PurePosixPath(path).name
    return name.removesuffix(".gz").rsplit(".", 1)[0] or name


def check_class_of_volume(volume: Volume, *, every_slice: bool) -> None:
    """Refuse to give a volume's class to slices that may show nothing of it.

    Raises:
        LabelError: ``E_CLASS_OF_VOLUME``.
    """
    if volume.depth > 1 and not every_slice:
        raise LabelError(
            "E_CLASS_OF_VOLUME",
            "the class belongs to a volume; its single slices may show nothing of it",
            where=volume.provenance.name,
            expected="pictures or single slices",
            found=f"{volume.depth} slices",
            fix="Give classes per slice, or say --every-slice if each slice bears the class",
        )


def _classified(entry: Entry, image: Path, settings: DatalistSettings) -> Row:
    volume = read_image(image, grey=settings.case.grey)
    name = _name(entry.class_number or 0, settings, entry)
    check_class_of_volume(volume, every_slice=settings.every_slice)
    label = None if name == LEFT_OUT else frozenset({name})
    return _row(entry, image, volume, settings, label=label)


def _boxed(entry: Entry, image: Path, settings: DatalistSettings) -> list[Row]:
    volume = read_image(image, grey=settings.case.grey)
    named = [(_name(number, settings, entry), box) for number, box in entry.boxes or ()]
    named = [(name, box) for name, box in named if name != LEFT_OUT]
    where = image.name
    if settings.box_mode is None or settings.box_mode == BoxMode.XYXY:
        if volume.depth > 1:
            raise LabelError(
                "E_BOXES_ON_VOLUME",
                "boxes of pictures stand beside a volume",
                where=where,
                found=f"{volume.depth} slices",
                fix="Say --box-mode cccwhd or xyzxyz",
            )
        boxes = tuple(
            BoxEntry(label=name, xyxy=parse_corners([repr(n) for n in box], str(list(box))))
            for name, box in named
        )
        return [_row(entry, image, volume, settings, boxes=boxes)]
    if volume.geometry is None:
        raise GeometryError(
            "E_NO_GEOMETRY",
            "boxes in mm need a volume with a place in the patient",
            where=where,
            fix="Give the volume they were drawn on",
        )
    found: dict[int, list[BoxEntry]] = {index: [] for index in range(volume.depth)}
    for name, box in named:
        low, high = corners_lps(box, settings.box_mode, where)
        for index, one in boxes_on_slices(name, low, high, volume.geometry, where).items():
            found[index].append(one)
    return [
        _row(entry, image, volume, settings, boxes=_told(boxes, settings), index=index)
        for index, boxes in found.items()
    ]


def _told(boxes: list[BoxEntry], settings: DatalistSettings) -> tuple[BoxEntry, ...] | None:
    """The boxes of a slice; none is *empty* only where the user says that the list is complete."""
    return tuple(boxes) if boxes or settings.complete else None


def _row(
    entry: Entry,
    image: Path,
    volume: Volume,
    settings: DatalistSettings,
    *,
    label: frozenset[str] | None = None,
    boxes: tuple[BoxEntry, ...] | None = None,
    index: int | None = None,
) -> Row:
    whole = None if volume.depth == 1 else ALL
    return Row(
        image=image.absolute(),
        source=source_of(settings.case.source, hu_known=volume.hu_known),
        slice=whole if index is None or volume.depth == 1 else index,
        patient=settings.case.patients.of(case_name(entry.image)),
        split=entry.split,
        label=label,
        boxes=boxes,
        note="; ".join(volume.provenance.warnings),
        number=entry.number,
    )


def _name(number: int, settings: DatalistSettings, entry: Entry) -> str:
    if number not in settings.names:
        known = [f"{value} {name}" for value, name in sorted(settings.names.items())]
        check_known(str(number), known, f"label of entry {entry.number}")
    return settings.names[number]


def _existing(text: str, root: Path, code: str) -> Path:
    path = inside(root, text, PurePosixPath(text).name)
    if not path.exists():
        raise ReadError(
            code,
            "a file of the list does not exist",
            where=path.name,
            fix="Check the folder that paths start from, or give it with --images",
        )
    return path
