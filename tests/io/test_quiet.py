"""What a library says of a value, which may name a patient, is heard by nobody."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from io_makers import change, make_series, set_raw, set_tag

from tetract.errors import TetractError
from tetract.io import ReadOptions, find_ct_folders, find_objects, list_series, read_volume
from tetract.io.dicom.bare import is_bare_image
from tetract.io.dicom.instances import find_instances
from tetract.io.dicom.slice_location import read_location_order
from tetract.io.labels.ct_grid import read_ct_grid
from tetract.io.labels.dicom_seg import read_segmentation
from tetract.io.labels.rtstruct import read_structure_set
from tetract.io.pictures.image_head import read_image_head

FORCE = ReadOptions(force=True)
WAYS: dict[str, Callable[[Path], object]] = {
    "a series": read_volume,
    "a slice": lambda folder: read_volume(folder / "0001.dcm"),
    "by force": lambda folder: read_volume(folder, options=FORCE),
    "a bare slice": lambda folder: is_bare_image(folder / "bare"),
    "the series of a folder": list_series,
    "the head of a slice": lambda folder: read_image_head(folder / "0001.dcm"),
    "a grid": read_ct_grid,
    "folders of CT": find_ct_folders,
    "objects": lambda folder: find_objects(folder, "SEG"),
    "instances": find_instances,
    "a segmentation": lambda folder: read_segmentation(folder / "0001.dcm"),
    "a structure set": lambda folder: read_structure_set(folder / "0001.dcm"),
    "an order": lambda folder: read_location_order(folder, read_ct_grid(folder)),
}
VALUES = {
    "SOPClassUID": b"ZZTEST^JOHN",
    "SOPInstanceUID": b"ZZTEST^JOHN",
    "SeriesInstanceUID": b"ZZTEST^JOHN",
    "Modality": b"zztest^john, born 1987-06-05",
    "InstanceNumber": b"ZZTEST",
    "SliceLocation": b"ZZTEST, a decimal string of more than sixteen characters",
}


@pytest.mark.parametrize("keyword", VALUES)
@pytest.mark.parametrize("way", WAYS)
def test_no_library_speaks_of_a_value(tmp_path: Path, way: str, keyword: str) -> None:
    for number, path in enumerate(make_series(tmp_path)):
        change(path, set_tag("SliceLocation", number))
        change(path, set_raw(keyword, VALUES[keyword]))
    content = (tmp_path / "0001.dcm").read_bytes()
    (tmp_path / "bare").write_bytes(content[144 + int.from_bytes(content[140:144], "little") :])
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with suppress(TetractError):
            WAYS[way](tmp_path)
    assert [str(warning.message) for warning in heard] == []
