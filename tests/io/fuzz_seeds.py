"""One small good file of every kind the readers know, and what it is read with."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from enhanced_makers import make_enhanced
from io_makers import ct_numbers, make_series, make_volume
from PIL import Image
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless
from test_meta_image import save_meta
from test_nrrd import save_nrrd

from label_objects import ct_series, make_rtstruct, make_seg, save_rtstruct, save_seg
from tetract.io import (
    CtGrid,
    ReadOptions,
    draw_rois,
    draw_segments,
    read_segmentation,
    read_structure_set,
    read_study,
    write_nifti_volume,
)

Read = Callable[[Path], object]
SQUARE = np.array([[3, 3], [12, 3], [12, 9], [3, 9]])


@dataclass(frozen=True, kw_only=True)
class Seed:
    """A good file: its header lies in the first ``reach`` bytes and decides most."""

    name: str
    content: bytes
    read: Read = read_study
    reach: int = 1200
    is_slice: bool = False


def good_files(folder: Path) -> list[Seed]:
    """The files, the same bytes each time; ``folder`` keeps what they are read beside."""
    return [
        *_slices(folder / "series"),
        *_enhanced(folder),
        *_volumes(folder),
        *_pictures(folder),
        *_labels(folder),
    ]


def _slices(folder: Path) -> list[Seed]:
    """The last slice of a series whose others stay in ``folder``: the damaged one's place."""
    path = make_series(folder, make_volume(shape=(3, 40, 48)))[0]  # JPEG 2000 wants 32 px
    found = [Seed(name="plain.dcm", content=path.read_bytes(), is_slice=True)]
    for syntax, name in ((RLELossless, "rle"), (JPEG2000Lossless, "j2k"), (JPEGLSLossless, "jls")):
        header = pydicom.dcmread(path)
        header.compress(syntax, generate_instance_uid=False)
        found.append(Seed(name=f"{name}.dcm", content=_saved(header), is_slice=True))
    bare = path.read_bytes()
    meta = 144 + int.from_bytes(bare[140:144], "little")
    found.append(Seed(name="bare.dcm", content=bare[meta:], read=_forced))
    path.unlink()
    return found


def _forced(path: Path) -> object:
    return read_study(path, options=ReadOptions(force=True))


def _enhanced(folder: Path) -> list[Seed]:
    even = make_volume(shape=(3, 40, 48))
    path = make_enhanced(folder / "e.dcm", even)
    header = pydicom.dcmread(path)
    header.compress(JPEG2000Lossless, generate_instance_uid=False)
    packed = _saved(header)
    return [
        Seed(name="frames.dcm", content=_taken(path), reach=4500),
        Seed(name="frames-j2k.dcm", content=packed, reach=4500),
    ]


def _volumes(folder: Path) -> list[Seed]:
    volume = make_volume(shape=(3, 40, 48))
    found: list[Seed] = []
    for name in ("a.nii", "a.nii.gz"):
        write_nifti_volume(folder / name, volume.values, volume.geometry)
        found.append(Seed(name=name, content=_taken(folder / name)))
    numbers = ct_numbers().tobytes(order="F")
    texts = {
        "a.mha": save_meta(folder / "a.mha", data="LOCAL"),
        "packed.mha": save_meta(
            folder / "b.mha", data="LOCAL", payload=zlib.compress(numbers), CompressedData="True"
        ),
        "a.nrrd": save_nrrd(folder / "a.nrrd"),
        "packed.nrrd": save_nrrd(
            folder / "b.nrrd", payload=gzip.compress(numbers, mtime=0), encoding="gzip"
        ),
    }
    return found + [Seed(name=n, content=_taken(path), reach=400) for n, path in texts.items()]


def _pictures(folder: Path) -> list[Seed]:
    grey = np.random.default_rng(0).integers(0, 255, (24, 31)).astype(np.uint8)
    deep = grey.astype(np.uint16) * 257
    found: list[Seed] = []
    for name, pixels, options in (
        ("a.png", grey, {}),
        ("deep.png", deep, {}),
        ("a.jpg", grey, {}),
        ("a.tif", deep, {}),
        ("lzw.tif", grey, {"compression": "tiff_lzw"}),
    ):
        Image.fromarray(pixels).save(folder / name, **options)
        found.append(Seed(name=name, content=_taken(folder / name), reach=2000))
    return found


def _labels(folder: Path) -> list[Seed]:
    """Segmentations and structure sets, drawn on the series that they were made for."""
    grid = ct_series(folder / "ct")
    box = np.zeros(grid.geometry.shape, dtype=bool)
    box[1:4, 3:9, 3:12] = True
    drawn = {1: box, 2: np.roll(box, 5, axis=2)}
    paths = [
        save_seg(make_seg(grid, drawn, kind=kind), folder / f"{kind.lower()}.dcm")
        for kind in ("BINARY", "FRACTIONAL", "LABELMAP")
    ]
    outlines = make_rtstruct(grid, {"one": [(1, SQUARE), (2, SQUARE)], "two": [(3, SQUARE)]})
    paths.append(save_rtstruct(outlines, folder / "rtstruct.dcm"))
    return [
        Seed(
            name=path.name,
            content=_same_each_time(path),
            read=_draw_rois(grid) if path.stem == "rtstruct" else _draw_segments(grid),
            reach=4500,
        )
        for path in paths
    ]


def _draw_segments(grid: CtGrid) -> Read:
    def read(path: Path) -> object:
        found = read_segmentation(path)
        return draw_segments(found, grid, tuple(region.number for region in found.regions))

    return read


def _draw_rois(grid: CtGrid) -> Read:
    def read(path: Path) -> object:
        found = read_structure_set(path)
        return draw_rois(found, grid, tuple(region.number for region in found.regions))

    return read


def _same_each_time(path: Path) -> bytes:
    """The object under a name of its own that does not change from run to run."""
    header = pydicom.dcmread(path)
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    path.unlink()
    return _saved(header)


def _saved(header: pydicom.Dataset) -> bytes:
    content = io.BytesIO()
    header.save_as(content, enforce_file_format=True)
    return content.getvalue()


def _taken(path: Path) -> bytes:
    content = path.read_bytes()
    path.unlink()
    return content
