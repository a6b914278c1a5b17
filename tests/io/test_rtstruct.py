"""Outlines become the voxels whose centres they enclose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from label_objects import DIRECTIONS, ct_series, item, make_rtstruct, many, save_rtstruct, uid_of
from tetract.errors import TetractError
from tetract.io import CtGrid, draw_rois, fill_polygon, read_structure_set

SQUARE = np.array([[2.5, 3.5], [9.5, 3.5], [9.5, 8.5], [2.5, 8.5]])  # columns 3..9, rows 4..8
HOLE = np.array([[4.5, 4.5], [6.5, 4.5], [6.5, 6.5], [4.5, 6.5]])  # columns 5..6, rows 5..6


@pytest.fixture
def grid(tmp_path: Path) -> CtGrid:
    return ct_series(tmp_path / "ct")


def code(made: Dataset, grid: CtGrid, path: Path) -> str:
    with pytest.raises(TetractError) as caught:
        draw_rois(read_structure_set(save_rtstruct(made, path)), grid, (1,))
    return caught.value.code


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_outline_and_hole_give_exact_voxels(tmp_path: Path, direction: str) -> None:
    grid = ct_series(tmp_path / "ct", direction)
    made = make_rtstruct(grid, {"tumour": [(2, SQUARE), (2, HOLE), (4, HOLE)]})
    found = read_structure_set(save_rtstruct(made, tmp_path / "rs.dcm"))
    wanted = np.zeros(grid.geometry.shape, dtype=np.uint8)
    wanted[2, 4:9, 3:10] = 1
    wanted[2, 5:7, 5:7] = 0
    wanted[4, 5:7, 5:7] = 1
    assert np.array_equal(draw_rois(found, grid, (1,)).labels, wanted)


def test_keyhole_and_inner_outline_agree() -> None:
    keyhole = np.vstack([SQUARE[:1], HOLE, HOLE[:1], SQUARE])
    both = fill_polygon(SQUARE, (16, 20)) ^ fill_polygon(HOLE, (16, 20))
    assert np.array_equal(fill_polygon(keyhole, (16, 20)), both)


def test_neighbours_with_a_common_edge_share_no_pixel() -> None:
    square = np.array([[2.0, 3.0], [6.0, 3.0], [6.0, 7.0], [2.0, 7.0]])
    one, other = fill_polygon(square, (16, 20)), fill_polygon(np.add(square, (4, 0)), (16, 20))
    assert one.sum() == other.sum() == 16
    assert not (one & other).any()


def test_a_disc_has_the_pixels_within_its_radius() -> None:
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    circle = np.column_stack([20.3 + 9.1 * np.cos(angles), 14.2 + 9.1 * np.sin(angles)])
    ys, xs = np.mgrid[:32, :40]
    assert np.array_equal(fill_polygon(circle, (32, 40)), np.hypot(xs - 20.3, ys - 14.2) < 9.1)


def test_open_outlines_are_counted_not_drawn(tmp_path: Path, grid: CtGrid) -> None:
    made = make_rtstruct(grid, {"a": [(1, SQUARE), (1, HOLE)], "b": [(2, SQUARE)]})
    made.ROIContourSequence[0].ContourSequence[1].ContourGeometricType = "OPEN_PLANAR"
    drawn = draw_rois(read_structure_set(save_rtstruct(made, tmp_path / "rs.dcm")), grid, (1, 2))
    assert drawn.skipped == ("a: 1 x OPEN_PLANAR",)
    assert drawn.labels[1].sum() == 35
    assert set(np.unique(drawn.labels[2])) == {0, 2}


def test_an_outline_between_slices_is_refused(tmp_path: Path, grid: CtGrid) -> None:
    for off, refused in ((0.02, False), (0.03, True)):  # 1 % of 2.5 mm is 0.025 mm
        made = make_rtstruct(grid, {"a": [(1, SQUARE)]})
        data = made.ROIContourSequence[0].ContourSequence[0].ContourData
        for index in range(2, 12, 3):
            data[index] += off
        path = save_rtstruct(made, tmp_path / "rs.dcm")
        if refused:
            assert code(made, grid, path) == "E_OFF_GRID"
        else:
            assert draw_rois(read_structure_set(path), grid, (1,)).labels[1].sum() == 35


def test_contradictions_are_refused(tmp_path: Path, grid: CtGrid) -> None:
    path = tmp_path / "rs.dcm"
    made = make_rtstruct(grid, {"a": [(1, SQUARE)]})
    contour = made.ROIContourSequence[0].ContourSequence[0]
    contour.ContourImageSequence = many(item(ReferencedSOPInstanceUID=uid_of(grid, 4)))
    assert code(made, grid, path) == "E_OTHER_SLICE"
    contour.NumberOfContourPoints = 7
    assert code(made, grid, path) == "E_BAD_CONTOUR"
    made = make_rtstruct(grid, {"a": [(1, SQUARE)]})
    made.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = generate_uid()
    assert code(made, grid, path) == "E_OTHER_FRAME"


def test_what_leaves_the_image_is_cut_and_told(tmp_path: Path, grid: CtGrid) -> None:
    made = make_rtstruct(grid, {"a": [(1, SQUARE - (5, 0))]})
    drawn = draw_rois(read_structure_set(save_rtstruct(made, tmp_path / "rs.dcm")), grid, (1,))
    assert drawn.notes == ("1 outlines cut at the edge of the image",)
    assert drawn.labels[1, 4:9, :5].all()
    assert drawn.labels.sum() == 25


def test_a_real_structure_set_is_read(tmp_path: Path) -> None:
    whole = pydicom.dcmread(get_testdata_file("rtstruct.dcm"), force=True)
    whole.file_meta = pydicom.dataset.FileMetaDataset()
    whole.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    whole.SOPClassUID = RTStructureSetStorage
    whole.save_as(tmp_path / "rs.dcm", enforce_file_format=True)
    found = read_structure_set(tmp_path / "rs.dcm")
    assert [region.name for region in found.regions] == ["patient", "Isocenter 1", "Isocenter 2"]
    assert [contour.kind for contour in found.contours[1]] == ["CLOSED_PLANAR"] * 3
    assert np.array_equal(found.contours[1][0].points_mm[0], [-200, 150, -200])


def test_the_file_as_pydicom_ships_it_has_no_preamble() -> None:
    with pytest.raises(TetractError) as caught:
        read_structure_set(Path(get_testdata_file("rtstruct.dcm")))
    assert caught.value.code == "E_LABEL_OBJECT"
