"""LIDC: nodules as their readers drew them, and unknown where they do not agree."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from label_objects import ct_series, uid_of
from tetract.data import EMPTY, MaskSource, Row, open_dataset
from tetract.data.finish_import import ImportOptions, ImportReport
from tetract.data.formats.lidc import import_lidc
from tetract.data.formats.lidc_contours import (
    Outline,
    Reading,
    Scan,
    read_patients,
    read_scans,
    read_slices,
)
from tetract.data.formats.lidc_nodules import find_nodules, inside_of
from tetract.data.read_row import RowReader
from tetract.errors import TetractError
from tetract.io import CtGrid, read_label_map

CANVAS = (16, 20)
TABLES = (
    "CREATE TABLE scans (id INTEGER, series_instance_uid VARCHAR, patient_id VARCHAR,"
    " slice_thickness FLOAT, pixel_spacing FLOAT);"
    "CREATE TABLE annotations (id INTEGER, scan_id INTEGER, malignancy INTEGER);"
    "CREATE TABLE contours (id INTEGER, annotation_id INTEGER, inclusion BOOLEAN,"
    " image_z_position FLOAT, coords VARCHAR);"
)


def ring(x0: int, y0: int, x1: int, y1: int) -> list[tuple[int, int]]:
    """The pixels around a block of x0..x1-1 and y0..y1-1, as LIDC outlines it."""
    top = [(x, y0 - 1) for x in range(x0 - 1, x1 + 1)]
    right = [(x1, y) for y in range(y0, y1 + 1)]
    bottom = [(x, y1) for x in range(x1 - 1, x0 - 2, -1)]
    left = [(x0 - 1, y) for y in range(y1 - 1, y0 - 1, -1)]
    return top + right + bottom + left


def line(points: list[tuple[int, int]], z_mm: float = 0.0, *, inclusion: bool = True) -> Outline:
    return Outline(points_px=np.array(points, dtype=float), z_mm=z_mm, inclusion=inclusion)


def reading(number: int, *outlines: Outline, malignancy: int = 3) -> Reading:
    return Reading(number=number, malignancy=malignancy, outlines=outlines)


def scan(*readings: Reading) -> Scan:
    return Scan(series="s", patient="p", thickness_mm=2.5, pixel_mm=1.5, readings=readings)


def make_database(path: Path, grid: CtGrid, drawn: list[tuple[int, int, list[list[int]]]]) -> Path:
    """``drawn``: slice, malignancy and blocks ``x0 y0 x1 y1`` of one reader's nodule each."""
    base = sqlite3.connect(path)
    base.executescript(TABLES)
    base.execute("INSERT INTO scans VALUES (1, ?, 'LIDC-IDRI-0001', 2.5, 1.5)", (grid.series,))
    for number, (index, malignancy, blocks) in enumerate(drawn, 1):
        z = float(grid.geometry.to_lps(np.array([[index, 0, 0]]))[0, 2])
        base.execute("INSERT INTO annotations VALUES (?, 1, ?)", (number, malignancy))
        for block in blocks:
            coords = "\n".join(f"{x},{y}" for x, y in ring(*block))
            base.execute("INSERT INTO contours VALUES (1, ?, 1, ?, ?)", (number, z, coords))
    base.commit()
    base.close()
    return path


THREE = [
    (2, 5, [[3, 4, 9, 10]]),
    (2, 3, [[4, 4, 9, 10]]),
    (2, 4, [[3, 4, 9, 9]]),
    (4, 1, [[12, 3, 15, 6]]),  # one reader only
]


@pytest.fixture
def grid(tmp_path: Path) -> CtGrid:
    return ct_series(tmp_path / "images" / "ct")


def run(root: Path, readers: int) -> ImportReport:
    where, images, out = root / "lidc.sqlite", root / "images", root / f"set{readers}"
    return import_lidc(where, images, out, readers, ImportOptions())


def rows_of(root: Path, readers: int) -> tuple[Row, ...]:
    return open_dataset(root / f"set{readers}").rows


def code(root: Path, readers: int) -> str:
    with pytest.raises(TetractError) as caught:
        run(root, readers)
    return caught.value.code


def test_pixels_on_an_outline_are_outside() -> None:
    wanted = np.zeros(CANVAS, dtype=bool)
    wanted[4:10, 3:9] = True
    assert np.array_equal(inside_of([line(ring(3, 4, 9, 10))], CANVAS), wanted)
    corners = [(2, 3), (9, 3), (9, 10), (2, 10)]  # the same line by its corners
    assert np.array_equal(inside_of([line(corners)], CANVAS), wanted)
    assert not inside_of([line([(5, 5), (6, 5), (6, 6), (5, 6)])], CANVAS).any()


def test_an_exclusion_cuts_what_lies_inside_its_line() -> None:
    hole = line(ring(5, 6, 7, 8), inclusion=False)
    inside = inside_of([hole, line(ring(3, 4, 9, 10))], CANVAS)
    assert inside.sum() == 36 - 4
    assert not inside[6:8, 5:7].any()


def test_readings_that_come_close_are_one_nodule() -> None:
    near, far = line(ring(3, 4, 6, 7)), line(ring(12, 4, 15, 7))
    found = find_nodules(scan(reading(1, near), reading(2, near), reading(3, far)), CANVAS)
    assert [len(nodule.readings) for nodule in found] == [2, 1]


def test_no_nodule_has_more_readers_than_there_were() -> None:
    blocks = [ring(x, 4, x + 2, 6) for x in (3, 3, 3, 3, 7, 7)]  # lines 1.5 mm apart
    found = find_nodules(scan(*(reading(i, line(b)) for i, b in enumerate(blocks))), CANVAS)
    assert sorted(len(nodule.readings) for nodule in found) == [2, 4]


