"""Whether a matrix can be the grid of a CT: finite, of a plausible size, at right angles."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from tetract.errors import GeometryError

SPACING_RANGE_MM = (0.01, 50.0)
# The same angle as a gantry tilt: below it, a sheared grid is a rounding error.
MAX_SHEAR = float(np.sin(np.deg2rad(0.1)))


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
    cosines = affine[:3, :3] / spacing
    overlap = np.abs(cosines.T @ cosines - np.eye(3))
    if float(overlap.max()) > 0.999:
        raise GeometryError(
            "E_SINGULAR_AFFINE",
            "two axes of the affine are parallel",
            where=where,
            found=told,
            fix="Convert the volume from its DICOM series again",
        )
    if float(overlap.max()) > MAX_SHEAR:
        raise GeometryError(
            "E_SHEAR",
            "the axes are not at right angles (a tilted gantry, or a registration)",
            where=where,
            expected="90 deg within 0.1 deg",
            found=f"off by {np.rad2deg(np.arcsin(min(1.0, float(overlap.max())))):.2f} deg",
            fix="Resample the volume to an orthogonal grid",
        )
