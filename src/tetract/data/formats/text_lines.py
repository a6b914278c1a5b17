"""The lines of a small text file that another program wrote."""

from __future__ import annotations

from pathlib import Path

from tetract.errors import ReadError

_MOST_BYTES = 2**25


def text_lines(path: Path, *, code: str) -> list[str]:
    """All lines without their ends, blank ones too.

    Args:
        path: UTF-8 text, with or without a byte-order mark.
        code: Error code of a file that is not.

    Raises:
        ReadError: ``E_NO_FILE``, or ``code``.
    """
    if not path.is_file():
        raise ReadError("E_NO_FILE", "file does not exist", where=path.name)
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise ReadError(
            code,
            "the text file is too large",
            where=path.name,
            expected=f"at most {_MOST_BYTES} bytes",
            found=f"{size} bytes",
        )
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ReadError(code, "not a UTF-8 text file", where=path.name) from None
