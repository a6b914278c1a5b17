from __future__ import annotations

import re
from pathlib import Path

import pytest

from tetract.data.voc import find_voc, read_voc
from tetract.errors import TetractError

NAMES = {re.compile("A|B"): "tumour"}


def xml(folder: Path, name: str = "A", corners: tuple[object, ...] = (1, 2, 3, 4)) -> Path:
    box = "".join(
        f"<{k}>{v}</{k}>" for k, v in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=False)
    )
    path = folder / "x.xml"
    path.write_text(f"<a><object><name>{name}</name><bndbox>{box}</bndbox></object></a>")
    return path


def test_corners_are_half_open_unless_said_otherwise(tmp_path: Path) -> None:
    path = xml(tmp_path)
    (box,) = read_voc(path, NAMES, inclusive=False)
    assert (box.label, box.xyxy) == ("tumour", (1, 2, 3, 4))
    assert read_voc(path, NAMES, inclusive=True)[0].xyxy == (1, 2, 4, 5)


def test_a_file_without_objects_gives_no_boxes(tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_text("<annotation/>")
    assert read_voc(tmp_path / "x.xml", NAMES, inclusive=False) == ()


def test_an_object_name_without_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TetractError, match=r"E_LABEL_UNKNOWN x.xml.*'C'"):
        read_voc(xml(tmp_path, "C"), NAMES, inclusive=False)


def test_a_missing_corner_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TetractError, match="E_BAD_BOX"):
        read_voc(xml(tmp_path, corners=(1, 2, 3)), NAMES, inclusive=False)


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE a [<!ENTITY x 'y'>]><a/>".encode(
            "utf-16"
        ),
        b"<a>",
        b"",
        b"<a>" + b" " * 1_000_001 + b"</a>",
    ],
)
def test_hostile_or_damaged_xml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.xml").write_bytes(content)
    with pytest.raises(TetractError, match=r"E_BAD_XML x.xml"):
        read_voc(tmp_path / "x.xml", NAMES, inclusive=False)


def test_files_are_found_at_all_depths_and_twins_are_refused(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    assert find_voc(tmp_path) == {}
    xml(tmp_path / "d")
    assert list(find_voc(tmp_path)) == ["x"]
    xml(tmp_path)
    with pytest.raises(TetractError, match="E_DUPLICATE_FILE"):
        find_voc(tmp_path)
