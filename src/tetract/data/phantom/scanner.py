"""What a scanner does to a chest: blur, offset, cupping, noise, a table or none.

The scanners are invented. They differ the way makes and protocols do, so that a model that learns
one of them by heart fails on the next; none of them prefers a class of patients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int16
from scipy import ndimage

from tetract.data.phantom.anatomy import Anatomy
from tetract.data.phantom.grid import Grid, cover, paint


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """One invented scanner.

    Attributes:
        name: Used as the source of its rows.
        field_mm: Side of the square field of view; pixels are this over the image's size.
        noise_hu: Standard deviation of the noise.
        grain_mm: Correlation length of the noise within a slice.
        blur_mm: Standard deviation of the in-plane point spread.
        offset_hu: Constant error.
        cupping_hu: How much too dark the middle of the body is (beam hardening).
        table: Whether the bed is in the field of view.
    """

    name: str
    field_mm: float
    noise_hu: float
    grain_mm: float
    blur_mm: float
    offset_hu: float
    cupping_hu: float
    table: bool


SCANNERS = (
    Scanner(
        name="scanner-a",
        field_mm=320.0,
        noise_hu=30.0,
        grain_mm=1.5,
        blur_mm=0.9,
        offset_hu=0.0,
        cupping_hu=0.0,
        table=False,
    ),
    Scanner(
        name="scanner-b",
        field_mm=332.8,
        noise_hu=38.0,
        grain_mm=2.2,
        blur_mm=1.6,
        offset_hu=9.0,
        cupping_hu=15.0,
        table=True,
    ),
    Scanner(
        name="scanner-c",
        field_mm=345.6,
        noise_hu=45.0,
        grain_mm=1.8,
        blur_mm=1.2,
        offset_hu=-11.0,
        cupping_hu=28.0,
        table=True,
    ),
)


def scan(
    rng: np.random.Generator, grid: Grid, anatomy: Anatomy, hu: np.ndarray, scanner: Scanner
) -> tuple[Int16[np.ndarray, "D H W"], Int16[np.ndarray, "D H W"]]:
    """Turn a patient into an image.

    Args:
        rng: Source of the noise.
        grid: Grid of ``hu``.
        anatomy: Gives the body, for cupping, and the trunk's place, for the table.
        hu: (D, H, W) the patient with vessels and lesions, in HU.
        scanner: The scanner.

    Returns:
        ``(noisy, clean)``, both (D, H, W) int16 HU: the scan, and the same scan without noise.
    """
    if scanner.table:
        hu = paint(hu, _table(grid, anatomy), -250.0)
    blur = scanner.blur_mm / grid.pixel_mm
    clean = ndimage.gaussian_filter(hu, (0, blur, blur), mode="nearest")
    x, y = grid.x - anatomy.build.centre[0], grid.y - anatomy.build.centre[1]
    rim = (x / anatomy.build.body[0]) ** 2 + (y / anatomy.build.body[1]) ** 2
    clean = clean + scanner.offset_hu
    clean = clean - scanner.cupping_hu * np.clip(1 - rim, 0, 1) * anatomy.body
    noisy = clean + scanner.noise_hu * _grain(rng, grid, scanner.grain_mm)
    return _to_int16(noisy), _to_int16(clean)


def _grain(rng: np.random.Generator, grid: Grid, length_mm: float) -> Float[np.ndarray, "D H W"]:
    """Noise of variance 1, correlated within a slice and independent between slices."""
    sigma = length_mm / grid.pixel_mm
    field = ndimage.gaussian_filter(rng.standard_normal(grid.shape), (0, sigma, sigma), mode="wrap")
    return field / field.std()


def _table(grid: Grid, anatomy: Anatomy) -> Float[np.ndarray, "D H W"]:
    """A shallow shell under the back, 8 mm thick; the skin presses into it."""
    x, y = grid.x - anatomy.build.centre[0], grid.y - anatomy.build.centre[1]
    shell = 4 - np.abs(y - anatomy.build.body[1] - 9 + (x / 40) ** 2)
    return cover(np.broadcast_to(shell, grid.shape), grid.pixel_mm) * (1 - anatomy.body)


def _to_int16(values: np.ndarray) -> Int16[np.ndarray, "D H W"]:
    return np.clip(np.rint(values), -1024, 3071).astype(np.int16)
