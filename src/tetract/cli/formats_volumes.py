"""``tetract data import`` and ``export`` of volumes in folders: nnU-Net, decathlon, classes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tetract.cli.sets_in_out import AsJson, Out, Overwrite, Seed, Sources, tell

To = Annotated[Path, typer.Option("--out", "-o", help="New folder to write.")]
PatientFrom = Annotated[
    str | None,
    typer.Option(
        "--patient-from",
        metavar="REGEX",
        help="Must match a whole name; its first group is the patient [default: unknown]",
    ),
]
CaseIsPatient = Annotated[
    bool, typer.Option("--case-is-patient", help="Each case is another patient.")
]
Lesions = Annotated[list[str] | None, typer.Option("--lesion", help="A class that is a lesion.")]
Channel = Annotated[int | None, typer.Option(help="Number of the CT channel [default: 'CT']")]
Grey = Annotated[bool, typer.Option("--grey", help="Take volumes of 0 to 255 as grey levels.")]
EverySlice = Annotated[
    bool, typer.Option("--every-slice", help="Each slice of a volume bears the volume's class.")
]
Fold = Annotated[int, typer.Option(help="The fold that validates.")]
Content = Annotated[str, typer.Option(help="Which images: hu, grey (volumes) or pictures.")]
Classes = Annotated[
    list[str] | None,
    typer.Option("--class", help="A class to export; the first wins an overlap [default: all]"),
]


def add_to(importers: typer.Typer, exporters: typer.Typer) -> None:
    """Add the commands of this file to ``tetract data import`` and ``tetract data export``."""
    importers.command("nnunet")(_import_nnunet)
    importers.command("decathlon")(_import_decathlon)
    importers.command("folder")(_import_folder)
    importers.command("covid19-ct-seg")(_import_covid19_ct_seg)
    exporters.command("nnunet")(_export_nnunet)
    exporters.command("decathlon")(_export_decathlon)


def _import_nnunet(  # noqa: PLR0913 - each parameter is an option of the command
    *,
    raw: Annotated[Path, typer.Argument(help="Folder with dataset.json, imagesTr, labelsTr.")],
    folder: Out,
    patient_from: PatientFrom = None,
    case_is_patient: CaseIsPatient = False,
    lesions: Lesions = None,
    channel: Channel = None,
    splits: Annotated[
        Path | None, typer.Option(help="splits_final.json [default: the one in the folder]")
    ] = None,
    fold: Fold = 0,
    grey: Grey = False,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder of an nnU-Net raw folder. Exits with 1 when cases were skipped."""
    from tetract.data.finish_import import ImportOptions
    from tetract.data.formats.import_nnunet import NnunetChoices, import_nnunet
    from tetract.data.formats.patient_rule import patient_rule

    choices = NnunetChoices(
        patients=patient_rule(patient_from, name_is_patient=case_is_patient),
        lesions=tuple(lesions or ()),
        channel=channel,
        splits=splits,
        fold=fold,
        grey=grey,
    )
    options = ImportOptions(seed=seed, overwrite=overwrite)
    tell(import_nnunet(raw, folder, choices, options), as_json=as_json)


