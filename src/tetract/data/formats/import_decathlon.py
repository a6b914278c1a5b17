"""A datalist of the decathlon or of MONAI becomes a dataset folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tetract.data.finish_import import ImportOptions, ImportReport, Skipped, finish_at
from tetract.data.formats.channels import ct_channel
from tetract.data.formats.class_names import check_lesions, class_name, source_name
from tetract.data.formats.cuboids import BoxMode
from tetract.data.formats.datalist_rows import DatalistSettings, entry_rows
from tetract.data.formats.decathlon_json import Datalist, load_datalist
from tetract.data.formats.label_values import LEFT_OUT, LabelValues, values_of_rules
from tetract.data.formats.mask_files import MaskFiles
from tetract.data.formats.patient_rule import PatientRule
from tetract.data.formats.source_cards import NOT_STATED, About, import_card
from tetract.data.formats.volume_case import CaseSettings
from tetract.data.import_place import import_place
from tetract.data.table import Row
from tetract.errors import InputError, LabelError

Rules = Mapping[tuple[int, ...], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatalistChoices:
    """What a datalist does not say.

    Attributes:
        patients: How case names (file names without suffix) give patients.
        lesions: Mask classes that are lesions.
        labels: Label numbers to class; empty: as the list names them.
        channel: Which image of several is the CT, or None.
        fold: Training entries of this fold validate, unless there is a validation section.
        box_mode: How boxes are meant; None: boxes are refused.
        every_slice: The class number of a volume holds for each of its slices.
        complete: The boxes of a volume are all there are: slices without one are empty.
        grey: Whether volumes of 0 to 255 are taken as grey levels.
    """

    patients: PatientRule = field(default_factory=PatientRule)
    lesions: tuple[str, ...] = ()
    labels: Rules = field(default_factory=dict)
    channel: int | None = None
    fold: int = 0
    box_mode: BoxMode | None = None
    every_slice: bool = False
    complete: bool = False
    grey: bool = False


def import_decathlon(
    datalist: Path, folder: Path, choices: DatalistChoices, options: ImportOptions
) -> ImportReport:
    """Make a dataset folder of a datalist.

    Paths start from ``options.images`` or from the list's own folder, and may not leave it. An
    entry with a label map is one row; with a class number one row; with boxes in a volume one row
    per slice.

    Args:
        datalist: The JSON file.
        folder: The dataset folder to write.
        choices: What the list does not say.
        options: Images root, seed, shares, overwriting.

    Raises:
        InputError: ``E_NO_FILE``, ``E_BAD_JSON``, ``E_CHANNEL``, ``E_NO_LABEL_NAMES`` for numbers
            without names, ``E_BOX_MODE``, ``E_LABEL_UNKNOWN``, ``E_PATIENT_PATTERN``, and what
            ``finish_at`` refuses. A single entry that is wrong is skipped and reported.
    """
    listed = load_datalist(datalist, choices.fold, choices.channel)
    if listed.channels:
        ct_channel(listed.channels, choices.channel, datalist.name)
    rules = choices.labels or _rules(listed, datalist.name)
    _check_answers(listed, choices, rules, datalist.name)
    with import_place(folder) as place:
        settings = DatalistSettings(
            root=(options.images or datalist.parent).absolute(),
            case=CaseSettings(
                source=source_name(listed.name or datalist.stem, "datalist"),
                values=_voxel_values(listed, rules),
                files=MaskFiles(place=place),
                patients=choices.patients,
                grey=choices.grey,
            ),
            names={value: name for values, name in rules.items() for value in values},
            box_mode=choices.box_mode,
            every_slice=choices.every_slice,
            complete=choices.complete,
        )
        about = _about(listed, choices, settings, rules)
        outcomes: list[Row | Skipped] = []
        for entry in listed.entries:
            try:
                outcomes += entry_rows(entry, settings)
            except InputError as error:
                outcomes.append(Skipped(number=entry.number, reason=str(error), declared=False))
        rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
        choices.patients.check_met(rows, datalist.name)
        if not rows:  # finish_at tells why; it needs a card for that
            rows = [Row(image=settings.root, source=about.name)]
        return finish_at(place, import_card(about, rows), outcomes, options, origin=datalist.name)


def _rules(listed: Datalist, where: str) -> dict[tuple[int, ...], str]:
    return {(number,): class_name(name, where) for number, name in listed.labels.items()}


def _voxel_values(listed: Datalist, rules: Rules) -> LabelValues:
    """Meaning of voxel values; 0 is background there, whatever it means as a class."""
    if not any(entry.label_file for entry in listed.entries):
        return LabelValues(classes={})
    return values_of_rules({values: name for values, name in rules.items() if values != (0,)})


def _check_answers(listed: Datalist, choices: DatalistChoices, rules: Rules, where: str) -> None:
    labelled = [
        entry
        for entry in listed.entries
        if entry.label_file or entry.class_number is not None or entry.boxes
    ]
    masked = any(entry.label_file for entry in listed.entries)
    named = [name for values, name in rules.items() if not (masked and values == (0,))]
    if labelled and not any(name != LEFT_OUT for name in named):
        raise LabelError(
            "E_NO_LABEL_NAMES",
            "the list labels with numbers and does not say what they mean",
            where=where,
            expected="key 'labels', or --label VALUE=class for every number",
            fix="Add --label 1=NAME",
        )
    if choices.box_mode is None and any(entry.boxes is not None for entry in listed.entries):
        raise InputError(
            "E_BOX_MODE",
            "the list holds boxes and does not say how their numbers are meant",
            where=where,
            expected="--box-mode " + ", ".join(BoxMode),
            fix="Look into the program that made the list; LUNA16 lists of MONAI are cccwhd",
        )


def _about(
    listed: Datalist, choices: DatalistChoices, settings: DatalistSettings, rules: Rules
) -> About:
    wanted = [name for name in dict.fromkeys(rules.values()) if name != LEFT_OUT]
    masks = tuple(settings.case.values.classes)
    check_lesions(choices.lesions, masks)
    # Lists that name their background say so for masks; among classes 0 is a class like others.
    boxed = tuple(n for n in wanted if n in _boxed(listed, settings))
    classes = tuple(n for n in wanted if n in _classed(listed, settings))
    return About(
        name=settings.case.source,
        group_by=choices.patients.told(),
        description="Imported from a datalist of the decathlon's kind.",
        citation=listed.citation or NOT_STATED,
        licence=listed.licence or NOT_STATED,
        classes=classes,
        mask_classes=masks,
        lesions=tuple(dict.fromkeys((*choices.lesions, *boxed))),
        boxed=boxed,
        class_unit="patient" if choices.every_slice else "slice",
        notes=_notes(masks, boxed, choices),
    )


def _notes(masks: tuple[str, ...], boxed: tuple[str, ...], choices: DatalistChoices) -> str:
    told: list[str] = []
    if masks:
        told.append("Every mask class was looked for in every image with a label map.")
    if boxed and choices.box_mode != BoxMode.XYXY:
        told.append(
            "Boxes are cross-sections of cuboids: wider than the lesion on its first and last"
            " slices. A slice that no cuboid meets is "
            + ("empty, as its importer says." if choices.complete else "unknown.")
        )
    if choices.every_slice:
        told.append("The class of a volume was given to each of its slices.")
    return " ".join(told)


def _boxed(listed: Datalist, settings: DatalistSettings) -> set[str]:
    numbers = {number for entry in listed.entries for number, _ in entry.boxes or ()}
    return {settings.names[number] for number in numbers if number in settings.names}


def _classed(listed: Datalist, settings: DatalistSettings) -> set[str]:
    numbers = {entry.class_number for entry in listed.entries} - {None}
    return {settings.names[n] for n in numbers if n is not None and n in settings.names}
