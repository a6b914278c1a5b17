"""What the header of a volume file says about its voxels, whatever the format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Shaped

from tetract.errors import ReadError

MAX_VOXELS = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredGrid:
    """A checked header of NIfTI, MetaImage or NRRD.

    Attributes:
        shape: ``(i, j, k)`` as stored, ``i`` running fastest.
        dtype: Of the stored numbers, with their byte order.
        slope: Stored numbers times ``slope`` plus ``inter`` are the values.
        inter: See ``slope``.
        lps: (4, 4) float64, ``(k, j, i, 1)`` to LPS mm, or None where the file does not say.
        warnings: One line each.
        derived: Whether the place in the patient was chosen on the user's request.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    slope: float = 1.0
    inter: float = 0.0
    lps: Float64[np.ndarray, "4 4"] | None
    warnings: tuple[str, ...] = ()
    derived: bool = False

    @property
    def data_bytes(self) -> int:
        """Bytes of voxel data that the header promises."""
        return self.shape[0] * self.shape[1] * self.shape[2] * int(self.dtype.itemsize)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVolume:
    """Stored numbers with their header.

    Attributes:
        numbers: (i, j, k), before scaling.
        grid: Their header.
    """

    numbers: Shaped[np.ndarray, "I J K"]
    grid: StoredGrid


def three_sizes(dims: list[int], where: str) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    """Three sizes out of a header's dimensions; trailing ones of length 1 are dropped.

    Raises:
        ReadError: ``E_DIMS`` or ``E_TOO_LARGE``, before anything is allocated.
    """
    extra = dims[3:]
    if len(dims) < 3 or min(dims) < 1 or any(n != 1 for n in extra):
        raise ReadError(
            "E_DIMS",
            "this is not one three-dimensional volume",
            where=where,
            expected="3 positive dimensions",
            found=" x ".join(str(n) for n in dims[:8]) or "no dimensions",
            fix="Save one volume per file",
        )
    i, j, k = dims[:3]
    if i * j * k > MAX_VOXELS:
        raise ReadError(
            "E_TOO_LARGE",
            "the header claims more voxels than we read",
            where=where,
            expected=f"at most {MAX_VOXELS}",
            found=f"{i} x {j} x {k}",
            fix="Check the file; crop it if it really is this large",
        )
    notes = (f"W_SQUEEZED {where}: dropped {len(extra)} dimensions of length 1",) if extra else ()
    return (i, j, k), notes
