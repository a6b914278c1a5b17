"""Damaged MetaImage, NRRD, TIFF and enhanced CT: a volume or one typed line, nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from enhanced_makers import make_enhanced
from test_enhanced_ct import MADE
from test_meta_image import save_meta
from test_nrrd import save_nrrd
from test_tiff import GREY8, GREY16, save_tiff

from tetract.errors import TetractError
from tetract.io import read_volume

MAKERS = {
    "MetaImage": (lambda folder: save_meta(folder / "a.mha", data="LOCAL"), 400),
    "NRRD": (lambda folder: save_nrrd(folder / "a.nrrd"), 300),
    "TIFF": (lambda folder: save_tiff(folder / "a.tif", GREY16), 2000),
    "packed TIFF": (lambda folder: save_tiff(folder / "a.tif", GREY8, compression="tiff_lzw"), 600),
    "enhanced CT": (lambda folder: make_enhanced(folder / "a.dcm", MADE), 4500),
}


def _damaged(content: bytes, reach: int, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 6))):
        at = int(rng.integers(0, min(reach, len(changed) - 1)))
        kind = int(rng.integers(0, 4))
        if kind == 0:
            changed[at] = int(rng.integers(0, 256))
        elif kind == 1:
            changed[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 2:
            del changed[at : at + int(rng.integers(1, 9))]
        else:  # another digit makes another size
            changed[at:at] = bytes(rng.integers(48, 58, 2).astype(np.uint8))
    return bytes(changed)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_damaged_file_is_a_volume_or_one_line(
    tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    make, reach = MAKERS[kind]
    path = make(tmp_path)
    content, rng = path.read_bytes(), np.random.default_rng(7)
    ends = [_end(path, _damaged(content, reach, rng)) for _ in range(60)]
    assert all(end == "read" or end.startswith("E_") for end in ends)
    assert sum(end != "read" for end in ends) > 5
    assert capfd.readouterr() == ("", "")


def _end(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    try:
        read_volume(path)
    except TetractError as fault:
        told = str(fault)
        return told if "\n" not in told else "several lines"
    return "read"
