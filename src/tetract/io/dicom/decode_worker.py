"""The child process that decodes compressed pixels: ``python -m tetract.io.dicom.decode_worker``.

A hostile codestream can abort or hang a native codec (python-gdcm, OpenJPEG); here it takes only
this process with it. Requests and answers are a line of JSON followed by raw bytes: no pickle,
and nothing of the header but the numbers that describe the pixels.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Shaped, UInt8
from pydicom.pixels.decoders.base import get_decoder

# Enough for a 4096 x 4096 slice through any codec, and far below a machine's memory.
MEMORY_BYTES = 4 * 2**30


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    limit = limit_memory()
    warnings.simplefilter("ignore")
    # Codecs print to the C-level stdout; the answers get a private copy of it.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = sys.stdin.buffer
    _send(answers, {"ok": True, "memory_bytes": limit}, b"")
    while line := requests.readline():
        request: dict[str, Any] = json.loads(line)
        payload = requests.read(int(request.pop("bytes")))
        try:
            stored = unpack_tiff(payload) if "tiff" in request else decode(payload, request)
        except Exception as fault:  # noqa: BLE001 - codecs raise anything; the parent names it
            _send(answers, {"ok": False, "why": type(fault).__name__}, b"")
        else:
            about = {"ok": True, "dtype": stored.dtype.str, "shape": list(stored.shape)}
            _send(answers, about, stored.tobytes())


def decode(payload: bytes, request: dict[str, Any]) -> Shaped[np.ndarray, "H W"]:
    """One encapsulated frame as its stored values.

    Args:
        payload: The value of PixelData.
        request: ``transfer_syntax``, ``plugin`` and the pixel description as keyword arguments
            of pydicom's decoder.
    """
    options: dict[str, Any] = {**request, "number_of_frames": 1, "pixel_keyword": "PixelData"}
    decoder = get_decoder(options.pop("transfer_syntax"))
    plugin = options.pop("plugin")
    stored, _ = decoder.as_array(payload, decoding_plugin=plugin, raw=True, **options)
    return np.ascontiguousarray(stored)


def unpack_tiff(payload: bytes) -> UInt8[np.ndarray, " N"]:
    """A TIFF file of one page as the bytes of the same picture without compression."""
    from PIL import Image  # noqa: PLC0415 - needed for few of the files that are decoded here

    plain = BytesIO()
    Image.open(BytesIO(payload), formats=("TIFF",)).save(plain, "TIFF", compression=None)
    return np.frombuffer(plain.getvalue(), dtype=np.uint8)


def _send(answers: BinaryIO, about: dict[str, Any], payload: bytes) -> None:
    answers.write(json.dumps({**about, "bytes": len(payload)}).encode() + b"\n" + payload)
    answers.flush()


def limit_memory() -> int:
    """Let this process hold no more than 4 GiB; the limit, or 0 where the system sets none.

    Linux bounds the address space. Windows has no such limit, and macOS refuses it or does not
    keep it.
    """
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415 - absent on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    except (OSError, ValueError):
        return 0
    return 0 if sys.platform == "darwin" else MEMORY_BYTES


if __name__ == "__main__":
    main()
