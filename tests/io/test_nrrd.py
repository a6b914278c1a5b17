"""NRRD is read to the voxel and to the millimetre, or refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from io_makers import ct_numbers

from tetract.errors import TetractError
from tetract.io import Kind, count_slices, read_label_map, read_volume, sniff

NUMBERS = ct_numbers()  # (i, j, k) = (8, 7, 5)
FIELDS = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "8 7 5",
    "space directions": "(1.5,0,0) (0,1.25,0) (0,0,2.5)",
    "kinds": "domain domain domain",
    "endian": "little",
    "encoding": "raw",
    "space origin": "(-40,-50,-100)",
}


def save_nrrd(
    path: Path,
    numbers: np.ndarray = NUMBERS,
    *,
    payload: bytes | None = None,
    **changes: str | None,
) -> Path:
    """Attached, or detached where ``data_file`` is given; a field of None is left out."""
    content = numbers.tobytes(order="F") if payload is None else payload
    fields = FIELDS | {name.replace("_", " "): value for name, value in changes.items()}
    lines = ["NRRD0004", "# a comment", "patient:=A key/value pair"]
    lines += [f"{name}: {value}" for name, value in fields.items() if value is not None]
    head = "\n".join(lines).encode()
    named = fields.get("data file")
    path.write_bytes(head if named else head + b"\n\n" + content)
    if named and "/" not in named:
        (path.parent / named).write_bytes(content)
    return path


def test_an_attached_file_gives_hu_in_place(tmp_path: Path) -> None:
    volume = read_volume(save_nrrd(tmp_path / "a.nrrd"))
    assert np.array_equal(volume.hu, NUMBERS.transpose(2, 1, 0))
    assert volume.geometry.spacing_mm == (2.5, 1.25, 1.5)
    assert np.allclose(volume.geometry.to_lps(np.array([[4, 6, 7]])), [[-29.5, -42.5, -90.0]])
    assert volume.provenance.warnings == ()
    assert volume.provenance.reader == "nrrd"


@pytest.mark.parametrize("data_file", [None, "a.raw.gz"])
def test_gzip_is_read_attached_and_detached(tmp_path: Path, data_file: str | None) -> None:
    packed = gzip.compress(NUMBERS.tobytes(order="F"), mtime=0)
    path = save_nrrd(tmp_path / "a.nhdr", payload=packed, encoding="gzip", data_file=data_file)
    assert np.array_equal(read_volume(path).hu, NUMBERS.transpose(2, 1, 0))
    assert sniff(path) is Kind.NRRD
    assert count_slices(path) == 5


@pytest.mark.parametrize("skip", ["13", "-1"])
def test_bytes_before_detached_voxels_are_skipped(tmp_path: Path, skip: str) -> None:
    content = b"x" * 13 + NUMBERS.tobytes(order="F")
    path = save_nrrd(tmp_path / "a.nhdr", payload=content, data_file="a.raw", byte_skip=skip)
    assert np.array_equal(read_volume(path).hu, NUMBERS.transpose(2, 1, 0))


def test_big_endian_is_told_by_the_header(tmp_path: Path) -> None:
    path = save_nrrd(
        tmp_path / "a.nrrd", payload=NUMBERS.astype(">i2").tobytes(order="F"), endian="big"
    )
    assert np.array_equal(read_volume(path).hu, NUMBERS.transpose(2, 1, 0))


@pytest.mark.parametrize(
    ("space", "signs"),
    [("right-anterior-superior", (-1, -1, 1)), ("RAS", (-1, -1, 1)), ("LAS", (1, -1, 1))],
)
def test_every_space_of_the_patient_ends_in_lps(
    tmp_path: Path, space: str, signs: tuple[int, int, int]
) -> None:
    x, y, _ = signs
    path = save_nrrd(
        tmp_path / "a.nrrd",
        space=space,
        space_directions=f"({1.5 * x},0,0) (0,{1.25 * y},0) (0,0,2.5)",
        space_origin=f"({-40 * x},{-50 * y},-100)",
    )
    found, plain = read_volume(path), read_volume(save_nrrd(tmp_path / "b.nrrd"))
    assert np.array_equal(found.hu, plain.hu)
    assert np.allclose(found.geometry.affine, plain.geometry.affine)


@pytest.mark.parametrize("field", ["space", "space_directions", "space_origin"])
def test_without_a_full_grid_nothing_is_known_of_space(tmp_path: Path, field: str) -> None:
    volume = read_volume(save_nrrd(tmp_path / "a.nrrd", **{field: None}))
    assert volume.geometry is None
    assert volume.provenance.warnings[0].startswith("W_NO_ORIENTATION")


def test_a_space_of_the_scanner_says_nothing_of_the_patient(tmp_path: Path) -> None:
    assert read_volume(save_nrrd(tmp_path / "a.nrrd", space="scanner-xyz")).geometry is None


def test_a_trailing_axis_of_one_is_dropped(tmp_path: Path) -> None:
    path = save_nrrd(
        tmp_path / "a.nrrd",
        dimension="4",
        sizes="8 7 5 1",
        kinds="space space space none",
        space_directions=FIELDS["space directions"] + " none",
    )
    volume = read_volume(path)
    assert volume.provenance.warnings[0].startswith("W_SQUEEZED")
    assert volume.geometry.spacing_mm == (2.5, 1.25, 1.5)


FAULTS: dict[str, tuple[dict[str, str | None], str]] = {
    "colour": ({"kinds": "RGB-color domain domain"}, "E_COLOUR"),
    "vectors": ({"kinds": "3-vector domain domain"}, "E_DIMS"),
    "4-D": ({"dimension": "4", "sizes": "8 7 5 3", "kinds": None}, "E_DIMS"),
    "2-D": ({"dimension": "2", "sizes": "8 7", "kinds": None}, "E_DIMS"),
    "sizes that contradict": ({"dimension": "4"}, "E_BAD_HEADER"),
    "no sizes": ({"sizes": None}, "E_BAD_HEADER"),
    "huge": ({"sizes": "99999 99999 99999"}, "E_TOO_LARGE"),
    "more than there is": ({"sizes": "8 7 6"}, "E_TRUNCATED"),
    "less than there is": ({"sizes": "8 7 4"}, "E_BAD_HEADER"),
    "blocks": ({"type": "block"}, "E_DTYPE"),
    "no byte order": ({"endian": None}, "E_BAD_HEADER"),
    "numbers as text": ({"encoding": "ascii"}, "E_BAD_HEADER"),
    "bzip2": ({"encoding": "bzip2"}, "E_BAD_HEADER"),
    "quantised": ({"old_min": "0"}, "E_BAD_RESCALE"),
    "micrometres": ({"space_units": '"um" "um" "um"'}, "E_SPACING_RANGE"),
    "metres": (
        {"space_directions": "(0.001,0,0) (0,0.001,0) (0,0,0.002)"},
        "E_SPACING_RANGE",
    ),
    "zero step": ({"space_directions": "(1,0,0) (0,0,0) (0,0,1)"}, "E_SINGULAR_AFFINE"),
    "shear": ({"space_directions": "(1,0,0) (0.6,0.8,0) (0,0,1)"}, "E_SHEAR"),
    "a direction missing": ({"space_directions": "(1,0,0) none (0,0,1)"}, "E_BAD_HEADER"),
    "NaN": ({"space_directions": "(1,0,0) (0,nan,0) (0,0,1)"}, "E_BAD_HEADER"),
    "no vector": ({"space_origin": "(a,b,c)"}, "E_BAD_HEADER"),
    "not compressed": ({"encoding": "gzip"}, "E_BAD_CHECKSUM"),
    "line skip": ({"line_skip": "2"}, "E_BAD_HEADER"),
    "skip in an attached file": ({"byte_skip": "4"}, "E_BAD_HEADER"),
    "a list": ({"data_file": "LIST"}, "E_BAD_HEADER"),
    "a pattern": ({"data_file": "a%03d.raw 1 5 1"}, "E_BAD_HEADER"),
    "a system file": ({"data_file": "/etc/hostname"}, "E_PATH_ESCAPE"),
    "a neighbour": ({"data_file": "../x/a.raw"}, "E_PATH_ESCAPE"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_header_is_refused(tmp_path: Path, fault: str) -> None:
    changes, code = FAULTS[fault]
    path = save_nrrd(tmp_path / "a.nrrd", **changes)
    with pytest.raises(TetractError) as caught:
        read_volume(path)
    assert caught.value.code == code
    assert caught.value.where == "a.nrrd"


@pytest.mark.parametrize(
    "content",
    [
        b"NRRD0004\nsizes 8 7 5",
        b"NRRD0004\ntype: short\nno field\n\n",
        b"NRRD0004\ntype: short\ntype: short\n\n",
        b"NRRD0004\ntype: \xff\xfe\n\n",
        b"NRRD0004\n" + b"#\n" * 40_000,
    ],
)
def test_what_is_no_header_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.nrrd").write_bytes(content)
    with pytest.raises(TetractError, match="E_BAD_HEADER"):
        read_volume(tmp_path / "a.nrrd")


def test_a_mask_keeps_its_integers(tmp_path: Path) -> None:
    mask = (NUMBERS % 3).astype(np.uint8)
    path = save_nrrd(tmp_path / "a.nrrd", mask, type="uchar", endian=None)
    assert np.array_equal(read_label_map(path).values, mask.transpose(2, 1, 0))