@pytest.mark.parametrize(
    ("readers", "block"), [(1, (3, 4, 9, 10)), (2, (3, 4, 9, 10)), (3, (4, 4, 9, 9))]
)
def test_pixels_that_enough_readers_included_are_nodule(
    tmp_path: Path, grid: CtGrid, readers: int, block: tuple[int, int, int, int]
) -> None:
    make_database(tmp_path / "lidc.sqlite", grid, THREE)
    run(tmp_path, readers)
    row = rows_of(tmp_path, readers)[2]
    assert row.boxes is not None
    assert row.boxes[0].xyxy == block
    card = open_dataset(tmp_path / f"set{readers}").card
    reader = RowReader()
    mask = reader.labels(row, reader.volume(row, card.source("lidc")), 2).masks["nodule"]
    counts = np.zeros(CANVAS, dtype=int)
    for x0, y0, x1, y1 in (blocks[0] for index, _, blocks in THREE if index == 2):
        counts[y0:y1, x0:x1] += 1
    assert np.array_equal(mask, counts >= readers)
    assert row.note == "nodule 1: readers=3 malignancy=4 (3,4,5)"


def test_where_too_few_agree_is_unknown_and_elsewhere_empty(tmp_path: Path, grid: CtGrid) -> None:
    make_database(tmp_path / "lidc.sqlite", grid, THREE)
    run(tmp_path, 2)
    rows = rows_of(tmp_path, 2)
    assert [row.boxes for row in rows if row.slice != 2] == [(), (), (), None, ()]
    assert [row.mask for row in rows if row.slice in (3, 4)] == [{"nodule": EMPTY}, None]
    assert rows[4].note == "nodule 2: readers=1 malignancy=1 (1)"
    assert {row.patient for row in rows} == {"LIDC-IDRI-0001"}


def test_agreement_is_kept_beside_the_masks(tmp_path: Path, grid: CtGrid) -> None:
    make_database(tmp_path / "lidc.sqlite", grid, THREE)
    run(tmp_path, 4)
    assert rows_of(tmp_path, 4)[2].boxes is None
    (path,) = (tmp_path / "set4" / "masks").glob("*-agreement-*.nii.gz")
    assert list(np.bincount(read_label_map(path).values[2].ravel())) == [284, 1, 10, 25]


def test_a_line_between_slices_skips_the_scan(tmp_path: Path, grid: CtGrid) -> None:
    path = make_database(tmp_path / "lidc.sqlite", grid, THREE)
    base = sqlite3.connect(path)
    base.execute("UPDATE contours SET image_z_position = image_z_position + 1")
    base.commit()
    base.close()
    assert code(tmp_path, 2) == "E_EMPTY_DATASET"


def test_what_is_no_database_is_refused(tmp_path: Path, grid: CtGrid) -> None:
    path = tmp_path / "lidc.sqlite"
    assert code(tmp_path, 2) == "E_NO_FILE"
    path.write_text("[]")
    assert code(tmp_path, 2) == "E_BAD_CONTOURS"
    sqlite3.connect(path.with_name("other")).executescript("CREATE TABLE a (b)").close()
    path.with_name("other").rename(path)
    assert code(tmp_path, 2) == "E_BAD_DATABASE"
    assert code(tmp_path, 5) == "E_READERS"
    assert uid_of(grid, 0)


def test_patients_come_from_the_database(tmp_path: Path, grid: CtGrid) -> None:
    path = make_database(tmp_path / "lidc.sqlite", grid, THREE)
    assert read_patients(path) == {grid.series: "LIDC-IDRI-0001"}
    assert len(read_scans(path, [grid.series])[grid.series].readings) == 4
    assert read_scans(path, ["other"]) == {}


@pytest.fixture
def shared() -> Path:
    root = Path(os.environ.get("TETRACT_SHARED", "")) / "data" / "ct" / "lidc_luna16"
    if not root.is_dir():
        pytest.skip("TETRACT_SHARED does not point at the real CT")
    return root


@pytest.mark.real
def test_real_outlines_give_the_published_masks(shared: Path) -> None:
    """Half of the readers who drew a nodule, as the masks beside the JSON file were made.

    One of them fills a line that encloses no pixel; by LIDC's rule such a line is empty.
    """
    differing: list[str] = []
    for name, found in read_slices(shared / "lidc_annotations.json").items():
        union = np.zeros((512, 512), dtype=bool)
        for nodule in find_nodules(found, (512, 512)):
            for counts in nodule.counts.values():
                union |= counts >= len(nodule.readings) / 2
        path = shared / "masks" / name
        published = read_label_map(path).values[0] > 0 if path.exists() else np.zeros_like(union)
        if not np.array_equal(union, published):
            differing.append(name[-11:])
    assert differing == ["mhd_275.png"]


@pytest.mark.real
def test_real_slices_become_rows(shared: Path, tmp_path: Path) -> None:
    whole = json.loads((shared / "lidc_annotations.json").read_text())
    content = dict(list(whole.items())[::4])
    where = tmp_path / "some.json"
    where.write_text(json.dumps(content))
    report = import_lidc(where, shared / "images", tmp_path / "set", 3, ImportOptions())
    assert not report.surprises
    rows = {row.image.name: row for row in open_dataset(tmp_path / "set").rows}
    assert len(rows) == len(content)
    for name, about in content.items():
        readers = [nodule["n_readers"] for nodule in about["nodules"]]
        if not about["readers"]:
            assert rows[name].boxes == ()
        elif min(readers) < 3:
            assert rows[name].boxes is None
        else:
            assert isinstance((rows[name].mask or {}).get("nodule"), MaskSource | None)
