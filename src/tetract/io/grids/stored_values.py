"""Stored numbers of a volume file as Hounsfield units or grey levels, in axial order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int16, Shaped, UInt8

from tetract.errors import ReadError
from tetract.io.grids.stored_grid import StoredGrid, StoredVolume
from tetract.io.hu_checks import HuTally, settle_slice
from tetract.io.options import ReadOptions
from tetract.io.orientation import canonical
from tetract.io.sniff import Kind, extension_warnings
from tetract.types import Geometry, Provenance, Volume

# Where a volume has nothing below this, it shows neither lung nor the air around a body.
_NO_AIR_HU = -200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """Values with what was noticed about them."""

    values: Shaped[np.ndarray, "D H W"]
    warnings: tuple[str, ...]
    derived: bool = False


def volume_from(stored: StoredVolume, path: Path, kind: Kind, options: ReadOptions) -> Volume:
    """The volume of one file: (D, H, W) in axial order (see ``orientation.canonical``).

    int16 HU, or uint8 grey levels with ``options.as_grey``.

    Raises:
        ReadError: ``E_NONFINITE``, ``E_NOT_HU``, ``E_HU_RANGE`` or ``E_GREY_RANGE``.
    """
    settle = _grey if options.as_grey else _hounsfield
    settled = settle(stored, options, path.name)
    values, geometry = oriented(settled.values, stored.grid)
    return Volume(
        values=values,
        hu_known=not options.as_grey,
        geometry=geometry,
        provenance=Provenance(
            reader="nifti" if kind is Kind.NIFTI_GZ else kind.value,
            name=path.name,
            slice_names=tuple(f"{k:04d}" for k in range(values.shape[0])),
            warnings=extension_warnings(path, kind) + stored.grid.warnings + settled.warnings,
            derived=settled.derived or stored.grid.derived,
        ),
    )


def oriented(
    values: Shaped[np.ndarray, "D H W"], grid: StoredGrid
) -> tuple[Shaped[np.ndarray, "D2 H2 W2"], Geometry | None]:
    """``(k, j, i)`` values in axial order with their grid; unchanged where it is unknown."""
    if grid.lps is None:
        return values, None
    depth, height, width = values.shape
    turned, geometry = canonical(values, Geometry(affine=grid.lps, shape=(depth, height, width)))
    if values.strides == (0, 0, 0):  # only the shape is asked for
        return turned, geometry
    return np.ascontiguousarray(turned), geometry


def axial_depth(grid: StoredGrid) -> int:
    """Number of axial slices, without touching a voxel."""
    nothing = np.broadcast_to(np.zeros(1, dtype=np.int8), grid.shape[::-1])
    return int(oriented(nothing, grid)[0].shape[0])


def scaled_slices(stored: StoredVolume, where: str) -> Iterator[Float64[np.ndarray, "J I"]]:
    """Each stored slice as (row, column) float64 after scaling.

    Raises:
        ReadError: ``E_NONFINITE`` with the number of such voxels.
    """
    for k in range(stored.grid.shape[2]):
        numbers = _scaled(stored, k)
        if bad := _not_finite(numbers):
            raise _nonfinite_error(bad, k, where)
        yield numbers


def _scaled(stored: StoredVolume, k: int) -> Float64[np.ndarray, "J I"]:
    grid = stored.grid
    numbers = stored.numbers[:, :, k].T.astype(np.float64)
    if grid.slope != 1.0 or grid.inter != 0.0:
        numbers = numbers * grid.slope + grid.inter
    return numbers


def _not_finite(numbers: Float64[np.ndarray, "J I"]) -> int:
    return int(numbers.size - np.isfinite(numbers).sum())


def _nonfinite_error(bad: int, k: int, where: str) -> ReadError:
    return ReadError(
        "E_NONFINITE",
        "voxels are NaN or infinite",
        where=where,
        expected="finite numbers",
        found=f"{bad} voxels in stored slice {k}, the first such slice",
        fix="Save the volume without them, or replace them knowingly with --nan-to=-1024",
    )


def _hounsfield(stored: StoredVolume, options: ReadOptions, where: str) -> _Settled:
    width, height, depth = stored.grid.shape
    values = np.empty((depth, height, width), dtype=np.int16)
    tally = HuTally()
    lowest = np.inf
    replaced = 0
    for k in range(depth):
        numbers = _scaled(stored, k)
        if bad := _not_finite(numbers):
            if options.nan_to_hu is None:
                raise _nonfinite_error(bad, k, where)
            replaced += bad
            holes = ~np.isfinite(numbers)
            # What is put in must not pass for the air that tells HU from other numbers.
            lowest = min(lowest, float(numbers[~holes].min(initial=np.inf)))
            numbers[holes] = options.nan_to_hu
        else:
            lowest = min(lowest, float(numbers.min()))
        values[k] = settle_slice(numbers, None, tally, where)
    tally.check_range(where)
    notes = tally.warnings(where) + _check_air(values, lowest, options, where)
    if replaced:
        notes += (
            f"W_NAN_REPLACED {where}: {replaced} NaN or infinite voxels were set to"
            f" {options.nan_to_hu} HU on request",
        )
    return _Settled(values=values, warnings=notes, derived=bool(replaced) or lowest >= 0)


def _check_air(
    values: Int16[np.ndarray, "D H W"], lowest: float, options: ReadOptions, where: str
) -> tuple[str, ...]:
    if lowest >= 0 and not options.assume_hu:
        raise ReadError(
            "E_NOT_HU",
            "nothing lies below 0, so these are not Hounsfield units of a chest"
            " (a windowed picture, HU + 1024, or a mask)",
            where=where,
            expected="air near -1000 HU",
            found=f"minimum {lowest:g}",
            fix="Convert from DICOM with rescale; or allow it with --assume-hu, or --as-grey for"
            " grey levels 0 to 255",
        )
    notes: list[str] = []
    if lowest >= 0:
        notes.append(f"W_ASSUMED_HU {where}: stored values were taken for HU on request")
    if int(values.min()) == int(values.max()):
        notes.append(f"W_CONSTANT {where}: every voxel is {int(values.min())} HU")
    elif int(values.min()) > _NO_AIR_HU:
        notes.append(f"W_NO_AIR {where}: no voxel lies below {_NO_AIR_HU} HU; is this a chest CT?")
    return tuple(notes)


def _grey(stored: StoredVolume, options: ReadOptions, where: str) -> _Settled:
    if options.assume_hu or options.nan_to_hu is not None:
        raise ReadError(
            "E_OPTION_UNFIT",
            "grey levels were asked for together with a switch that is about HU",
            where=where,
            expected="--as-grey without --assume-hu and --nan-to",
            fix="Leave one of them out",
        )
    width, height, depth = stored.grid.shape
    values: UInt8[np.ndarray, "D H W"] = np.empty((depth, height, width), dtype=np.uint8)
    rounded = False
    for k, numbers in enumerate(scaled_slices(stored, where)):
        lowest, highest = float(numbers.min()), float(numbers.max())
        if lowest < 0 or highest > 255:
            raise ReadError(
                "E_GREY_RANGE",
                "these are not the 8-bit grey levels that were asked for",
                where=where,
                expected="0 to 255",
                found=f"{lowest:g} to {highest:g} in stored slice {k}",
                fix="Leave out --as-grey",
            )
        whole = np.rint(numbers)
        rounded = rounded or not np.array_equal(whole, numbers)
        values[k] = whole
    notes = (f"W_ROUNDED {where}: values were rounded to whole grey levels",) if rounded else ()
    return _Settled(values=values, warnings=notes)
