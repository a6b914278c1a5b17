"""Segmentations reach the CT's voxels exactly, or are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless, generate_uid

from label_objects import (
    DIRECTIONS,
    ct_series,
    item,
    make_seg,
    many,
    references,
    save_seg,
    set_pixels,
    uid_of,
)
from tetract.errors import TetractError
from tetract.io import (
    CtGrid,
    draw_segments,
    find_ct_folders,
    read_segmentation,
    read_volume,
)


@pytest.fixture
def grid(tmp_path: Path) -> CtGrid:
    return ct_series(tmp_path / "ct")


def random_masks(grid: CtGrid, *, apart: bool = False) -> dict[int, np.ndarray]:
    noise = np.random.default_rng(1).random((2, *grid.geometry.shape)) < 0.3
    noise[:, 2] = False  # a slice without a pixel has no frame
    return {1: noise[0], 2: noise[1] & ~noise[0] if apart else noise[1]}


def drawn(made: Dataset, grid: CtGrid, path: Path, number: int = 1) -> np.ndarray:
    return draw_segments(read_segmentation(save_seg(made, path)), grid, (number,)).labels > 0


def code(made: Dataset, grid: CtGrid, path: Path) -> str:
    with pytest.raises(TetractError) as caught:
        drawn(made, grid, path)
    return caught.value.code


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_every_voxel_returns(tmp_path: Path, direction: str, kind: str) -> None:
    grid = ct_series(tmp_path / "ct", direction)
    masks = random_masks(grid, apart=kind == "LABELMAP")
    made = make_seg(grid, masks, kind=kind)
    for number, mask in masks.items():
        assert np.array_equal(drawn(made, grid, tmp_path / "seg.dcm", number), mask)


def test_grid_is_that_of_the_volume(tmp_path: Path) -> None:
    grid = ct_series(tmp_path / "ct", "oblique")
    volume = read_volume(tmp_path / "ct")
    assert volume.geometry is not None
    assert np.array_equal(grid.geometry.affine, volume.geometry.affine)
    assert grid.instances == {uid_of(grid, k): k for k in range(6)}


def test_overlapping_segments_stay_whole(tmp_path: Path, grid: CtGrid) -> None:
    masks = random_masks(grid)
    assert (masks[1] & masks[2]).any()
    found = read_segmentation(save_seg(make_seg(grid, masks), tmp_path / "seg.dcm"))
    both = draw_segments(found, grid, (1, 2))
    assert np.array_equal(both.labels > 0, masks[1] | masks[2])
    assert both.notes == (
        f"segments of one class overlap in {int((masks[1] & masks[2]).sum())} voxels",
    )
    assert np.array_equal(draw_segments(found, grid, (2,)).labels > 0, masks[2])


@pytest.mark.parametrize("compressed", [False, True])
def test_a_fraction_of_half_is_inside(tmp_path: Path, grid: CtGrid, compressed: bool) -> None:
    values = np.random.default_rng(2).integers(0, 101, (1, 16, 20), dtype=np.uint8)
    values[0, 0, :3] = 49, 50, 51
    mask = np.zeros(grid.geometry.shape, dtype=bool)
    mask[3] = True
    made = make_seg(grid, {1: mask}, kind="FRACTIONAL")
    made.MaximumFractionalValue = 100
    set_pixels(made, values, "FRACTIONAL")
    if compressed:
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 7, 0
        save_seg(made, tmp_path / "plain.dcm")
        made.compress(RLELossless, generate_instance_uid=False)
        made.save_as(tmp_path / "seg.dcm", enforce_file_format=True)
        found = read_segmentation(tmp_path / "seg.dcm")
    else:
        found = read_segmentation(save_seg(made, tmp_path / "seg.dcm"))
    labels = draw_segments(found, grid, (1,)).labels
    assert np.array_equal(labels[3] > 0, values[0] >= 50)
    assert labels.sum() == labels[3].sum()


def test_position_or_reference_alone_is_enough(tmp_path: Path, grid: CtGrid) -> None:
    masks = random_masks(grid)
    for places, sources in ((True, False), (False, True)):
        made = make_seg(grid, masks, places=places, sources=sources)
        assert np.array_equal(drawn(made, grid, tmp_path / "seg.dcm"), masks[1])
    made = make_seg(grid, masks, places=False, sources=False)
    assert code(made, grid, tmp_path / "seg.dcm") == "E_OFF_GRID"


@pytest.mark.parametrize("turn", ["flipped", "transposed"])
def test_cropped_and_turned_frames_find_their_pixels(
    tmp_path: Path, grid: CtGrid, turn: str
) -> None:
    mask = np.zeros(grid.geometry.shape, dtype=bool)
    mask[4, 3:9, 5:12] = np.random.default_rng(4).random((6, 7)) < 0.5
    made = make_seg(grid, {1: mask})
    block = mask[4, 3:9, 5:12]
    group = made.PerFrameFunctionalGroupsSequence[0]
    if turn == "flipped":
        corner, six, frame = (4, 8, 5), [1, 0, 0, 0, -1, 0], block[::-1]
        spacing = [1.25, 1.5]
    else:
        corner, six, frame = (4, 3, 5), [0, 1, 0, 1, 0, 0], block.T
        spacing = [1.5, 1.25]
    position = grid.geometry.to_lps(np.array([corner]))[0]
    group.PlanePositionSequence[0].ImagePositionPatient = list(position)
    group.PlaneOrientationSequence[0].ImageOrientationPatient = six
    group.PixelMeasuresSequence[0].PixelSpacing = spacing
    made.Rows, made.Columns = frame.shape
    set_pixels(made, frame[None], "BINARY")
    assert np.array_equal(drawn(made, grid, tmp_path / "seg.dcm"), mask)


def test_what_is_off_the_grid_is_refused(tmp_path: Path, grid: CtGrid) -> None:
    def moved(axis: int, by_mm: float) -> str:
        made = make_seg(grid, random_masks(grid), sources=False)
        for group in made.PerFrameFunctionalGroupsSequence:
            group.PlanePositionSequence[0].ImagePositionPatient[axis] += by_mm
        return code(made, grid, tmp_path / "seg.dcm")

    assert moved(2, 0.03) == "E_OFF_GRID"  # 1 % of 2.5 mm is 0.025 mm
    assert moved(0, 0.3) == "E_OFF_GRID"
    assert moved(0, 1.5) == "E_OFF_GRID"  # whole pixels, but beyond the edge
    made = make_seg(grid, random_masks(grid), sources=False)
    for group in made.PerFrameFunctionalGroupsSequence:
        group.PixelMeasuresSequence[0].PixelSpacing = [1.25, 1.25]
    assert code(made, grid, tmp_path / "seg.dcm") == "E_OFF_GRID"


def test_contradictions_are_refused(tmp_path: Path, grid: CtGrid) -> None:
    path = tmp_path / "seg.dcm"
    made = make_seg(grid, random_masks(grid))
    group = made.PerFrameFunctionalGroupsSequence[0]
    source = item(ReferencedSOPInstanceUID=uid_of(grid, 5))
    group.DerivationImageSequence = many(item(SourceImageSequence=many(source)))
    assert code(made, grid, path) == "E_OTHER_SLICE"
    made = make_seg(grid, random_masks(grid))
    made.FrameOfReferenceUID = generate_uid()
    assert code(made, grid, path) == "E_OTHER_FRAME"
    made = make_seg(grid, random_masks(grid))
    made.PixelData = made.PixelData[:100]
    assert code(made, grid, path) == "E_SEG_FRAMES"
    made = make_seg(grid, random_masks(grid))
    del made.SegmentSequence[0]
    assert code(made, grid, path) == "E_SEG_FRAMES"


def test_a_label_map_with_a_stranger_is_refused(tmp_path: Path, grid: CtGrid) -> None:
    made = make_seg(grid, random_masks(grid, apart=True), kind="LABELMAP")
    set_pixels(made, np.full(grid.geometry.shape, 9), "LABELMAP")
    assert code(made, grid, tmp_path / "seg.dcm") == "E_SEG_FRAMES"


def test_a_ct_slice_is_no_segmentation(tmp_path: Path) -> None:
    ct_series(tmp_path)
    with pytest.raises(TetractError) as caught:
        read_segmentation(tmp_path / "0001.dcm")
    assert caught.value.code == "E_LABEL_OBJECT"


def test_slices_that_are_not_listed_are_not_covered(tmp_path: Path, grid: CtGrid) -> None:
    made = make_seg(grid, random_masks(grid))
    made.ReferencedSeriesSequence = references(grid, [1, 3])
    found = read_segmentation(save_seg(made, tmp_path / "seg.dcm"))
    seen = grid.covered(found.references.instances)
    assert list(np.flatnonzero(seen)) == [1, 3]
    assert grid.covered(frozenset()).all()


def test_a_real_segmentation_is_read_and_its_cut_copy_refused(tmp_path: Path) -> None:
    whole = pydicom.dcmread(get_testdata_file("liver_1frame.dcm"))
    with pytest.raises(TetractError) as caught:  # three frames described, the pixels of one
        read_segmentation(Path(get_testdata_file("liver_1frame.dcm")))
    assert caught.value.code == "E_SEG_FRAMES"
    del whole.PerFrameFunctionalGroupsSequence[1:]
    whole.save_as(tmp_path / "one.dcm")
    found = read_segmentation(tmp_path / "one.dcm")
    assert [(r.name, r.codes) for r in found.regions] == [("Liver", ("T-62000:SRT",))]
    assert len(found.references.instances) == 3
    assert np.array_equal(found.pixels.frame(0), pydicom.dcmread(tmp_path / "one.dcm").pixel_array)


def test_ct_folders_are_found_by_their_first_slice(tmp_path: Path) -> None:
    grid = ct_series(tmp_path / "a" / "ct")
    save_seg(make_seg(grid, random_masks(grid)), tmp_path / "a" / "seg.dcm")
    found = find_ct_folders(tmp_path)
    assert [(f.path, f.series) for f in found] == [(tmp_path / "a" / "ct", grid.series)]
