"""Small copies of public sets, imported and looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from tetract.data import DatasetFolder, Row, open_dataset
from tetract.data.finish_import import ImportReport
from tetract.data.formats.public_layouts import import_public_set
from tetract.errors import TetractError
from tetract.io import SeriesIdentity, write_dicom_series, write_png
from tetract.types import Geometry, Provenance, Volume

Imported = tuple[ImportReport, DatasetFolder]


def run(name: str, source: Path) -> Imported:
    out = source.parent / f"{name}-out"
    report = import_public_set(name, source, out)
    return report, open_dataset(out)


def refused(name: str, source: Path, code: str) -> str:
    with pytest.raises(TetractError) as caught:
        run(name, source)
    assert caught.value.code == code, caught.value
    assert not (source.parent / f"{name}-out").exists()
    return str(caught.value)


def surprises(report: ImportReport) -> list[str]:
    return [row.reason for row in report.surprises]


def by_name(rows: tuple[Row, ...]) -> dict[str, Row]:
    return {row.image.name: row for row in rows}


def picture(path: Path, value: int = 7) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.full((4, 5), value, dtype=np.uint8))


def make_series(folder: Path, seed: str, depth: int = 6) -> list[str]:
    """A CT series; its instance UIDs from the lowest slice up."""
    shape = (depth, 16, 20)
    volume = Volume(
        values=np.zeros(shape, dtype=np.int16),
        hu_known=True,
        geometry=Geometry(affine=np.diag([2.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]], shape=shape),
        provenance=Provenance(reader="dicom", name="made", slice_names=("x",) * depth),
    )
    paths = write_dicom_series(folder, volume, series=SeriesIdentity(seed=seed))
    headers = [pydicom.dcmread(path) for path in paths]
    headers.sort(key=lambda h: float(h.ImagePositionPatient[2]))
    return [str(h.SOPInstanceUID) for h in headers]
