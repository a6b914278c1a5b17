"""A CT series, or one slice of it, as a volume."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from tetract.errors import GeometryError, ReadError
from tetract.io.dicom_folder import choose_series
from tetract.io.dicom_geometry import (
    SAME_POSITION_MM,
    along_normal_mm,
    check_stack,
    check_uniform,
    stack_geometry,
)
from tetract.io.dicom_header import read_dicom, read_pixel_data
from tetract.io.dicom_kind import DicomKind, kind_of_dicom, not_a_slice
from tetract.io.dicom_pixels import pixel_data
from tetract.io.dicom_slice import CtSlice, parse_slice, slice_hu
from tetract.io.guard import reading
from tetract.io.hu_checks import HuTally
from tetract.io.options import ReadOptions
from tetract.io.sniff import Kind, extension_warnings
from tetract.io.stored_grid import MAX_VOXELS
from tetract.types import Provenance, Volume

_DAMAGED = "the DICOM file is damaged"
_EXECUTABLES = (b"\x7fELF", b"MZ", b"#!", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
# A scout lies at right angles to the slices; this is the cosine of 80 degrees.
_ORTHOGONAL = 0.17
_SCOUT_SHARE = 0.25


def read_dicom_file(path: Path, options: ReadOptions) -> Volume:
    """One CT slice: (1, H, W) int16 HU.

    Its geometry has depth 1: the slice step is the nominal thickness along the normal, or 1 mm
    with ``W_UNKNOWN_SLICE_STEP``.

    Raises:
        ReadError: See ``dicom_header``, ``dicom_kind``, ``dicom_pixels`` and ``dicom_slice``.
        GeometryError: ``E_NO_GEOMETRY``, ``E_BAD_SPACING``, ``E_BAD_ORIENTATION``.
        MachineError: ``E_CODEC_MISSING``.
    """
    with reading(path.name, code="E_BAD_DICOM", what=_DAMAGED):
        header = read_dicom(path, pixels=True)
        kind = kind_of_dicom(header, path.name)
        if kind is not DicomKind.CT:
            raise not_a_slice(header, kind, path.name)
        notes = extension_warnings(path, Kind.DICOM)
        image = parse_slice(header, path, options)
        return _stack([image], path.name, path.name, notes, pixels=header)


def read_dicom_series(folder: Path, files: list[tuple[Path, Kind]], options: ReadOptions) -> Volume:
    """The one CT series of a folder: (D, H, W) int16 HU, slices sorted along their normal.

    Rows and columns keep the order of the files; the geometry tells how they lie.

    Raises:
        ReadError: As ``read_dicom_file`` and ``choose_series``; ``E_HU_JUMP``, ``E_HU_RANGE``.
        GeometryError: As ``read_dicom_file``; ``E_DUPLICATE_POSITIONS`` and those of
            ``check_uniform`` and ``check_stack``.
        MachineError: ``E_CODEC_MISSING``.
    """
    with reading(folder.name, code="E_BAD_DICOM", what=_DAMAGED):
        where, ordered, notes = arrange_series(folder, files, options)
        return _stack(ordered, folder.name, where, notes)


def arrange_series(
    folder: Path, files: list[tuple[Path, Kind]], options: ReadOptions
) -> tuple[str, list[CtSlice], tuple[str, ...]]:
    """The series' name for errors, its slices in order, and warnings; no pixel is decoded.

    Raises:
        ReadError: As ``read_dicom_series``.
        GeometryError: As ``read_dicom_series``.
    """
    chosen = choose_series(folder, files, options)
    slices = [parse_slice(header, path, options) for path, header in chosen.headers]
    slices, scouts = _without_scouts(slices, chosen.where)
    check_uniform(slices, chosen.where)
    positions = along_normal_mm(slices)
    ordered = [slices[int(i)] for i in np.argsort(positions, kind="stable")]
    ordered, copies = _without_copies(ordered, chosen.where)
    if len(ordered) > 1:
        check_stack(ordered, chosen.where)
    notes = chosen.warnings + scouts + copies + _odd_stack(ordered, chosen.where)
    return chosen.where, ordered, notes


def _stack(
    ordered: list[CtSlice],
    name: str,
    where: str,
    notes: tuple[str, ...],
    *,
    pixels: Dataset | None = None,
) -> Volume:
    geometry, more = stack_geometry(ordered)
    voxels = int(np.prod(geometry.shape, dtype=np.int64))
    if voxels > MAX_VOXELS:
        raise ReadError(
            "E_TOO_LARGE",
            "the series holds more voxels than we read",
            where=where,
            expected=f"at most {MAX_VOXELS}",
            found=" x ".join(str(n) for n in geometry.shape),
            fix="Read a part of the series",
        )
    values = np.empty(geometry.shape, dtype=np.int16)
    tally = HuTally()
    per_slice: list[str] = []
    for index, image in enumerate(ordered):
        hu, found = slice_hu(image, tally, pixels)
        values[index] = hu
        per_slice.extend(found)
    names = tuple(image.name for image in ordered)
    tally.check_range(where)
    tally.check_jumps(where, names)
    return Volume(
        values=values,
        hu_known=True,
        geometry=geometry,
        provenance=Provenance(
            reader="dicom",
            name=name,
            slice_names=names,
            warnings=(
                notes
                + more
                + tally.warnings(name)
                + _once(per_slice)
                + _header_notes(ordered, name)
            ),
            derived=any(image.assumed for image in ordered),
        ),
    )


def _without_scouts(slices: list[CtSlice], where: str) -> tuple[list[CtSlice], tuple[str, ...]]:
    """Drop a few slices at right angles to all others: scouts that do not call themselves so."""
    main = Counter(tuple(np.round(s.normal, 2)) for s in slices).most_common(1)[0][0]
    across = [s for s in slices if abs(float(s.normal @ np.asarray(main))) < _ORTHOGONAL]
    if not across or len(across) > _SCOUT_SHARE * len(slices):
        return slices, ()
    dropped = {s.name for s in across}
    kept = [s for s in slices if s.name not in dropped]
    told = ", ".join(sorted(dropped)[:3])
    return kept, (f"W_LOCALIZER_DROPPED {where}: {len(dropped)} x at right angles: {told}",)


def _without_copies(ordered: list[CtSlice], where: str) -> tuple[list[CtSlice], tuple[str, ...]]:
    """Keep one of several slices at one position if their pixels are equal, else refuse.

    Raises:
        GeometryError: ``E_DUPLICATE_POSITIONS``.
    """
    kept: list[CtSlice] = []
    copies = 0
    positions = along_normal_mm(ordered)
    for image, position in zip(ordered, positions, strict=True):
        before = kept[-1] if kept else None
        if before is None or abs(position - float(before.position @ ordered[0].normal)) >= (
            SAME_POSITION_MM
        ):
            kept.append(image)
            continue
        if not _is_copy(before, image):
            shared = int((np.abs(positions - position) < SAME_POSITION_MM).sum())
            raise GeometryError(
                "E_DUPLICATE_POSITIONS",
                "different images lie at one position (phases, or several acquisitions)",
                where=where,
                expected="one image per position",
                found=f"{shared} at z={image.position[2]:.3f}: {before.name}, {image.name}",
                fix="Give one phase or acquisition per folder",
            )
        copies += 1
    if not copies:
        return kept, ()
    return kept, (f"W_DUPLICATE_DROPPED {where}: {copies} exact copies of slices were ignored",)


def _is_copy(one: CtSlice, other: CtSlice) -> bool:
    same_header = (
        one.pixels == other.pixels
        and (one.slope, one.intercept) == (other.slope, other.intercept)
        and bool(np.allclose(one.position, other.position, atol=SAME_POSITION_MM))
    )
    return same_header and _fingerprint(one) == _fingerprint(other)


def _fingerprint(image: CtSlice) -> str:
    content = pixel_data(read_pixel_data(image.path), image.pixels, image.name)
    return hashlib.sha256(content).hexdigest()


def _odd_stack(ordered: list[CtSlice], where: str) -> tuple[str, ...]:
    """Signs that slices are absent although those present are evenly spaced."""
    lines: list[str] = []
    numbers = [s.instance for s in ordered if s.instance is not None]
    promised = max((s.in_acquisition or 0 for s in ordered), default=0)
    if len(ordered) > 1 and (promised > len(ordered) or (numbers and min(numbers) > 1)):
        first = min(numbers) if numbers else 0
        told = f"{promised} images promised" if promised > len(ordered) else f"first is no. {first}"
        lines.append(
            f"W_TRUNCATED_STACK {where}: {len(ordered)} slices, but {told}; the series may be cut"
        )
    if len(ordered) > 1 and (thickness := ordered[0].thickness_mm) is not None:
        step = stack_geometry(ordered)[0].spacing_mm[0]
        if step > 1.5 * thickness:
            lines.append(
                f"W_SLICE_GAP {where}: slices of {thickness:g} mm lie {step:.3f} mm apart; what"
                " lies between them was not imaged or was left out"
            )
    return tuple(lines)


def _header_notes(ordered: list[CtSlice], name: str) -> tuple[str, ...]:
    found = {
        "W_MONOCHROME1": sum(s.pixels.photometric == "MONOCHROME1" for s in ordered),
        "W_LOSSY": sum(s.pixels.lossy for s in ordered),
        "W_BURNED_IN": sum(s.burned_in for s in ordered),
        "W_ASSUMED_HU": sum(s.assumed for s in ordered),
        "W_PREAMBLE": sum(_starts_as_program(s.path) for s in ordered),
    }
    meaning = {
        "W_MONOCHROME1": "are to be shown inverted; HU are unchanged",
        "W_LOSSY": "were compressed with loss",
        "W_BURNED_IN": "say that text is burned into the picture; it may identify the patient",
        "W_ASSUMED_HU": "have no rescale; stored values were taken for HU on request",
        "W_PREAMBLE": "begin like an executable program; the preamble was not used",
    }
    return tuple(
        f"{code} {name}: {count} slices {meaning[code]}" for code, count in found.items() if count
    )


def _starts_as_program(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4).startswith(_EXECUTABLES)


def _once(lines: list[str]) -> tuple[str, ...]:
    """One line per code, with the number of slices it concerns: no flood of warnings."""
    by_code: dict[str, list[str]] = {}
    for line in lines:
        by_code.setdefault(line.split(" ", 1)[0], []).append(line)
    return tuple(
        found[0] if len(found) == 1 else f"{found[0]} (and {len(found) - 1} slices more)"
        for found in by_code.values()
    )
