"""``tetract data import`` for formats of boxes: COCO, YOLO, Pascal VOC."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tetract.cli.sets_in_out import AsJson, Out, Overwrite, Seed, tell

Images = Annotated[Path, typer.Option(help="Folder that the images' paths start from.")]
Name = Annotated[str, typer.Option(help="Name of the data set: letters, digits, _ . + -")]
Licence = Annotated[str, typer.Option(help="Under which terms it may be used.")]
Citation = Annotated[str, typer.Option(help="How to cite it.")]
Hu = Annotated[bool, typer.Option("--hu/--no-hu", help="Whether the files hold Hounsfield units.")]
PatientFrom = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX", help="Matches the whole name of an image; its first group is the patient."
    ),
]
PatientUnknown = Annotated[
    bool, typer.Option("--patient-unknown", help="Nothing tells which patient an image belongs to.")
]
Unannotated = Annotated[
    Literal["empty", "unknown"] | None,
    typer.Option(help="What an image without annotation means [default: what the format says]"),
]
Rename = Annotated[
    list[str] | None,
    typer.Option(metavar="OLD=NEW", help="New name of a class; OLD=- leaves it out."),
]


def add_to(importers: typer.Typer) -> None:
    """Add the commands of this file to ``tetract data import``."""
    importers.command("coco")(coco)
    importers.command("yolo")(yolo)
    importers.command("voc")(voc)


def coco(  # noqa: PLR0913 - each parameter is an option of the command
    files: Annotated[list[Path], typer.Argument(help="COCO JSON files of instances.")],
    *,
    images: Images,
    folder: Out,
    name: Name,
    licence: Licence,
    citation: Citation,
    hu: Hu,
    patient_from: PatientFrom = None,
    patient_unknown: PatientUnknown = False,
    unannotated: Unannotated = None,
    crowd: Annotated[
        Literal["unknown", "lesion"] | None,
        typer.Option(help="What an outline with iscrowd=1 means."),
    ] = None,
    bbox: Annotated[
        Literal["xywh", "xyxy"] | None,
        typer.Option(help="What bbox holds [default: xywh, refused where it looks like corners]"),
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option(metavar="FILE=WORD", help="Published split of a file.")
    ] = None,
    rename: Rename = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder out of COCO JSON. Images stay where they are.

    Exits with 1 when images were skipped.
    """
    from tetract.data.finish_import import ImportOptions
    from tetract.data.formats.box_choices import BoxChoices, asked_patients
    from tetract.data.formats.coco_read import import_coco, parse_file_splits
    from tetract.data.formats.renames import parse_renames

    choices = BoxChoices(
        name=name,
        licence=licence,
        citation=citation,
        hu_known=hu,
        patients=asked_patients(patient_from, unknown=patient_unknown),
        unannotated=unannotated,
        crowd=crowd,
        renames=parse_renames(rename or []),
    )
    report = import_coco(
        files,
        images,
        folder,
        choices,
        ImportOptions(images=images, seed=seed, overwrite=overwrite),
        splits=parse_file_splits(split or []),
        reading=bbox,
    )
    tell(report, as_json=as_json)


def yolo(  # noqa: PLR0913 - each parameter is an option of the command
    data: Annotated[Path, typer.Argument(help="data.yaml, or a text file of class names.")],
    *,
    folder: Out,
    name: Name,
    licence: Licence,
    citation: Citation,
    hu: Hu,
    images: Annotated[
        Path | None,
        typer.Option(help="Folder that paths start from [default: what DATA says]"),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Folder of label files [default: images/ becomes labels/]"),
    ] = None,
    patient_from: PatientFrom = None,
    patient_unknown: PatientUnknown = False,
    unannotated: Unannotated = None,
    four_corners: Annotated[
        Literal["mask", "box"] | None,
        typer.Option(help="What outlines mean where all have four corners."),
    ] = None,
    rename: Rename = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder out of YOLO labels. Images stay where they are.

    Exits with 1 when images were skipped.
    """
    from tetract.data.finish_import import ImportOptions
    from tetract.data.formats.box_choices import BoxChoices, asked_patients
    from tetract.data.formats.renames import parse_renames
    from tetract.data.formats.yolo_read import import_yolo

    choices = BoxChoices(
        name=name,
        licence=licence,
        citation=citation,
        hu_known=hu,
        patients=asked_patients(patient_from, unknown=patient_unknown),
        unannotated=unannotated,
        renames=parse_renames(rename or []),
    )
    options = ImportOptions(images=images, seed=seed, overwrite=overwrite)
    report = import_yolo(data, folder, choices, options, labels=labels, four_corners=four_corners)
    tell(report, as_json=as_json)


def voc(  # noqa: PLR0913 - each parameter is an option of the command
    annotations: Annotated[Path, typer.Argument(help="Folder of XML files.")],
    *,
    images: Images,
    folder: Out,
    name: Name,
    licence: Licence,
    citation: Citation,
    hu: Hu,
    key: Annotated[
        Literal["name", "uid"],
        typer.Option(help="XML files are named after images, or after SOP Instance UIDs."),
    ],
    corners: Annotated[
        Literal["half-open", "inclusive", "from-1"],
        typer.Option(help="What xmax names: the edge, the last pixel, or that counted from 1."),
    ],
    image_sets: Annotated[
        Path | None, typer.Option(help="Folder of train.txt, val.txt and test.txt.")
    ] = None,
    patient_from: PatientFrom = None,
    patient_unknown: PatientUnknown = False,
    unannotated: Unannotated = None,
    rename: Rename = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder out of Pascal VOC XML files. Images stay where they are.

    Exits with 1 when images were skipped.
    """
    from tetract.data.finish_import import ImportOptions
    from tetract.data.formats.box_choices import BoxChoices, asked_patients
    from tetract.data.formats.renames import parse_renames
    from tetract.data.formats.voc_read import VocRules, import_voc

    choices = BoxChoices(
        name=name,
        licence=licence,
        citation=citation,
        hu_known=hu,
        patients=asked_patients(patient_from, unknown=patient_unknown),
        unannotated=unannotated,
        renames=parse_renames(rename or []),
    )
    report = import_voc(
        annotations,
        images,
        folder,
        choices,
        ImportOptions(images=images, seed=seed, overwrite=overwrite),
        rules=VocRules(key=key, convention=corners, image_sets=image_sets),
    )
    tell(report, as_json=as_json)
