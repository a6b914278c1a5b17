"""Folders named after classes, with images of any readable kind, become a dataset folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tetract.data.cells import ALL, parse_class
from tetract.data.finish_import import ImportOptions, ImportReport, Skipped, finish_import
from tetract.data.formats.class_names import class_name, source_name
from tetract.data.formats.datalist_rows import check_class_of_volume
from tetract.data.formats.patient_rule import PatientRule
from tetract.data.formats.source_cards import About, import_card
from tetract.data.read_image import read_image, source_of
from tetract.data.table import Row
from tetract.errors import InputError, LabelError, ReadError
from tetract.io import Kind, sniff

LEFT_OUT: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderChoices:
    """What folders do not say.

    Attributes:
        classes: Sub-folder to what it means: a class, candidates ``a|b``, ``unknown``, or ``-``
            for a folder that is left out. A folder not named here is the class of its name.
        normal: The class that means "nothing found", or None.
        patients: How a file's path below the folder gives its patient.
        every_slice: The class of a volume holds for each of its slices.
        grey: Whether volumes of 0 to 255 are taken as grey levels.
        name: Name of the data set, or None: the folder's.
    """

    classes: Mapping[str, str] = field(default_factory=dict)
    normal: str | None = None
    patients: PatientRule = field(default_factory=PatientRule)
    every_slice: bool = False
    grey: bool = False
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    """A file, or a folder with a DICOM series, and the sub-folder it lies in."""

    number: int
    path: Path
    below: str


def import_folders(
    root: Path, folder: Path, choices: FolderChoices, options: ImportOptions
) -> ImportReport:
    """Make a dataset folder of a folder whose sub-folders are named after classes.

    Every image is decoded once, so that what cannot be read is skipped and told now. A folder
    with DICOM files is one series where all of them fit together; pictures, volumes and DICOM
    files beside other things are images of their own.

    Args:
        root: The folder above the class folders.
        folder: The dataset folder to write.
        choices: What the folders do not say.
        options: Seed, shares, overwriting.

    Raises:
        InputError: ``E_BAD_LAYOUT`` without a sub-folder, ``E_CLASS_NAME`` for a folder whose
            name cannot be a class, ``E_LABEL_UNKNOWN`` for a rule that no folder met,
            ``E_PATIENT_PATTERN``, and what ``finish_import`` refuses.
    """
    labels = _labels(root, choices)
    name = source_name(choices.name or root.resolve().name, "folders")
    images, outcomes = _images(root, labels)
    for image in images:
        try:
            outcomes.append(_row(image, root, labels, choices, name))
        except InputError as error:
            outcomes.append(Skipped(number=image.number, reason=str(error), declared=False))
    rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
    choices.patients.check_met(rows, root.name)
    about = About(
        name=name,
        group_by=choices.patients.told(),
        description="Imported from folders named after classes.",
        classes=_classes(labels, choices.normal),
        class_unit="patient" if choices.every_slice else "slice",
        normal_class=choices.normal,
        notes="The class is the name of the folder; masks and boxes are unknown.",
    )
    card_rows = rows or [Row(image=root, source=name)]
    return finish_import(folder, import_card(about, card_rows), outcomes, options, origin=root.name)


def parse_folder_rules(texts: Sequence[str]) -> dict[str, str]:
    """Rules ``FOLDER=class``, ``FOLDER=a|b``, ``FOLDER=unknown`` or ``FOLDER=-``.

    Raises:
        LabelError: ``E_LABEL_RULE``, or ``E_CLASS_NAME``.
    """
    rules: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.rpartition("="))
        named = sorted(parse_class(value) or ()) if value and value != LEFT_OUT else []
        spaced = [one for one in named if class_name(one, "--class") != one]
        if not (name and equals and value) or name in rules or spaced:
            raise LabelError(
                "E_LABEL_RULE",
                "not a rule for a folder",
                expected="FOLDER=class, FOLDER=a|b, FOLDER=unknown or FOLDER=-, each once",
                found=f"'{text}'",
            )
        rules[name] = value
    return rules


def _labels(root: Path, choices: FolderChoices) -> dict[str, frozenset[str] | str | None]:
    """Sub-folder to its candidate classes, None for unknown, ``-`` for left out."""
    names = [path.name for path in _listed(root) if path.is_dir()]
    if not names:
        raise ReadError(
            "E_BAD_LAYOUT",
            "the folder holds no sub-folder",
            where=root.name,
            expected="one sub-folder per class",
            fix="Give the folder above the class folders, or import a table",
        )
    strangers = sorted(set(choices.classes) - set(names))
    if strangers:
        raise LabelError(
            "E_LABEL_UNKNOWN",
            f"no sub-folder is called '{strangers[0]}'",
            where=root.name,
            expected="one of " + ", ".join(names),
        )
    found: dict[str, frozenset[str] | str | None] = {}
    for name in names:
        rule = choices.classes.get(name)
        if rule == LEFT_OUT:
            found[name] = LEFT_OUT
        else:
            found[name] = parse_class(rule) if rule else frozenset({class_name(name, name)})
    return found


def _classes(
    labels: Mapping[str, frozenset[str] | str | None], normal: str | None
) -> tuple[str, ...]:
    named = {one for label in labels.values() if isinstance(label, frozenset) for one in label}
    if normal is not None and normal not in named:
        raise LabelError(
            "E_LABEL_UNKNOWN",
            f"no folder has the class '{normal}'",
            expected="one of " + ", ".join(sorted(named)),
            fix="Name a class with --normal",
        )
    return tuple(sorted(named))


def _images(
    root: Path, labels: Mapping[str, frozenset[str] | str | None]
) -> tuple[list[_Image], list[Row | Skipped]]:
    """Every image below the class folders, and what is left out on purpose or by surprise."""
    images: list[_Image] = []
    others: list[Row | Skipped] = []
    number = 0
    for top in _listed(root):
        for path in _units(top) if top.is_dir() else [top]:
            number += 1
            if not top.is_dir():
                what = "the file lies beside the class folders"
                error = LabelError("E_NO_RULE", what, where=path.name)
                others.append(Skipped(number=number, reason=str(error), declared=False))
            elif labels[top.name] == LEFT_OUT:
                reason = f"folder {top.name} is left out on request"
                others.append(Skipped(number=number, reason=reason, declared=True))
            else:
                images.append(_Image(number=number, path=path, below=top.name))
    return images, others


def _units(folder: Path) -> list[Path]:
    """What is read as one: a folder whose files are all DICOM, or else each file."""
    found = _listed(folder)
    files = [path for path in found if path.is_file()]
    units = files
    if len(files) > 1 and all(sniff(path) is Kind.DICOM for path in files):
        units = [folder]
    return units + [unit for path in found if path.is_dir() for unit in _units(path)]


def _listed(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ReadError("E_NOT_FOUND", "no such folder", where=folder.name, fix="Check the path")
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _row(
    image: _Image,
    root: Path,
    labels: Mapping[str, frozenset[str] | str | None],
    choices: FolderChoices,
    name: str,
) -> Row:
    volume = read_image(image.path, grey=choices.grey)
    label = labels[image.below]
    known = label if isinstance(label, frozenset) else None
    if known is not None:
        check_class_of_volume(volume, every_slice=choices.every_slice)
    return Row(
        image=image.path.absolute(),
        source=source_of(name, hu_known=volume.hu_known),
        slice=None if volume.depth == 1 else ALL,
        patient=choices.patients.of(image.path.relative_to(root).as_posix()),
        label=known,
        note="; ".join(volume.provenance.warnings),
        number=image.number,
    )
