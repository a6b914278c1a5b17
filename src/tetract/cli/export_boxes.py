"""``tetract data export`` to formats of boxes: COCO, YOLO, Pascal VOC."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tetract.cli.sets_in_out import AsJson, Sources, tell

Folder = Annotated[Path, typer.Argument(help="Dataset folder.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="New folder to write.")]
Window = Annotated[
    tuple[float, float] | None,
    typer.Option(
        "--window-hu", metavar="LOW HIGH", help="HU that become black and white in pictures."
    ),
]


def add_to(exporters: typer.Typer) -> None:
    """Add the commands of this file to ``tetract data export``."""
    exporters.command("coco")(coco)
    exporters.command("yolo")(yolo)
    exporters.command("voc")(voc)


def coco(
    folder: Folder,
    *,
    out: Out,
    window: Window = None,
    sources: Sources = None,
    as_json: AsJson = False,
) -> None:
    """Write COCO JSON, one file per split, and pictures. Slices with unknown boxes are left out.

    Exits with 1 when slices could not be used.
    """
    from tetract.data.formats.box_export import BoxExportChoices
    from tetract.data.formats.coco_write import export_coco
    from tetract.data.load import open_dataset

    choices = BoxExportChoices(window_hu=window, sources=tuple(sources or ()))
    tell(export_coco(open_dataset(folder), out, choices), as_json=as_json)


def yolo(
    folder: Folder,
    *,
    out: Out,
    outlines: Annotated[bool, typer.Option(help="Write outlines instead of boxes.")] = False,
    window: Window = None,
    sources: Sources = None,
    as_json: AsJson = False,
) -> None:
    """Write YOLO labels, data.yaml and pictures. Slices with unknown boxes are left out.

    Exits with 1 when slices could not be used.
    """
    from tetract.data.formats.box_export import BoxExportChoices
    from tetract.data.formats.yolo_write import export_yolo
    from tetract.data.load import open_dataset

    choices = BoxExportChoices(window_hu=window, sources=tuple(sources or ()))
    tell(export_yolo(open_dataset(folder), out, choices, outlines=outlines), as_json=as_json)


def voc(
    folder: Folder,
    *,
    out: Out,
    key: Annotated[
        Literal["name", "uid"],
        typer.Option(help="Name XML files after pictures, or after SOP Instance UIDs."),
    ],
    corners: Annotated[
        Literal["half-open", "inclusive", "from-1"],
        typer.Option(help="What xmax names: the edge, the last pixel, or that counted from 1."),
    ],
    window: Window = None,
    sources: Sources = None,
    as_json: AsJson = False,
) -> None:
    """Write Pascal VOC XML files, and pictures unless named by UID. Unknown boxes are left out.

    Exits with 1 when slices could not be used.
    """
    from tetract.data.formats.box_export import BoxExportChoices
    from tetract.data.formats.voc_write import export_voc
    from tetract.data.load import open_dataset

    choices = BoxExportChoices(window_hu=window, sources=tuple(sources or ()))
    report = export_voc(open_dataset(folder), out, choices, key=key, convention=corners)
    tell(report, as_json=as_json)