def _import_decathlon(  # noqa: PLR0913 - each parameter is an option of the command
    *,
    datalist: Annotated[Path, typer.Argument(help="JSON file with training, validation, test.")],
    folder: Out,
    images: Annotated[
        Path | None, typer.Option(help="Folder that paths start from [default: the list's]")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="VALUE=CLASS", help="Meaning of a label number."),
    ] = None,
    patient_from: PatientFrom = None,
    case_is_patient: CaseIsPatient = False,
    lesions: Lesions = None,
    channel: Channel = None,
    fold: Fold = 0,
    box_mode: Annotated[
        str | None, typer.Option(help="Meaning of box numbers: xyxy, xyzxyz or cccwhd.")
    ] = None,
    every_slice: EverySlice = False,
    complete: Annotated[
        bool, typer.Option("--complete", help="Slices of volumes without a box are empty.")
    ] = False,
    grey: Grey = False,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder of a datalist. Exits with 1 when entries were skipped."""
    from tetract.data.finish_import import ImportOptions
    from tetract.data.formats.cuboids import BoxMode
    from tetract.data.formats.import_decathlon import DatalistChoices, import_decathlon
    from tetract.data.formats.label_values import parse_value_rules
    from tetract.data.formats.patient_rule import patient_rule

    choices = DatalistChoices(
        patients=patient_rule(patient_from, name_is_patient=case_is_patient),
        lesions=tuple(lesions or ()),
        labels=parse_value_rules(label or []),
        channel=channel,
        fold=fold,
        box_mode=None if box_mode is None else BoxMode(_one_of(box_mode, "--box-mode", BoxMode)),
        every_slice=every_slice,
        complete=complete,
        grey=grey,
    )
    options = ImportOptions(images=images, seed=seed, overwrite=overwrite)
    tell(import_decathlon(datalist, folder, choices, options), as_json=as_json)


def _import_folder(  # noqa: PLR0913 - each parameter is an option of the command
    *,
    root: Annotated[Path, typer.Argument(help="Folder whose sub-folders are classes.")],
    folder: Out,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class", metavar="FOLDER=CLASS", help="CLASS, a|b, unknown, or - to leave it out."
        ),
    ] = None,
    normal: Annotated[str | None, typer.Option(help="The class that means nothing found.")] = None,
    patient_from: PatientFrom = None,
    every_slice: EverySlice = False,
    grey: Grey = False,
    name: Annotated[
        str | None, typer.Option(help="Name of the set [default: the folder's]")
    ] = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder of class folders. Exits with 1 when files were skipped."""
    from tetract.data.finish_import import ImportOptions
    from tetract.data.formats.import_folders import (
        FolderChoices,
        import_folders,
        parse_folder_rules,
    )
    from tetract.data.formats.patient_rule import patient_rule

    choices = FolderChoices(
        classes=parse_folder_rules(classes or []),
        normal=normal,
        patients=patient_rule(patient_from),
        every_slice=every_slice,
        grey=grey,
        name=name,
    )
    options = ImportOptions(seed=seed, overwrite=overwrite)
    tell(import_folders(root, folder, choices, options), as_json=as_json)


def _import_covid19_ct_seg(
    *,
    root: Annotated[Path, typer.Argument(help="Folder above the three unpacked archives.")],
    folder: Out,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder of COVID-19-CT-Seg. Exits with 1 when scans or masks are missing."""
    from tetract.data.finish_import import ImportOptions
    from tetract.data.formats.import_covid19_ct_seg import import_covid19_ct_seg

    options = ImportOptions(seed=seed, overwrite=overwrite)
    tell(import_covid19_ct_seg(root, folder, options), as_json=as_json)


def _export_nnunet(  # noqa: PLR0913 - each parameter is an option of the command
    *,
    folder: Annotated[Path, typer.Argument(help="Dataset folder.")],
    out: To,
    content: Content = "hu",
    classes: Classes = None,
    sources: Sources = None,
    ignore_label: Annotated[
        bool, typer.Option("--ignore-label", help="Write what is unknown as the label 'ignore'.")
    ] = False,
    regions: Annotated[
        bool, typer.Option("--regions", help="Keep overlaps: classes as lists of labels.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write an nnU-Net raw folder. Exits with 1 when images could not be read."""
    from tetract.data.formats import export_cases, export_nnunet
    from tetract.data.load import open_dataset

    kind = _one_of(content, "--content", export_cases.Content)
    choices = export_nnunet.ExportChoices(
        content=export_cases.Content(kind),
        classes=tuple(classes or ()),
        sources=tuple(sources or ()),
        ignore=ignore_label,
        regions=regions,
    )
    tell(export_nnunet.export_nnunet(open_dataset(folder), out, choices), as_json=as_json)


def _export_decathlon(
    *,
    folder: Annotated[Path, typer.Argument(help="Dataset folder.")],
    out: To,
    labels: Annotated[str, typer.Option(help="masks, classes or boxes.")] = "masks",
    content: Content = "hu",
    classes: Classes = None,
    sources: Sources = None,
    as_json: AsJson = False,
) -> None:
    """Write images and a datalist. Exits with 1 when images could not be read."""
    from tetract.data.formats import export_cases, export_decathlon
    from tetract.data.load import open_dataset

    kind = _one_of(content, "--content", export_cases.Content)
    what = _one_of(labels, "--labels", export_decathlon.Labels)
    choices = export_decathlon.DatalistExport(
        labels=export_decathlon.Labels(what),
        content=export_cases.Content(kind),
        classes=tuple(classes or ()),
        sources=tuple(sources or ()),
    )
    tell(export_decathlon.export_decathlon(open_dataset(folder), out, choices), as_json=as_json)


def _one_of(word: str, option: str, known: type[StrEnum]) -> str:
    words = [str(one) for one in known]
    if word not in words:
        raise typer.BadParameter(f"{option} is one of {', '.join(words)}, not '{word}'")
    return word
