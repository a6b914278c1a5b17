"""Compressed pixels are equal to the plain ones, and bad ones hurt nobody."""

from __future__ import annotations

import os
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from io_makers import change, make_series, make_volume, set_codestream
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from tetract.errors import MachineError, ReadError
from tetract.io import read_volume
from tetract.io.dicom.codecs import PLUGINS, brought_by, list_codecs
from tetract.io.dicom.decode_client import DecodePool, DecodeWorker, try_decoder
from tetract.io.dicom.decode_worker import MEMORY_BYTES, decode, limit_memory
from tetract.io.dicom.header import read_dicom
from tetract.io.dicom.pixels import PixelFormat, pixel_data, pixel_format, stored_pixels

J2K = "1.2.840.10008.1.2.4.90"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
RLE = "1.2.840.10008.1.2.5"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
# OpenJPEG does not encode pictures of less than 32 pixels.
MADE = make_volume(shape=(3, 40, 48))


@pytest.mark.parametrize("syntax", [RLE, J2K, JPEG_LS])
def test_a_lossless_series_equals_the_plain_one(tmp_path: Path, syntax: str) -> None:
    for path in make_series(tmp_path, MADE):
        change(path, lambda d: d.compress(syntax))
    assert np.array_equal(read_volume(tmp_path).values, MADE.values)


def test_big_endian_pixels_come_out_in_native_order(tmp_path: Path) -> None:
    path = make_series(tmp_path, MADE)[1]
    content = read_volume(path).values
    header = read_dicom(path, pixels=True)
    pixels = pixel_format(header, path)
    swapped = np.frombuffer(header.PixelData, "<u2").byteswap().tobytes()
    big = PixelFormat(
        rows=pixels.rows,
        columns=pixels.columns,
        allocated=16,
        stored=pixels.stored,
        signed=False,
        photometric="MONOCHROME2",
        syntax=UID(BIG_ENDIAN),
        lossy=False,
    )
    stored, _ = stored_pixels(swapped, big, "x")
    assert stored.dtype.isnative
    assert np.array_equal(stored.astype(int) - 1024, content[0])


def test_a_deflated_slice_is_read(tmp_path: Path) -> None:
    path = make_series(tmp_path, MADE)[1]
    change(path, lambda d: setattr(d.file_meta, "TransferSyntaxUID", DEFLATED))
    assert np.array_equal(read_volume(path).values[0], MADE.values[1])


def test_a_missing_codec_is_the_machines_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_series(tmp_path, MADE)[0]
    change(path, lambda d: d.compress(J2K))
    monkeypatch.setattr("tetract.io.dicom.codecs.PLUGINS", {J2K: ("none_such",)})
    with pytest.raises(MachineError, match=r"E_CODEC_MISSING.*pip install tetract`"):
        read_volume(path)


@pytest.mark.parametrize(
    ("syntax", "bits", "package"),
    [(JPEG_LOSSLESS, 12, "tetract[codecs]"), (JPEG_EXTENDED, 12, "pylibjpeg-libjpeg")],
)
def test_the_package_that_would_help_is_named(syntax: str, bits: int, package: str) -> None:
    assert brought_by(syntax, bits) == package


def test_every_syntax_is_listed_with_what_reads_it() -> None:
    rows = {(row.syntax, row.name): row for row in list_codecs()}
    assert len(rows) == 13
    names = {row.name for row in rows.values() if row.plugin is None}
    assert not any("2000" in name or "LS" in name or "RLE" in name for name in names)


@pytest.mark.parametrize("syntax", [RLE, J2K, JPEG_LS])
@pytest.mark.parametrize("seed", range(6))
def test_a_mutated_codestream_is_refused_or_decoded_never_fatal(
    tmp_path: Path, syntax: str, seed: int
) -> None:
    path = make_series(tmp_path, MADE)[0]
    change(path, lambda d: d.compress(syntax))
    content = bytearray(path.read_bytes())
    draw = np.random.default_rng(seed)
    for at in draw.integers(len(content) - 400, len(content) - 12, 4):
        content[at] ^= int(draw.integers(1, 256))
    path.write_bytes(content)
    with suppress(ReadError):  # anything else, a crash above all, fails the test
        assert read_volume(path).values.shape == (1, 40, 48)


def _request(path: Path) -> tuple[bytes, dict[str, object]]:
    """One compressed slice as the decoder is asked for it."""
    header = read_dicom(path, pixels=True)
    pixels = pixel_format(header, path)
    about = {
        "transfer_syntax": J2K,
        "plugin": "pylibjpeg",
        "rows": 40,
        "columns": 48,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": 16,
        "bits_stored": pixels.stored,
        "pixel_representation": 0,
    }
    return pixel_data(header, pixels, "x"), about


def test_a_dead_decoder_is_replaced(tmp_path: Path) -> None:
    path = make_series(tmp_path, MADE)[0]
    change(path, lambda d: d.compress(J2K))
    content, request = _request(path)
    worker = DecodeWorker()
    try:
        first = worker.decode(content, request, "x")
        child = worker._running()
        os.kill(child.pid, 9)
        child.wait()
        assert np.array_equal(worker.decode(content, request, "x"), first)
    finally:
        worker.close()


