"""``tetract predict``: a study becomes findings."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Gaps(StrEnum):
    """What happens to DICOM slices that are not evenly spaced."""

    REFUSE = "refuse"
    RESAMPLE = "resample"


class Prefer(StrEnum):
    """The two placements of a NIfTI file."""

    SFORM = "sform"
    QFORM = "qform"


def predict(  # noqa: PLR0913 - each parameter is an option of the command
    study: Annotated[
        Path,
        typer.Argument(
            help="PNG, JPEG, TIFF, DICOM, NIfTI, MetaImage or NRRD file; DICOM series or picture "
            "folder."
        ),
    ],
    *,
    model: Annotated[Path, typer.Option("--model", "-m", help="Model or run folder.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="New folder for the findings.")],
    series: Annotated[
        str | None, typer.Option(help="Which of several DICOM series, by its short hash.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every DICOM series of a folder, each by itself.")
    ] = False,
    acquisition: Annotated[
        int | None, typer.Option(help="Which of several acquisitions in a DICOM series.")
    ] = None,
    assume_hu: Annotated[
        bool, typer.Option("--assume-hu", help="Take values for HU where a file does not say so.")
    ] = False,
    as_grey: Annotated[
        bool, typer.Option("--as-grey", help="Take a volume file of 0 to 255 for grey levels.")
    ] = False,
    gaps: Annotated[
        Gaps, typer.Option(help="Interpolate unevenly spaced DICOM slices.")
    ] = Gaps.REFUSE,
    deskew: Annotated[
        bool, typer.Option("--deskew", help="Shift the slices of a tilted gantry back.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Read DICOM images that lack preamble or encoding.")
    ] = False,
    nan_to: Annotated[
        int | None, typer.Option(help="HU for NaN and infinite voxels, such as -1024.")
    ] = None,
    prefer: Annotated[
        Prefer | None, typer.Option(help="Which placement of a NIfTI file counts.")
    ] = None,
    flips: Annotated[
        bool,
        typer.Option("--flips", help="Average with each slice's mirror image; twice the time."),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also draw maps of what speaks for each answer.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a volume file without place or orientation.")
    ] = False,
) -> None:
    """Write findings.json, label maps, overlays and index.html. Research use only.

    What a file does not say is refused unless an option settles it; what an option interpolates
    or assumes is marked as derived. With --all, OUT gets one folder per series, and the exit code
    is 1 when some were skipped.
    """
    from tetract.cli.predicting import check_empty, predict_all, predict_one
    from tetract.infer import load
    from tetract.io import ReadOptions, read_study
    from tetract.report import check_free

    (check_empty if every else check_free)(out)
    predictor = load(model, flips=flips)
    reading = ReadOptions(
        series=series,
        acquisition=acquisition,
        assume_hu=assume_hu,
        as_grey=as_grey,
        resample_gaps=gaps is Gaps.RESAMPLE,
        deskew=deskew,
        force=force,
        nan_to_hu=nan_to,
        strict=strict,
        prefer=None if prefer is None else prefer.value,
    )
    if every:
        raise typer.Exit(predict_all(predictor, study, reading, out, explain=explain))
    files = predict_one(predictor, read_study(study, options=reading), out, explain=explain)
    typer.echo(f"Findings: {files.record}\nPage: {files.page}")
