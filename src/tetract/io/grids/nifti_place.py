"""Where a NIfTI file says that its voxels lie: the sform, the qform, or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64
from nibabel.spatialimages import HeaderDataError

from tetract.errors import GeometryError, ReadError
from tetract.io.grids.affine_checks import settle_affine
from tetract.io.right_angles import at_right_angles, is_slightly_sheared

_UNITS = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The grid of a NIfTI file.

    Attributes:
        ras: (4, 4) ``(i, j, k, 1)`` to RAS mm, or None where no code gives a meaning.
        warnings: One line each.
        chosen: Whether two placements disagree and the user chose this one.
    """

    ras: Float64[np.ndarray, "4 4"] | None
    warnings: tuple[str, ...]
    chosen: bool = False


def place_in_ras(
    header: Any,
    shape: tuple[int, int, int],
    where: str,
    prefer: Literal["sform", "qform"] | None,
) -> Placement:
    """Read and check the placement.

    Raises:
        GeometryError: ``E_SINGULAR_AFFINE``, ``E_SHEAR``, ``E_SPACING_RANGE``,
            ``E_BAD_ORIENTATION``, or ``E_SFORM_QFORM`` where two disagree and none is preferred.
        ReadError: ``E_OPTION_UNFIT`` where the preferred one is not set.
    """
    scale, notes = _unit_scale(header, where)
    present = [name for name in ("sform", "qform") if int(header[f"{name}_code"]) > 0]
    if prefer is not None and prefer not in present:
        raise ReadError(
            "E_OPTION_UNFIT",
            f"the file has no {prefer} that could be preferred",
            where=where,
            found=" and ".join(present) or "neither",
            fix="Leave out --prefer",
        )
    if not present:
        return Placement(
            ras=None,
            warnings=(
                *notes,
                f"W_NO_ORIENTATION {where}: neither sform nor qform is set; spacing and"
                " orientation are unknown and voxels keep their stored order",
            ),
        )
    if prefer is not None:
        return _preferred(header, shape, where, prefer, (scale, notes, len(present) == 2))
    settled = [settle_affine(_matrix(header, name, scale, where), where) for name in present]
    if len(settled) == 2:
        apart, allowed = _apart_mm(settled[0][0], settled[1][0], shape)
        if apart > allowed:
            raise GeometryError(
                "E_SFORM_QFORM",
                "sform and qform place the volume differently",
                where=where,
                expected=f"the same corners within {allowed:.3g} mm",
                found=f"{apart:.3f} mm apart",
                fix="Keep the right one and set the other's code to 0, or choose one with --prefer",
            )
    return Placement(ras=settled[0][0], warnings=notes + settled[0][1])


def _preferred(
    header: Any,
    shape: tuple[int, int, int],
    where: str,
    prefer: Literal["sform", "qform"],
    known: tuple[float, tuple[str, ...], bool],
) -> Placement:
    """The placement that was asked for; the other one may be as wrong as it likes."""
    scale, notes, both = known
    ras, mended = settle_affine(_matrix(header, prefer, scale, where), where)
    notes += mended
    if not both:
        return Placement(ras=ras, warnings=notes)
    other = "qform" if prefer == "sform" else "sform"
    try:
        second = _matrix(header, other, scale, where)
        if is_slightly_sheared(second):
            second = at_right_angles(second)
        apart, allowed = _apart_mm(ras, second, shape)
    except GeometryError:
        apart, allowed = float("inf"), 0.0
    if apart <= allowed:
        return Placement(ras=ras, warnings=notes)
    told = f"{apart:.3f} mm" if np.isfinite(apart) else "beyond measure"
    line = f"W_FORM_CHOSEN {where}: {prefer} was taken on request; {other} lies {told} apart"
    return Placement(ras=ras, warnings=(*notes, line), chosen=True)


def _matrix(header: Any, name: str, scale: float, where: str) -> Float64[np.ndarray, "4 4"]:
    if name == "qform":
        return _in_mm(_qform(header, where), scale)
    return _in_mm(np.asarray(header.get_sform(), dtype=np.float64), scale)


def _apart_mm(
    one: Float64[np.ndarray, "4 4"],
    other: Float64[np.ndarray, "4 4"],
    shape: tuple[int, int, int],
) -> tuple[float, float]:
    """The largest distance between corners, and what is allowed."""
    corners = np.indices((2, 2, 2)).reshape(3, -1).T * (np.asarray(shape) - 1)
    apart = corners @ (one - other)[:3, :3].T + (one - other)[:3, 3]
    worst = float(np.linalg.norm(apart, axis=1).max())
    allowed = max(0.01, 0.01 * float(np.linalg.norm(one[:3, :3], axis=0).min()))
    return (worst, allowed) if np.isfinite(worst) else (float("inf"), allowed)


def _unit_scale(header: Any, where: str) -> tuple[float, tuple[str, ...]]:
    code = int(header["xyzt_units"]) & 7
    if code not in _UNITS:
        raise GeometryError(
            "E_SPACING_RANGE",
            "the unit of length is unknown",
            where=where,
            expected="metre, millimetre or micrometre",
            found=f"xyzt_units code {code}",
            fix="Correct the header",
        )
    scale = _UNITS[code]
    if scale == 1.0:
        return scale, ()
    return scale, (f"W_UNITS_CONVERTED {where}: lengths were converted to millimetres",)


def _in_mm(affine: Float64[np.ndarray, "4 4"], scale: float) -> Float64[np.ndarray, "4 4"]:
    scaled = affine.copy()
    scaled[:3] *= scale
    return scaled


def _qform(header: Any, where: str) -> Float64[np.ndarray, "4 4"]:
    try:
        return np.asarray(header.get_qform(), dtype=np.float64)
    except (HeaderDataError, ValueError):
        raise GeometryError(
            "E_BAD_ORIENTATION",
            "the qform is not a rotation",
            where=where,
            fix="Correct the header, or remove its qform and set an sform",
        ) from None
