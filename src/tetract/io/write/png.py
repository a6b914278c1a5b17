"""PNG files, written losslessly."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from tetract.io.atomic import atomic_write_bytes


def encode_png(image: UInt8[np.ndarray, "H W"] | UInt8[np.ndarray, "H W 3"]) -> bytes:
    """The PNG file of a grey (H, W) or RGB (H, W, 3) uint8 picture, without any metadata."""
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, format="PNG")
    return buffer.getvalue()


def write_png(path: Path, image: UInt8[np.ndarray, "H W"] | UInt8[np.ndarray, "H W 3"]) -> None:
    """Write ``image`` to ``path`` atomically.

    Raises:
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    atomic_write_bytes(path, encode_png(image))
