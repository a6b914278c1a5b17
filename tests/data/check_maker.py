"""Trees of files and data sets for the tests of `tetract data check`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from dataset_maker import a_card, a_source

from tetract.data import DatasetCard, MaskSource, Row, Split, write_dataset
from tetract.data.check.dataset import check_dataset
from tetract.data.check.report import CheckReport, Entry, Verdict
from tetract.io import SeriesIdentity, write_dicom_series, write_png
from tetract.types import Geometry, Provenance, Volume

PATIENT = "DOE-JANE-4711"


def a_volume(depth: int = 5, side: int = 32, step_mm: float = 2.5) -> Volume:
    """A volume of air around a block; pixels of 0.7 mm."""
    hu = np.full((depth, side, side), -1000, dtype=np.int16)
    hu[:, 8:20, 8:20] = 40
    affine = np.diag([0.7, 0.7, step_mm, 1.0])[:, [2, 1, 0, 3]].astype(np.float64)
    return Volume(
        values=hu,
        hu_known=True,
        geometry=Geometry(affine=affine, shape=hu.shape),
        provenance=Provenance(reader="dicom", name="made", slice_names=("x",) * depth),
    )


def a_series(folder: Path, seed: str = "one", **volume: float) -> tuple[Path, ...]:
    made = a_volume(**volume)  # pyright: ignore[reportArgumentType]  numbers by name
    return write_dicom_series(folder, made, series=SeriesIdentity(seed=seed, patient=PATIENT))


def a_picture(path: Path, side: int = 64) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = np.random.default_rng(len(path.name)).integers(0, 255, (side, side), dtype=np.uint8)
    write_png(path, grey)
    return path


def a_mask(path: Path, *blocks: tuple[int, int, int, int], side: int = 64) -> MaskSource:
    pixels = np.zeros((side, side), dtype=np.uint8)
    for x0, y0, x1, y1 in blocks:
        pixels[y0:y1, x0:x1] = 255
    write_png(path, pixels)
    return MaskSource(path=path)


def pictures_card() -> DatasetCard:
    rules = {"normal_class": "normal", "normal_means_lesion_free": True, "hu_known": False}
    return a_card(a_source("site", **rules))


def a_row(folder: Path, name: str, **known: object) -> Row:
    row = Row(image=a_picture(folder / name), source="site", split=Split.TRAIN)
    return replace(row, **known)  # pyright: ignore[reportArgumentType]  fields by name


def checked(folder: Path, *rows: Row, card: DatasetCard | None = None) -> CheckReport:
    write_dataset(folder, card or pictures_card(), rows)
    return check_dataset(folder)


def of(report: CheckReport, verdict: Verdict) -> list[Entry]:
    return [entry for entry in report.entries if entry.verdict is verdict]
