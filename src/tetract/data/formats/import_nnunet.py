"""An nnU-Net raw folder (version 2 or 1) becomes a dataset folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tetract.data.finish_import import ImportOptions, ImportReport, finish_at
from tetract.data.formats.channels import ct_channel
from tetract.data.formats.class_names import check_lesions, source_name
from tetract.data.formats.mask_files import MaskFiles
from tetract.data.formats.nnunet_cases import SPLITS_NAME, find_cases, read_folds
from tetract.data.formats.nnunet_json import JSON_NAME, NnunetJson, load_nnunet_json, not_a_layout
from tetract.data.formats.patient_rule import PatientRule
from tetract.data.formats.source_cards import NOT_STATED, About, import_card
from tetract.data.formats.volume_case import CaseSettings, case_outcomes
from tetract.data.import_place import import_place
from tetract.data.table import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class NnunetChoices:
    """What the layout itself does not say.

    Attributes:
        patients: How case names give patients.
        lesions: Classes that are lesions: boxes are derived of their masks.
        channel: Which channel is the CT, or None: the one called CT.
        splits: A ``splits_final.json``, or None: the one in the folder, if any.
        fold: Which of its folds trains and validates.
        grey: Whether volumes of 0 to 255 are taken as grey levels.
    """

    patients: PatientRule = field(default_factory=PatientRule)
    lesions: tuple[str, ...] = ()
    channel: int | None = None
    splits: Path | None = None
    fold: int = 0
    grey: bool = False


def import_nnunet(
    raw: Path, folder: Path, choices: NnunetChoices, options: ImportOptions
) -> ImportReport:
    """Make a dataset folder of an nnU-Net raw folder, one row per case.

    Images and label maps stay where they are; a region (a list of labels) becomes a mask of its
    own under ``masks``. A case with voxels of the ``ignore`` label has one row per slice, unknown
    where such voxels are. ``imagesTs`` is the test split, labelled only where ``labelsTs`` is.

    Args:
        raw: The folder with ``dataset.json``, ``imagesTr`` and ``labelsTr``.
        folder: The dataset folder to write.
        choices: What the layout does not say.
        options: Seed, shares, overwriting.

    Raises:
        InputError: ``E_BAD_LAYOUT``, ``E_BAD_JSON``, ``E_CHANNEL``, ``E_CLASS_NAME``,
            ``E_LABEL_UNKNOWN`` for an unknown lesion, ``E_PATIENT_PATTERN``, ``E_NO_FOLD``, and
            what ``finish_at`` refuses. A single case that is wrong is skipped and reported.
    """
    if not (raw / JSON_NAME).is_file() or not (raw / "imagesTr").is_dir():
        listed = (raw / JSON_NAME).is_file()
        raise not_a_layout(
            raw.name,
            "this is no raw folder of nnU-Net",
            expected="imagesTr and labelsTr" if listed else f"{JSON_NAME}, imagesTr and labelsTr",
            fix="Give the folder DatasetXXX_Name; for the decathlon use import decathlon",
        )
    meta = load_nnunet_json(raw / JSON_NAME)
    classes = tuple(meta.values.classes)
    check_lesions(choices.lesions, classes)
    splits = choices.splits or raw / SPLITS_NAME
    folds = read_folds(splits, choices.fold) if choices.splits or splits.is_file() else {}
    channel = ct_channel(_channels(meta), choices.channel, JSON_NAME)
    found = find_cases(raw, meta, channel, folds)
    about = _about(meta, raw, choices, classes)
    with import_place(folder) as place:
        settings = CaseSettings(
            source=about.name,
            values=meta.values,
            files=MaskFiles(place=place),
            patients=choices.patients,
            grey=choices.grey,
        )
        outcomes = [*case_outcomes(found.cases, settings), *found.skipped]
        rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
        choices.patients.check_met(rows, raw.name)
        if not rows:  # finish_at tells why; it needs no card for that, but a valid one
            rows = [Row(image=raw, source=about.name)]
        return finish_at(place, import_card(about, rows), outcomes, options, origin=raw.name)


def _channels(meta: NnunetJson) -> dict[int, str]:
    """Channel names; a picture has one channel, whatever it is called."""
    names = dict(meta.channels)
    if meta.ending == ".png" and len(names) == 1:
        return dict.fromkeys(names, "CT")
    return names


def _about(meta: NnunetJson, raw: Path, choices: NnunetChoices, classes: tuple[str, ...]) -> About:
    unlabelled = (
        " The label 'ignore' marks voxels that nobody labelled: a slice with one of them is"
        " unknown as a whole."
        if meta.values.ignore is not None
        else ""
    )
    return About(
        name=source_name(meta.name or raw.name, "nnunet"),
        group_by=choices.patients.told(),
        description="Imported from an nnU-Net raw folder.",
        citation=meta.citation or NOT_STATED,
        licence=meta.licence or NOT_STATED,
        mask_classes=classes,
        lesions=choices.lesions,
        notes=f"Every class was looked for in every labelled case.{unlabelled}",
    )
