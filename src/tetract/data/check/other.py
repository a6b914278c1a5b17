"""What a file is that no reader takes: an archive, a picture of another format, or no image."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tetract.data.card import CARD_NAME
from tetract.data.check.report import Verdict
from tetract.io import Kind
from tetract.io.dicom.bare import is_bare_image
from tetract.io.sniff import HEAD_BYTES, extension_warnings

_SIGNS: Final = (
    (0, b"PK\x03\x04", "archive (zip)"),
    (0, b"PK\x05\x06", "archive (zip)"),
    (0, b"7z\xbc\xaf\x27\x1c", "archive (7z)"),
    (0, b"Rar!\x1a\x07", "archive (rar)"),
    (0, b"BZh", "archive (bzip2)"),
    (0, b"\xfd7zXZ\x00", "archive (xz)"),
    (0, b"\x28\xb5\x2f\xfd", "archive (zstd)"),
    (0, b"\x1f\x8b", "archive (gzip)"),
    (257, b"ustar", "archive (tar)"),
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (0, b"GIF8", "gif"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
)
_PROMISES: Final = {
    ".zip": "archive (zip)",
    ".tar": "archive (tar)",
    ".tif": "tiff",
    ".tiff": "tiff",
}


def what_else(path: Path, kind: Kind) -> tuple[str, Verdict, str]:
    """What a file of kind ``OTHER`` or ``EMPTY`` is, its verdict, and a remark.

    A file whose name promises an image that we read is ``refused`` without a remark: its reader
    says why. Archives and images of other formats are ``skipped``, the rest ``ignored``.
    """
    if path.name == CARD_NAME:
        return "dataset card", Verdict.IGNORED, "check the folder that holds it by itself"
    compressed_nifti = path.name.lower().endswith(".nii.gz")
    seen = _by_content(path) or _PROMISES.get(path.suffix.lower(), "")
    if seen and not compressed_nifti:
        is_archive = seen.startswith("archive")
        line = "archives are not opened; unpack it" if is_archive else "format not read; convert it"
        return seen, Verdict.SKIPPED, line
    if is_bare_image(path):
        line = "not read unless asked for: tetract predict --force"
        return "dicom without preamble", Verdict.SKIPPED, line
    if extension_warnings(path, kind):
        return f"{path.suffix.lower().lstrip('.')} by its name", Verdict.REFUSED, ""
    return "empty file" if kind is Kind.EMPTY else "no image", Verdict.IGNORED, ""


def _by_content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return ""
    return next((what for at, sign, what in _SIGNS if head.startswith(sign, at)), "")
