"""A folder of CT as a folder that may be shared: PS3.15 for DICOM, empty texts for NIfTI."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tetract.errors import InputError, ReadError, TetractError
from tetract.io.atomic import atomic_write_bytes, atomic_write_text, make_folder
from tetract.io.deid.dicom import clean_dicom
from tetract.io.deid.nifti import clean_nifti
from tetract.io.deid.secret import Renamer
from tetract.io.sniff import Kind, sniff_image

Progress = Callable[[int, int], None]
_UNKNOWN = "unknown"
_NAMED = 3
_NIFTI = (Kind.NIFTI, Kind.NIFTI_GZ)
_MEANING = {
    "W_BURNED_IN_UNKNOWN": "images do not say that no text is burned into them; look at them first",
    "W_UNUSED_BITS": "images carried something in unused bits of their pixels; it was cleared",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedFile:
    """A file that was left out.

    Attributes:
        content: First 12 digits of the SHA-256 of its bytes: its name may name the patient.
        code: Code of the error.
        reason: What is wrong, in words.
    """

    content: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeidReport:
    """What became of a folder; no name of a file, folder or patient.

    Attributes:
        read: Files looked at.
        written: Files written.
        copies: Files that came out equal to another and were written once.
        patients: Codes given; files that name no patient count as one.
        skipped: Files left out.
        warnings: One line per kind.
    """

    read: int
    written: int
    copies: int
    patients: int
    skipped: tuple[SkippedFile, ...]
    warnings: tuple[str, ...]

    def as_json(self) -> str:
        """The report as one JSON object."""
        return json.dumps(asdict(self), indent=1)

    def as_text(self) -> str:
        """The report for a terminal."""
        lines = [
            f"{self.written} of {self.read} files written, {self.patients} patients, "
            f"{self.copies} exact copies, {len(self.skipped)} skipped"
        ]
        alike: dict[str, list[str]] = {}
        for one in self.skipped:
            alike.setdefault(f"{one.code} {one.reason}", []).append(one.content)
        for reason, found in alike.items():
            more = ", ..." if len(found) > _NAMED else ""
            lines.append(f"{len(found)} x {reason}: sha256 {', '.join(found[:_NAMED])}{more}")
        return "\n".join([*lines, *self.warnings])


@dataclass(slots=True)
class _Tally:
    """What has happened so far."""

    places: dict[str, str]
    patients: set[str]
    skipped: list[SkippedFile]
    warnings: Counter[str]


def deidentify(
    source: Path,
    out: Path,
    renamer: Renamer,
    *,
    program: str = "TetraCT",
    mapping: Path | None = None,
    progress: Progress | None = None,
) -> DeidReport:
    """De-identify a file or everything below a folder into a new folder.

    CT images become ``PATIENT/SERIES/IMAGE.dcm``, NIfTI files ``IMAGE.nii.gz``; every part of these
    names is a hash. ``out`` appears whole or not at all. Hidden files are passed over. The same
    files and secret give the same bytes.

    Args:
        source: File or folder; it is not changed.
        out: New folder, not inside ``source``.
        renamer: Makes the new UIDs, codes and names.
        program: Name and version, for the images' headers.
        mapping: Where to write which file became which, for the owner alone; outside of ``out``.
        progress: Told (files done, files in all).

    Raises:
        InputError: ``E_OUT_NOT_EMPTY``, ``E_OUT_INSIDE``, ``E_NOT_FOUND``, ``E_EMPTY_FOLDER``; or
            the first file's error when nothing could be written.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    files = _files(source)
    _check_places(source, out, mapping)
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part").absolute()
    tally = _Tally(places={}, patients=set(), skipped=[], warnings=Counter())
    first: TetractError | None = None
    try:
        for done, path in enumerate(files, start=1):
            try:
                _clean_one(path, source, part, renamer, program, tally)
            except InputError as error:
                first = first or error
                tally.skipped.append(_skipped(path, error))
            if progress is not None:
                progress(done, len(files))
        if not tally.places and first is not None:
            raise _unnamed(files, first, tally.skipped[0])
        if mapping is not None:
            atomic_write_text(mapping, json.dumps(tally.places, indent=1, sort_keys=True) + "\n")
        if out.is_dir():
            out.rmdir()  # empty, as checked above
        part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    written = len(set(tally.places.values()))
    return DeidReport(
        read=len(files),
        written=written,
        copies=len(tally.places) - written,
        patients=len(tally.patients),
        skipped=tuple(tally.skipped),
        warnings=tuple(
            f"{code} {n} {_MEANING[code]}" for code, n in sorted(tally.warnings.items())
        ),
    )


def _files(source: Path) -> list[Path]:
    if not source.exists():
        raise ReadError("E_NOT_FOUND", "no such file or folder", fix="Check the path")
    if not source.is_dir():
        return [source]
    found = sorted(
        path
        for path in source.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(source).parts)
    )
    if not found:
        raise ReadError("E_EMPTY_FOLDER", "the folder holds no files", fix="Check the path")
    return found


def _check_places(source: Path, out: Path, mapping: Path | None) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(
            "E_OUT_NOT_EMPTY",
            "this place is taken",
            where=out.name,
            fix="Give a new or empty folder",
        )
    inside = source.is_dir() and out.resolve().is_relative_to(source.resolve())
    if inside or (mapping is not None and mapping.resolve().is_relative_to(out.resolve())):
        raise InputError(
            "E_OUT_INSIDE",
            "what may be shared and what may not would lie in one folder",
            where=out.name,
            fix="Write outside of the input; keep the mapping outside of the output",
        )


def _clean_one(
    path: Path, source: Path, part: Path, renamer: Renamer, program: str, tally: _Tally
) -> None:
    kind = sniff_image(path)
    place = path.relative_to(source).as_posix() if source.is_dir() else path.name
    warnings: tuple[str, ...] = ()
    if kind in _NIFTI:
        content = clean_nifti(path, kind)
        patient, inside = _UNKNOWN, Path(f"{renamer.file(content)}.nii.gz")
    elif kind is Kind.DICOM:
        group = Path(place).parent.as_posix()
        cleaned = clean_dicom(path, renamer, group=group, program=program)
        content, warnings = cleaned.content, cleaned.warnings
        patient = cleaned.patient or _UNKNOWN
        series = renamer.file(cleaned.series.encode())
        inside = Path(patient) / series / f"{renamer.file(content)}.dcm"
    else:
        raise ReadError(
            "E_NOT_AN_IMAGE",
            "pictures are not de-identified: text may be part of them",
            expected="DICOM or NIfTI",
            found=kind.value,
            fix="Leave it out",
        )
    make_folder((part / inside).parent)
    atomic_write_bytes(part / inside, content)
    tally.places[place] = inside.as_posix()
    tally.patients.add(patient)
    tally.warnings.update(warnings)


def _skipped(path: Path, error: TetractError) -> SkippedFile:
    compared = ", ".join(
        f"{name} {value}"
        for name, value in (("expected", error.expected), ("found", error.found))
        if value
    )
    return SkippedFile(
        content=_content(path),
        code=error.code,
        reason=f"{error.what}: {compared}" if compared else error.what,
    )


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:12]
    except OSError:
        return "unreadable"


def _unnamed(files: list[Path], error: TetractError, first: SkippedFile) -> TetractError:
    """The error of the first file, without the file's name."""
    more = f" ({len(files)} files, none usable)" if len(files) > 1 else ""
    return type(error)(
        error.code,
        error.what + more,
        where=f"sha256 {first.content}",
        expected=error.expected,
        found=error.found,
        fix=error.fix,
    )
