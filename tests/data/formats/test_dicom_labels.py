"""Objects drawn on a CT become rows whose labels say no more than the objects do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from label_objects import (
    DIRECTIONS,
    ct_series,
    ct_volume,
    make_rtstruct,
    make_seg,
    references,
    save_rtstruct,
    save_seg,
)
from tetract.data import EMPTY, MaskSource, Row, open_dataset
from tetract.data.finish_import import ImportOptions, ImportReport
from tetract.data.formats.dicom_labels import RTSTRUCT, SEG, LabelChoices, import_label_objects
from tetract.data.formats.names import parse_rules
from tetract.data.read_row import RowReader
from tetract.errors import TetractError
from tetract.io import CtGrid

TWO = ("thing 1=lung", "thing 2=nodule")


@pytest.fixture
def grid(tmp_path: Path) -> CtGrid:
    return ct_series(tmp_path / "ct")


@pytest.fixture
def masks(grid: CtGrid) -> dict[int, np.ndarray]:
    noise = np.random.default_rng(1).random((2, *grid.geometry.shape)) < 0.3
    noise[0, 2] = noise[1, 4:] = False
    return {1: noise[0], 2: noise[1]}


def run_seg(root: Path, *rules: str, complete: bool = False, out: str = "set") -> ImportReport:
    choices = LabelChoices(rules=parse_rules(rules), lesions=(), complete=complete)
    where = root / "seg.dcm" if (root / "seg.dcm").exists() else root
    return import_label_objects(where, root, root / out, choices, SEG, ImportOptions())


def rows_of(root: Path, out: str = "set") -> tuple[Row, ...]:
    return open_dataset(root / out).rows


def code(root: Path, *rules: str) -> str:
    with pytest.raises(TetractError) as caught:
        run_seg(root, *rules)
    return caught.value.code


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_rows_read_back_the_segmented_voxels(tmp_path: Path, direction: str) -> None:
    grid = ct_series(tmp_path / "ct", direction)
    mask = np.random.default_rng(1).random(grid.geometry.shape) < 0.3
    save_seg(make_seg(grid, {1: mask}), tmp_path / "seg.dcm")
    run_seg(tmp_path, "T-1:TEST=nodule")
    card = open_dataset(tmp_path / "set").card
    reader = RowReader()
    for row in rows_of(tmp_path):
        read = reader.volume(row, card.source("dicom-seg"))
        labels = reader.labels(row, read, int(row.slice or 0))
        assert np.array_equal(read.values, ct_volume(direction).values)
        assert np.array_equal(labels.masks["nodule"], mask[int(row.slice or 0)])


def test_slices_without_a_pixel_are_unknown(
    tmp_path: Path, grid: CtGrid, masks: dict[int, np.ndarray]
) -> None:
    save_seg(make_seg(grid, masks), tmp_path / "seg.dcm")
    run_seg(tmp_path, *TWO)
    cells = [set(row.mask or {}) for row in rows_of(tmp_path)]
    both, lung = {"lung", "nodule"}, {"lung"}
    assert cells == [both, both, {"nodule"}, both, lung, lung]


def test_they_are_empty_where_all_was_looked_at_and_referenced(
    tmp_path: Path, grid: CtGrid, masks: dict[int, np.ndarray]
) -> None:
    made = make_seg(grid, masks)
    made.ReferencedSeriesSequence = references(grid, range(5))
    save_seg(made, tmp_path / "seg.dcm")
    run_seg(tmp_path, *TWO, complete=True)
    rows = rows_of(tmp_path)
    assert [(row.mask or {}).get("nodule") == EMPTY for row in rows] == [False] * 4 + [True, False]
    assert "nodule" not in (rows[5].mask or {})


def test_segments_of_one_class_are_numbered_and_classes_kept_apart(
    tmp_path: Path, grid: CtGrid, masks: dict[int, np.ndarray]
) -> None:
    save_seg(make_seg(grid, masks), tmp_path / "seg.dcm")
    run_seg(tmp_path, "thing 1=nodule", "#2=nodule")
    row = rows_of(tmp_path)[0]
    source = (row.mask or {})["nodule"]
    assert isinstance(source, MaskSource)
    assert source.path.parent == tmp_path / "set" / "masks"
    assert row.note.startswith("nodule: segments of one class overlap in ")


def test_unknown_twofold_and_unmet_regions_are_refused(
    tmp_path: Path, grid: CtGrid, masks: dict[int, np.ndarray]
) -> None:
    save_seg(make_seg(grid, masks), tmp_path / "seg.dcm")
    assert code(tmp_path, "thing 1=lung") == "E_SEGMENT_UNKNOWN"
    assert code(tmp_path, *TWO, "thing 3=liver") == "E_SEGMENT_UNKNOWN"
    assert code(tmp_path, *TWO, "#1=liver") == "E_SEGMENT_AMBIGUOUS"
    assert code(tmp_path, "thing 1:lung") == "E_SEGMENT_RULE"
    assert not (tmp_path / "set" / "dataset.yaml").exists()


def test_without_rules_names_are_classes(
    tmp_path: Path, grid: CtGrid, masks: dict[int, np.ndarray]
) -> None:
    made = make_seg(grid, masks)
    save_seg(made, tmp_path / "seg.dcm")
    run_seg(tmp_path)
    assert open_dataset(tmp_path / "set").card.mask_classes == ("thing_1", "thing_2")
    made.SegmentSequence[1].SegmentLabel = "thing 1"
    save_seg(made, tmp_path / "seg.dcm")
    assert code(tmp_path) == "E_SEGMENT_AMBIGUOUS"


def test_the_same_import_writes_the_same_bytes(
    tmp_path: Path, grid: CtGrid, masks: dict[int, np.ndarray]
) -> None:
    save_seg(make_seg(grid, masks), tmp_path / "seg.dcm")
    contents: list[dict[str, bytes]] = []
    for _ in range(2):
        run_seg(tmp_path, *TWO)
        files = sorted(p for p in (tmp_path / "set").rglob("*") if p.is_file())
        contents.append({path.name: path.read_bytes() for path in files})
    assert contents[0] == contents[1]


def test_one_bad_object_among_several_is_skipped(
    tmp_path: Path, grid: CtGrid, masks: dict[int, np.ndarray]
) -> None:
    save_seg(make_seg(grid, masks), tmp_path / "a.dcm")
    made = make_seg(grid, masks)
    made.PixelData = made.PixelData[:10]
    save_seg(made, tmp_path / "b.dcm")
    save_seg(make_seg(grid, masks), tmp_path / "c.dcm")
    report = run_seg(tmp_path, *TWO)
    codes = [skipped.reason.split()[0] for skipped in report.surprises]
    assert codes == ["E_SEG_FRAMES", "E_SEGMENT_TWICE"]
    assert len(rows_of(tmp_path)) == 6


def test_a_ct_that_is_not_there_is_refused(
    tmp_path: Path, grid: CtGrid, masks: dict[int, np.ndarray]
) -> None:
    (tmp_path / "only").mkdir()
    save_seg(make_seg(grid, masks), tmp_path / "only" / "seg.dcm")
    assert code(tmp_path / "only", *TWO) == "E_NO_CT"


def test_no_identifier_reaches_the_data_set(
    tmp_path: Path, grid: CtGrid, masks: dict[int, np.ndarray]
) -> None:
    save_seg(make_seg(grid, masks), tmp_path / "seg.dcm")
    run_seg(tmp_path, *TWO)
    told = b"".join(p.read_bytes() for p in (tmp_path / "set").glob("*.*"))
    for secret in ("PHANTOM", grid.series, grid.frame_of_reference, *grid.instances):
        assert secret.encode() not in told
    patients = {row.patient for row in rows_of(tmp_path)}
    assert patients == {grid.patient}


def test_a_structure_set_reports_what_it_cannot_draw(tmp_path: Path, grid: CtGrid) -> None:
    square = np.array([[2.5, 3.5], [9.5, 3.5], [9.5, 8.5], [2.5, 8.5]])
    made = make_rtstruct(grid, {"GTV-1": [(1, square), (2, square)], "body": [(1, square)]})
    made.ROIContourSequence[0].ContourSequence[1].ContourGeometricType = "POINT"
    path = save_rtstruct(made, tmp_path / "rs.dcm")
    choices = LabelChoices(rules=parse_rules(["GTV-1=tumour", "body=-"]), lesions=("tumour",))
    report = import_label_objects(
        path, tmp_path / "ct", tmp_path / "set", choices, RTSTRUCT, ImportOptions()
    )
    assert [s.reason for s in report.skipped] == ["rs.dcm: not drawn, GTV-1: 1 x POINT"]
    assert not report.surprises
    assert [row.mask is not None for row in rows_of(tmp_path)] == [False, True] + [False] * 4
    assert open_dataset(tmp_path / "set").card.box_classes == ("tumour",)
    assert json.loads((tmp_path / "set" / "import-report.json").read_text())["used"] == 6
