"""The pixels of checked slices, slice by slice: from files of one frame or of many."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Integer
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import RLELossless

from tetract.io.dicom.frames import check_frame_count
from tetract.io.dicom.header import read_pixel_data
from tetract.io.dicom.pixels import pixel_data, stored_pixels
from tetract.io.dicom.slice import CtSlice

Stored = tuple[Integer[np.ndarray, "H W"], tuple[str, ...]]
_MOST_DECODERS = 4


def stored_slices(ordered: list[CtSlice], given: Dataset | None = None) -> Iterator[Stored]:
    """Stored values and warnings of each slice, in order.

    Several slices of JPEG and its kin are decoded at once, each in a child process of its own;
    uncompressed pixels need none.

    Args:
        ordered: Slices whose pixels are wanted.
        given: The file with its pixels where it was read before.

    Raises:
        ReadError: See ``stored_pixels``.
        MachineError: ``E_CODEC_MISSING``.
    """
    contents = slice_contents(ordered, given)
    at_once = decoders_at_once() if any(_needs_a_child(image) for image in ordered) else 1
    if at_once == 1 or len(ordered) == 1:
        for image, content in zip(ordered, contents, strict=True):
            yield stored_pixels(content, image.pixels, image.name)
        return
    with ThreadPoolExecutor(at_once) as pool:
        waiting: deque[Future[Stored]] = deque()
        for image, content in zip(ordered, contents, strict=True):
            waiting.append(pool.submit(stored_pixels, content, image.pixels, image.name))
            if len(waiting) > 2 * at_once:  # so that memory stays bounded
                yield waiting.popleft().result()
        yield from (future.result() for future in waiting)


def slice_contents(ordered: list[CtSlice], given: Dataset | None = None) -> Iterator[bytes]:
    """The value of Pixel Data of each slice, as a file of one slice would hold it.

    Raises:
        ReadError: As ``pixel_data``; ``E_PIXEL_TRUNCATED`` where frames are absent.
    """
    held: dict[Path, tuple[Any, ...]] = {}
    for image in ordered:
        if image.frame is None:
            header = read_pixel_data(image.path) if given is None else given
            yield pixel_data(header, image.pixels, image.name)
            continue
        if image.path not in held:
            header = read_pixel_data(image.path) if given is None else given
            held[image.path] = _frames(pixel_data(header, image.pixels, image.path.name), image)
        frame = bytes(held[image.path][image.frame])
        yield encapsulate([frame]) if image.pixels.syntax.is_encapsulated else frame


def decoders_at_once() -> int:
    """How many slices are decoded at once; one in a data loader's worker, which has siblings."""
    if parent_process() is not None:
        return 1
    return max(1, min(_MOST_DECODERS, os.cpu_count() or 1))


def _needs_a_child(image: CtSlice) -> bool:
    return image.pixels.syntax.is_encapsulated and image.pixels.syntax != RLELossless


def _frames(content: bytes, image: CtSlice) -> tuple[Any, ...]:
    """Views on the frames of one file; nothing is copied."""
    if image.pixels.syntax.is_encapsulated:
        frames: tuple[Any, ...] = tuple(generate_frames(content, number_of_frames=image.frames))
    else:
        size = image.pixels.native_bytes
        whole = min(image.frames, len(content) // size)
        view = memoryview(content)
        frames = tuple(view[size * index : size * (index + 1)] for index in range(whole))
    check_frame_count(len(frames), image)
    return frames
