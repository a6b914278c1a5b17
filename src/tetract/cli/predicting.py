"""What ``tetract predict`` does with one study, and with every series of a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from tetract.cli.progress import counting
from tetract.errors import BugError, Exit, InputError, TetractError
from tetract.infer import Predictor
from tetract.io import ReadOptions, SeriesInFolder, atomic_write_text, list_series, read_study
from tetract.report import FindingsFiles, write_findings
from tetract.report.rank import choose_slices
from tetract.types import Volume
from tetract.types.explanation import Sanity

SCHEMA = "tetract.series/1"
LIST_NAME = "series.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """One series and how it ended: slices, or why it was skipped."""

    series: SeriesInFolder
    slices: int = 0
    refusal: TetractError | None = None


def predict_one(
    predictor: Predictor,
    volumes: Sequence[Volume],
    out: Path,
    label: str = "Predicting",
    *,
    explain: bool = False,
) -> FindingsFiles:
    """Findings of one study into the folder ``out``; its warnings go to standard error."""
    with counting(label) as count:
        findings = predictor.predict_study(volumes, progress=count)
    explanations = None
    if explain:
        chosen = choose_slices(findings, suspicious=6, spaced=2)
        explanations = predictor.explain(volumes, chosen)
        for one in explanations.sanity:
            typer.echo(_sanity_line(one), err=True)
    files = write_findings(out, findings, predictor.pictures(volumes), explanations=explanations)
    for warning in findings.provenance.warnings:
        typer.echo(warning, err=True)
    return files


def _sanity_line(one: Sanity) -> str:
    if one.correlation is None:
        return f"Map {one.name}: unchecked, {one.reason}."
    said = "depends on the weights" if one.passed else "shows the picture more than the model"
    return (
        f"Map {one.name}: rank correlation with random weights {one.correlation:.2f} "
        f"(below {one.threshold:g} to pass): {said}."
    )


def predict_all(
    predictor: Predictor, folder: Path, reading: ReadOptions, out: Path, *, explain: bool = False
) -> Exit:
    """Findings of every series of a folder that can be read, each into a folder of its own.

    The folders bear the short hashes of the series, and ``series.json`` beside them lists all,
    those that were skipped included; it is written last.

    Args:
        predictor: The model.
        folder: Folder with DICOM series.
        reading: What may be assumed of each.
        out: Passed ``check_empty``.
        explain: Also draw maps of some slices of each.

    Raises:
        InputError: ``E_OPTION_UNFIT``, and what makes the folder as a whole unreadable.
    """
    if reading.series is not None:
        raise InputError(
            "E_OPTION_UNFIT",
            "--all and --series contradict each other",
            where=folder.name,
            fix="Leave one of them out",
        )
    listed = list_series(folder, options=reading)
    done: list[_Done] = []
    for number, series in enumerate(listed, 1):
        try:
            volumes = read_study(folder, options=replace(reading, series=series.key))
        except BugError:
            raise
        except TetractError as refusal:
            typer.echo(str(refusal), err=True)
            done.append(_Done(series=series, refusal=refusal))
            continue
        label = f"Series {series.key} ({number} of {len(listed)})"
        files = predict_one(predictor, volumes, out / series.key, label, explain=explain)
        typer.echo(f"Findings: {files.record}")
        done.append(_Done(series=series, slices=sum(volume.depth for volume in volumes)))
    return _finish(done, folder, out)


def check_empty(out: Path) -> None:
    """Refuse a place for several findings folders that holds anything at all.

    Raises:
        InputError: ``E_OUT_NOT_EMPTY``.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(
            "E_OUT_NOT_EMPTY",
            "findings of several series need a folder of their own",
            where=out.name,
            expected="a new or empty folder",
            fix="Give another folder",
        )


def _finish(done: list[_Done], folder: Path, out: Path) -> Exit:
    refusals = [one.refusal for one in done if one.refusal is not None]
    used = len(done) - len(refusals)
    if not used:
        typer.echo(f"None of {len(done)} series can be used; nothing was written.", err=True)
        return refusals[0].exit_code
    record = {"schema": SCHEMA, "folder": folder.name, "series": [_row(one) for one in done]}
    atomic_write_text(out / LIST_NAME, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    typer.echo(f"{used} of {len(done)} series: {out / LIST_NAME}")
    return Exit.SKIPPED if refusals else Exit.OK


def _row(one: _Done) -> dict[str, object]:
    why = one.refusal
    return {
        "series": one.series.key,
        "files": one.series.files,
        "slices": one.slices,
        "findings": None if why else f"{one.series.key}/findings.json",
        "code": why.code if why else "",
        "line": str(why) if why else "",
    }
