"""Sequences in sequences: a hundred are followed, one more is refused before anything recurses."""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from io_makers import make_series, make_volume

from tetract.errors import ReadError
from tetract.io import read_volume
from tetract.io.dicom.depth import MAX_DEPTH, check_depth

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED, BIG = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
MODALITY = b"\x08\x00\x60\x00CS"


def _nested(depth: int, *, syntax: str = EXPLICIT, vr: bytes = b"SQ", defined: bool) -> bytes:
    """A sequence in a sequence in a sequence, ``depth`` of them."""
    order = ">" if syntax == BIG else "<"

    def tag(group: int, number: int) -> bytes:
        return struct.pack(order + "HH", group, number)

    def sized(content: bytes, end: int) -> bytes:
        if defined:
            return struct.pack(order + "I", len(content)) + content
        return struct.pack(order + "I", 2**32 - 1) + content + tag(0xFFFE, end) + bytes(4)

    found = b""
    for level in range(depth):
        # What stands in a sequence of unknown VR has no VR itself (PS3.5 section 6.2.2).
        bare = syntax == IMPLICIT or (vr == b"UN" and level < depth - 1)
        item = tag(0xFFFE, 0xE000) + sized(found, 0xE00D)
        found = tag(0x0008, 0x1115) + (b"" if bare else vr + bytes(2)) + sized(item, 0xE0DD)
    return found


def _saved(path: Path, content: bytes, syntax: str, *, with_meta: bool = True) -> Path:
    padded = syntax.encode() + b"\0" * (len(syntax) % 2)
    meta = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(padded)) + padded
    path.write_bytes(bytes(128) + b"DICM" + meta + content if with_meta else content)
    return path


@pytest.mark.parametrize("defined", [True, False])
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG])
def test_a_hundred_levels_pass_and_one_more_is_refused(
    tmp_path: Path, syntax: str, defined: bool
) -> None:
    path = tmp_path / "a.dcm"
    check_depth(_saved(path, _nested(MAX_DEPTH, syntax=syntax, defined=defined), syntax))
    _saved(path, _nested(MAX_DEPTH + 1, syntax=syntax, defined=defined), syntax)
    with pytest.raises(ReadError, match=r"E_TOO_DEEP a\.dcm: .*at most 100"):
        check_depth(path)


def test_sequences_of_unknown_vr_are_counted_too(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    check_depth(_saved(path, _nested(MAX_DEPTH, vr=b"UN", defined=False), EXPLICIT))
    with pytest.raises(ReadError, match="E_TOO_DEEP"):
        check_depth(_saved(path, _nested(MAX_DEPTH + 1, vr=b"UN", defined=False), EXPLICIT))


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
def test_a_file_without_preamble_is_no_way_around(tmp_path: Path, syntax: str) -> None:
    content = _nested(MAX_DEPTH + 1, syntax=syntax, defined=False)
    with pytest.raises(ReadError, match="E_TOO_DEEP"):
        check_depth(_saved(tmp_path / "a.dcm", content, syntax, with_meta=False))


def test_a_deflated_file_is_no_way_around(tmp_path: Path) -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(_nested(MAX_DEPTH + 1, defined=True)) + packer.flush()
    with pytest.raises(ReadError, match="E_TOO_DEEP"):
        check_depth(_saved(tmp_path / "a.dcm", packed, DEFLATED))


@pytest.mark.parametrize("defined", [True, False])
def test_many_sequences_side_by_side_are_not_deep(tmp_path: Path, defined: bool) -> None:
    content = _nested(3, defined=defined) * 500
    check_depth(_saved(tmp_path / "a.dcm", content, EXPLICIT))


def test_nesting_after_compressed_pixels_is_seen(tmp_path: Path) -> None:
    item = b"\xfe\xff\x00\xe0" + struct.pack("<I", 4) + b"abcd"
    pixels = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + item * 3 + b"\xfe\xff\xdd\xe0" + bytes(4)
    path = tmp_path / "a.dcm"
    check_depth(_saved(path, pixels + _nested(MAX_DEPTH, defined=False), EXPLICIT))
    with pytest.raises(ReadError, match="E_TOO_DEEP"):
        check_depth(_saved(path, pixels + _nested(MAX_DEPTH + 1, defined=False), EXPLICIT))


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 3000, 100_000])
def test_a_slice_with_a_deep_trap_in_it_is_refused_at_any_stack(tmp_path: Path, depth: int) -> None:
    path = make_series(tmp_path)[0]
    head, tail = path.read_bytes().split(MODALITY, 1)
    trap = _chain(depth)
    path.write_bytes(head + trap + MODALITY + tail)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)  # the cap holds by itself: no RecursionError saves it
    try:
        with pytest.raises(ReadError, match="E_TOO_DEEP"):
            read_volume(path)
    finally:
        sys.setrecursionlimit(before)


def test_a_slice_below_the_cap_is_read(tmp_path: Path) -> None:
    path = make_series(tmp_path)[0]
    head, tail = path.read_bytes().split(MODALITY, 1)
    path.write_bytes(head + _nested(MAX_DEPTH, defined=False) + MODALITY + tail)
    assert np.array_equal(read_volume(path).values[0], make_volume().values[0])


@pytest.mark.parametrize("keep", [0, 3, 131, 140, 150, 400])
def test_what_is_cut_short_is_left_to_the_reader(tmp_path: Path, keep: int) -> None:
    path = _saved(tmp_path / "a.dcm", _nested(20, defined=False), EXPLICIT)
    path.write_bytes(path.read_bytes()[:keep])
    check_depth(path)


def _chain(depth: int) -> bytes:
    """As ``_nested`` without lengths, in one go: copying it level by level would take minutes."""
    opened = b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return (
        opened * depth + (b"\xfe\xff\x0d\xe0" + bytes(4) + b"\xfe\xff\xdd\xe0" + bytes(4)) * depth
    )
