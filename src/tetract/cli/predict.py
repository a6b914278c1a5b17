"""``tetract predict``: a study becomes findings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def predict(
    study: Annotated[
        Path,
        typer.Argument(help="PNG, JPEG, DICOM or NIfTI file; DICOM series or picture folder."),
    ],
    model: Annotated[Path, typer.Option("--model", "-m", help="Model or run folder.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="New folder for the findings.")],
    series: Annotated[
        str | None, typer.Option(help="Which of several DICOM series, by its short hash.")
    ] = None,
    assume_hu: Annotated[
        bool, typer.Option("--assume-hu", help="Take values for HU where a file does not say so.")
    ] = False,
) -> None:
    """Write findings.json, label maps, overlays and index.html. Research use only."""
    from tetract.cli.progress import counting
    from tetract.infer import load
    from tetract.io import ReadOptions, read_study
    from tetract.report import check_free, write_findings

    check_free(out)
    predictor = load(model)
    volumes = read_study(study, options=ReadOptions(series=series, assume_hu=assume_hu))
    with counting("Predicting") as count:
        findings = predictor.predict_study(volumes, progress=count)
    files = write_findings(out, findings, predictor.pictures(volumes))
    for warning in findings.provenance.warnings:
        typer.echo(warning, err=True)
    typer.echo(f"Findings: {files.record}\nPage: {files.page}")
