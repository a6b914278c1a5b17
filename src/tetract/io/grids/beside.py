"""The data file that a header names: only a plain file in the header's own folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from tetract.errors import ReadError


def data_file_beside(header: Path, named: str) -> Path:
    """The path of the data file, checked before anything is opened.

    Links are followed first: what counts is where the data lie.

    Raises:
        ReadError: ``E_PATH_ESCAPE`` when it lies outside the header's folder; ``E_NOT_FOUND``.
    """
    absolute = PurePosixPath(named).is_absolute() or bool(PureWindowsPath(named).anchor)
    folder = header.parent.resolve()
    target = (folder / named).resolve()
    if absolute or "\\" in named or not target.is_relative_to(folder):
        raise ReadError(
            "E_PATH_ESCAPE",
            "the header names a data file outside its own folder; it was not opened",
            where=header.name,
            expected="a file beside the header",
            found="an absolute path" if absolute else "a path that leaves the folder",
            fix="Put both files into one folder and name the data file without folders",
        )
    if not target.is_file():
        raise ReadError(
            "E_NOT_FOUND",
            "the data file that the header names is not there",
            where=header.name,
            expected=target.name,
            fix="Copy both files, header and data",
        )
    return target
