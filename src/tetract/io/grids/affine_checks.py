"""Whether a matrix can be the grid of a CT: finite, of a plausible size, at right angles."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from tetract.errors import GeometryError
from tetract.io.right_angles import MAX_SHEAR, at_right_angles, is_slightly_sheared, shear_of

SPACING_RANGE_MM = (0.01, 50.0)


def settle_affine(
    affine: Float64[np.ndarray, "4 4"], where: str
) -> tuple[Float64[np.ndarray, "4 4"], tuple[str, ...]]:
    """The grid of a volume file at right angles, and ``W_SHEAR_REPAIRED`` where it was not.

    Spacing and first voxel stay. Up to a shear of 1e-4 the grid is left as it is; beyond 0.1 deg
    it is refused.

    Raises:
        GeometryError: See ``check_affine``.
    """
    check_affine(affine, where)
    if not is_slightly_sheared(affine):
        return affine, ()
    mended = at_right_angles(affine)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    moved = float(np.linalg.norm((mended - affine)[:3, :3] / spacing, axis=0).max())
    return mended, (
        f"W_SHEAR_REPAIRED {where}: axes {_degrees(affine):.3f} deg off right angles were set"
        f" right; a voxel 100 mm from the first one moves by at most {100 * moved:.3f} mm",
    )


def check_affine(affine: Float64[np.ndarray, "4 4"], where: str) -> None:
    """Refuse a grid whose steps (columns 0 to 2) no CT can have.

    Raises:
        GeometryError: ``E_SINGULAR_AFFINE``, ``E_SPACING_RANGE`` or ``E_SHEAR``.
    """
    finite = bool(np.isfinite(affine).all())
    spacing = np.linalg.norm(affine[:3, :3], axis=0) if finite else np.zeros(3)
    told = " x ".join(f"{mm:.4g}" for mm in spacing) + " mm"
    if not finite or float(spacing.min()) == 0.0:
        raise GeometryError(
            "E_SINGULAR_AFFINE",
            "the affine has an axis without length or values that are not finite",
            where=where,
            found=told if finite else "NaN or infinity",
            fix="Convert the volume from its DICOM series again",
        )
    low, high = SPACING_RANGE_MM
    if float(spacing.min()) < low or float(spacing.max()) > high:
        raise GeometryError(
            "E_SPACING_RANGE",
            "the voxel spacing cannot be that of a CT in millimetres",
            where=where,
            expected=f"{low:g} to {high:g} mm",
            found=told,
            fix="Check the unit of length in the header",
        )
    shear = shear_of(affine)
    if shear > 0.999:
        raise GeometryError(
            "E_SINGULAR_AFFINE",
            "two axes of the affine are parallel",
            where=where,
            found=told,
            fix="Convert the volume from its DICOM series again",
        )
    if shear > MAX_SHEAR:
        raise GeometryError(
            "E_SHEAR",
            "the axes are not at right angles (a tilted gantry, or a registration)",
            where=where,
            expected="90 deg within 0.1 deg",
            found=f"off by {_degrees(affine):.2f} deg",
            fix="Resample the volume to an orthogonal grid",
        )


def _degrees(affine: Float64[np.ndarray, "4 4"]) -> float:
    return float(np.rad2deg(np.arcsin(min(1.0, shear_of(affine)))))