def test_a_pool_decodes_at_once_and_outlives_a_dead_child(tmp_path: Path) -> None:
    paths = make_series(tmp_path, MADE)
    for path in paths:
        change(path, lambda d: d.compress(J2K))
    asked = [_request(path) for path in paths] * 2
    pool = DecodePool()
    try:
        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(lambda one: pool.decode(*one, "x"), asked))
            workers = list(pool._idle.queue)
            assert 1 <= len(workers) <= 2  # as many as were busy at one time
            for worker in workers:
                os.kill(worker._running().pid, 9)
            again = list(threads.map(lambda one: pool.decode(*one, "x"), asked))
    finally:
        pool.close()
    stored = [plane.astype(int) - 1024 for plane in found]
    assert np.array_equal(np.stack(stored), np.concatenate([MADE.values, MADE.values]))
    assert all(np.array_equal(one, other) for one, other in zip(found, again, strict=True))


def test_a_damaged_slice_among_good_ones_is_named(tmp_path: Path) -> None:
    paths = make_series(tmp_path, MADE)
    for path in paths:
        change(path, lambda d: d.compress(J2K))
    change(paths[1], set_codestream(b"\xff\x4f\xff\x51" + bytes(60) + b"\xff\xd9", J2K))
    with pytest.raises(ReadError, match=r"E_PIXEL_DECODE 0002\.dcm"):
        read_volume(tmp_path)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("syntax", [J2K, JPEG_LS])
def test_every_codec_that_is_here_says_the_same(tmp_path: Path, syntax: str, signed: bool) -> None:
    path = make_series(tmp_path, MADE)[0]
    if signed:
        change(path, _as_signed)
    change(path, lambda d: d.compress(syntax))
    content, request = _request(path)
    request |= {"transfer_syntax": syntax, "pixel_representation": int(signed)}
    codecs = set(get_decoder(UID(syntax)).available_plugins) & set(PLUGINS[syntax])
    found = {codec: decode(content, {**request, "plugin": codec}) for codec in codecs}
    assert len(found) >= 1
    for values in found.values():
        assert np.array_equal(values.astype(int) - 1024 * (not signed), MADE.values[0])


def _as_signed(header: Dataset) -> None:
    hu = np.frombuffer(header.PixelData, "<u2").astype(int) - 1024
    header.PixelData = hu.astype("<i2").tobytes()
    header.PixelRepresentation, header.RescaleIntercept = 1, 0
    header.BitsStored, header.HighBit = 16, 15


def test_a_decoder_can_start_here() -> None:
    state = try_decoder()
    assert state.starts
    assert state.memory_bytes == (MEMORY_BYTES if sys.platform == "linux" else 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process")
def test_a_decoder_that_wants_too_much_memory_is_one_line_and_lives_on(tmp_path: Path) -> None:
    path = make_series(tmp_path, MADE)[0]
    change(path, lambda d: d.compress(RLE))
    content, request = _request(path)
    request |= {"transfer_syntax": RLE, "plugin": "pydicom"}
    side = 65_535  # two bytes each: twice what the child may hold
    worker = DecodeWorker()
    try:
        child = worker._running()
        before = _largest_mb("self")
        with pytest.raises(
            ReadError, match=r"^E_PIXEL_DECODE x: .* found MemoryError\..*$"
        ) as told:
            worker.decode(content, {**request, "rows": side, "columns": side}, "x")
        assert "\n" not in str(told.value)
        assert _largest_mb("self") - before < 64
        # The limit refused it, not the machine; and the same child goes on.
        assert child.poll() is None
        assert np.array_equal(
            worker.decode(content, request, "x").astype(int) - 1024, MADE.values[0]
        )
    finally:
        worker.close()


def _largest_mb(process: str) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


@pytest.mark.parametrize(
    ("platform", "refused", "limit"),
    [
        ("linux", False, MEMORY_BYTES),
        ("linux", True, 0),
        ("darwin", False, 0),
        ("darwin", True, 0),
        ("win32", False, 0),
    ],
)
def test_a_system_without_a_limit_of_memory_says_so(
    monkeypatch: pytest.MonkeyPatch, platform: str, refused: bool, limit: int
) -> None:
    asked: list[object] = []

    def setrlimit(what: int, bounds: tuple[int, int]) -> None:
        asked.append((what, bounds))
        if refused and what == resource.RLIMIT_AS:
            raise ValueError

    monkeypatch.setattr("resource.setrlimit", setrlimit)
    monkeypatch.setattr("sys.platform", platform)
    assert limit_memory() == limit
    assert ((resource.RLIMIT_AS, (MEMORY_BYTES,) * 2) in asked) == (platform != "win32")


def test_a_decoder_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tetract.io.dicom.decode_client.DECODE_SECONDS", 0.3)
    worker = DecodeWorker()
    try:
        child = worker._running()
        os.kill(child.pid, 19)  # stopped: it will never answer
        with pytest.raises(ReadError, match="E_PIXEL_DECODE"):
            worker.decode(b"x", {"transfer_syntax": J2K}, "x")
        assert child.poll() is not None
    finally:
        worker.close()
