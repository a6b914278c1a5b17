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
) -> None:
    """Write findings.json, label maps, overlays and index.html. Research use only."""
    from tetract.cli.progress import counting
    from tetract.infer import load
    from tetract.io import read_study
    from tetract.report import write_findings

    predictor = load(model)
    volumes = read_study(study)
    with counting("Predicting") as count:
        findings = predictor.predict_study(volumes, progress=count)
    files = write_findings(out, findings, predictor.pictures(volumes))
    for warning in findings.provenance.warnings:
        typer.echo(warning, err=True)
    typer.echo(f"Findings: {files.record}\nPage: {files.page}")
