"""A CT series, or one slice of it, as a volume."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from tetract.errors import ReadError
from tetract.io.dicom.content import stored_slices
from tetract.io.dicom.copies import chosen_acquisition, without_copies
from tetract.io.dicom.folder import choose_series
from tetract.io.dicom.frames import frames_of
from tetract.io.dicom.geometry import along_normal_mm, check_stack, check_uniform, stack_geometry
from tetract.io.dicom.header import read_dicom
from tetract.io.dicom.kind import DicomKind, kind_of_dicom, not_a_slice
from tetract.io.dicom.regrid import StackPlan, plan_stack, regrid
from tetract.io.dicom.slice import CtSlice, parse_slice, slice_hu
from tetract.io.grids.stored_grid import MAX_VOXELS
from tetract.io.guard import reading
from tetract.io.hu_checks import HuTally
from tetract.io.notes import once_per_code
from tetract.io.options import ReadOptions
from tetract.io.sniff import Kind, extension_warnings
from tetract.types import Provenance, Volume

_DAMAGED = "the DICOM file is damaged"
_EXECUTABLES = (b"\x7fELF", b"MZ", b"#!", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
# A scout lies at right angles to the slices; this is the cosine of 80 degrees.
_ORTHOGONAL = 0.17
_SCOUT_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """Slices that were chosen, sorted and freed of copies; their stack is not yet checked."""

    where: str
    ordered: list[CtSlice]
    warnings: tuple[str, ...]


def read_dicom_file(path: Path, options: ReadOptions) -> Volume:
    """One file of CT: a slice as (1, H, W) int16 HU, or the frames of an enhanced CT as (D, H, W).

    The geometry of a single slice has depth 1: the slice step is the nominal thickness along the
    normal, or 1 mm with ``W_UNKNOWN_SLICE_STEP``.

    Raises:
        ReadError: See ``dicom_header``, ``dicom_kind``, ``dicom_pixels`` and ``dicom_slice``.
        GeometryError: ``E_NO_GEOMETRY``, ``E_BAD_SPACING``, ``E_BAD_ORIENTATION``; those of
            ``read_dicom_series`` for several frames.
        MachineError: ``E_CODEC_MISSING``.
    """
    with reading(path.name, code="E_BAD_DICOM", what=_DAMAGED):
        header = read_dicom(path, pixels=True, force=options.force)
        series = _one_file(header, path, options)
        plan = plan_stack(series.ordered, options, series.where)
        return _stack(series, plan, path.name, pixels=header)


def count_dicom_file(path: Path, options: ReadOptions) -> int:
    """Number of slices that ``read_dicom_file`` would give, without decoding a pixel.

    Raises:
        ReadError: As ``read_dicom_file``.
        GeometryError: As ``read_dicom_file``.
    """
    with reading(path.name, code="E_BAD_DICOM", what=_DAMAGED):
        header = read_dicom(path, pixels=False, force=options.force)
        series = _one_file(header, path, options)
        return plan_stack(series.ordered, options, series.where).geometry.shape[0]


def read_dicom_series(folder: Path, files: list[tuple[Path, Kind]], options: ReadOptions) -> Volume:
    """The one CT series of a folder: (D, H, W) int16 HU, slices sorted along their normal.

    Rows and columns keep the order of the files; the geometry tells how they lie.

    Raises:
        ReadError: As ``read_dicom_file`` and ``choose_series``; ``E_HU_JUMP``, ``E_HU_RANGE``,
            ``E_ACQUISITION_UNKNOWN``.
        GeometryError: As ``read_dicom_file``; ``E_DUPLICATE_POSITIONS`` and those of
            ``check_uniform`` and ``check_stack``.
        MachineError: ``E_CODEC_MISSING``.
    """
    with reading(folder.name, code="E_BAD_DICOM", what=_DAMAGED):
        series = _chosen(folder, files, options)
        return _stack(series, plan_stack(series.ordered, options, series.where), folder.name)


def count_dicom_series(folder: Path, files: list[tuple[Path, Kind]], options: ReadOptions) -> int:
    """Number of slices that ``read_dicom_series`` would give, without decoding a pixel.

    Raises:
        ReadError: As ``read_dicom_series``.
        GeometryError: As ``read_dicom_series``.
    """
    with reading(folder.name, code="E_BAD_DICOM", what=_DAMAGED):
        series = _chosen(folder, files, options)
        return plan_stack(series.ordered, options, series.where).geometry.shape[0]


def arrange_series(
    folder: Path, files: list[tuple[Path, Kind]], options: ReadOptions
) -> tuple[str, list[CtSlice], tuple[str, ...]]:
    """The series' name for errors, its slices in order, and warnings; no pixel is decoded.

    Slices are those of the files: a stack that would have to be interpolated is refused whatever
    the options say.

    Raises:
        ReadError: As ``read_dicom_series``.
        GeometryError: As ``read_dicom_series``.
    """
    series = _chosen(folder, files, options)
    if len(series.ordered) > 1:
        check_stack(series.ordered, series.where)
    return series.where, series.ordered, series.warnings


def _chosen(folder: Path, files: list[tuple[Path, Kind]], options: ReadOptions) -> _Series:
    chosen = choose_series(folder, files, options)
    slices: list[CtSlice] = []
    notes = chosen.warnings
    for path, header in chosen.headers:
        found, more = _slices_of(header, path, options)
        slices += found
        notes += more
    return _arranged(slices, chosen.where, notes, options)


def _one_file(header: Dataset, path: Path, options: ReadOptions) -> _Series:
    kind = kind_of_dicom(header, path.name)
    if kind not in (DicomKind.CT, DicomKind.ENHANCED):
        raise not_a_slice(header, kind, path.name)
    slices, notes = _slices_of(header, path, options)
    notes = extension_warnings(path, Kind.DICOM) + notes
    if len(slices) == 1 and kind is DicomKind.CT:
        return _Series(where=path.name, ordered=slices, warnings=notes)
    return _arranged(slices, path.name, notes, options)


def _slices_of(
    header: Dataset, path: Path, options: ReadOptions
) -> tuple[list[CtSlice], tuple[str, ...]]:
    if kind_of_dicom(header, path.name) is DicomKind.ENHANCED:
        return frames_of(header, path, options)
    return [parse_slice(header, path, options)], ()


def _arranged(
    slices: list[CtSlice], where: str, notes: tuple[str, ...], options: ReadOptions
) -> _Series:
    slices, scouts = _without_scouts(slices, where)
    slices, taken = chosen_acquisition(slices, options, where)
    check_uniform(slices, where)
    positions = along_normal_mm(slices)
    ordered = [slices[int(i)] for i in np.argsort(positions, kind="stable")]
    ordered, copies = without_copies(ordered, where)
    notes += scouts + taken + copies + _odd_stack(ordered, where)
    return _Series(where=where, ordered=ordered, warnings=notes)


def _stack(series: _Series, plan: StackPlan, name: str, *, pixels: Dataset | None = None) -> Volume:
    ordered, where = series.ordered, series.where
    first = ordered[0].pixels
    shape = (len(ordered), first.rows, first.columns)
    _check_voxels(shape, where)
    _check_voxels(plan.geometry.shape, where)
    values = np.empty(shape, dtype=np.int16)
    tally = HuTally()
    per_slice: list[str] = []
    for index, (stored, notes) in enumerate(stored_slices(ordered, pixels)):
        hu, found = slice_hu(ordered[index], stored, tally)
        values[index] = hu
        per_slice.extend(notes + found)
    tally.check_range(where)
    tally.check_jumps(where, tuple(image.name for image in ordered))
    return Volume(
        values=regrid(values, plan),
        hu_known=True,
        geometry=plan.geometry,
        provenance=Provenance(
            reader="dicom",
            name=name,
            slice_names=plan.names,
            warnings=(
                series.warnings
                + plan.warnings
                + tally.warnings(name)
                + once_per_code(per_slice, "slices")
                + _header_notes(ordered, name)
            ),
            derived=plan.derived or any(image.assumed or image.forced for image in ordered),
        ),
    )


def _check_voxels(shape: tuple[int, int, int], where: str) -> None:
    if shape[0] * shape[1] * shape[2] > MAX_VOXELS:
        raise ReadError(
            "E_TOO_LARGE",
            "the series holds more voxels than we read",
            where=where,
            expected=f"at most {MAX_VOXELS}",
            found=" x ".join(str(n) for n in shape),
            fix="Read a part of the series",
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
        "W_FORCED": sum(s.forced for s in ordered),
        "W_PREAMBLE": sum(_starts_as_program(path) for path in {s.path for s in ordered}),
    }
    meaning = {
        "W_MONOCHROME1": "are to be shown inverted; HU are unchanged",
        "W_LOSSY": "were compressed with loss",
        "W_BURNED_IN": "say that text is burned into the picture; it may identify the patient",
        "W_ASSUMED_HU": "have no rescale; stored values were taken for HU on request",
        "W_FORCED": "lack their preamble or do not say how they are encoded; read on request",
        "W_PREAMBLE": "begin like an executable program; the preamble was not used",
    }
    return tuple(
        f"{code} {name}: {count} slices {meaning[code]}" for code, count in found.items() if count
    )


def _starts_as_program(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4).startswith(_EXECUTABLES)
