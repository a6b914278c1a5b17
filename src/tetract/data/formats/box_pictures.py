"""Slices of an export as 8-bit pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt8

from tetract.data.formats.box_choices import open_choice
from tetract.data.formats.boxed_slices import BoxedSlice
from tetract.io import make_folder, write_png

Window = tuple[float, float]


def check_window(found: BoxedSlice, window_hu: Window | None) -> None:
    """Refuse to choose a window for a person, or to take one that does not rise.

    Raises:
        InputError: ``E_CHOICE_OPEN``.
    """
    if window_hu is None and found.hu_known:
        raise open_choice(
            "which HU become black and white in a picture",
            "--window-hu LOW HIGH, for example -1350 150",
            found=f"Hounsfield units in {found.row.source}",
        )
    if window_hu is not None and not window_hu[0] < window_hu[1]:
        told = f"{window_hu[0]:g} {window_hu[1]:g}"
        raise open_choice("which window is meant", "LOW below HIGH in HU", found=told)


def write_picture(folder: Path, found: BoxedSlice, window_hu: Window | None) -> str:
    """Write a slice as ``folder/NAME.png`` without any metadata; why not, or "".

    Raises:
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    if found.hu_known and window_hu is not None:
        pixels = windowed(found.values, window_hu)
    elif found.values.dtype == np.uint8:
        pixels = found.values
    else:
        return "a picture of 16 bits"
    make_folder(folder)
    write_png(folder / f"{found.name}.png", pixels)
    return ""


def windowed(values: Shaped[np.ndarray, "H W"], window_hu: Window) -> UInt8[np.ndarray, "H W"]:
    """HU as grey levels: LOW and below are 0, HIGH and above 255."""
    low, high = window_hu
    share = np.clip((values.astype(np.float32) - low) / (high - low), 0, 1)
    return np.rint(share * 255).astype(np.uint8)
