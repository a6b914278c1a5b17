"""Grey values as a file gave them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from tetract.errors import InputError
from tetract.types.geometry import Geometry


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where values came from, without any patient identifier.

    Attributes:
        reader: ``dicom``, ``nifti``, ``metaimage``, ``nrrd``, ``png``, ``jpeg`` or ``tiff``.
        name: Base name of the file or folder that was read.
        slice_names: One short name per slice (file base name or slice number).
        warnings: What was repaired or looked odd, one line each, beginning with a ``W_`` code.
        derived: True when values were interpolated or assumed on the user's explicit request.
    """

    reader: str
    name: str
    slice_names: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    derived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One stack of slices, or one slice as a stack of depth 1.

    Attributes:
        values: (D, H, W). int16 Hounsfield units when ``hu_known``; otherwise uint8 or uint16
            grey values of a picture whose window is lost.
        hu_known: Whether ``values`` are Hounsfield units.
        geometry: Voxel grid, or None where the file has none (a PNG); never guessed.
        provenance: Where the values came from.
    """

    values: Shaped[np.ndarray, "D H W"]
    hu_known: bool
    geometry: Geometry | None
    provenance: Provenance

    @property
    def depth(self) -> int:
        """Number of slices."""
        return int(self.values.shape[0])

    @property
    def hu(self) -> Shaped[np.ndarray, "D H W"]:
        """Hounsfield units, (D, H, W) int16.

        Raises:
            InputError: ``E_NOT_HU`` when the values are grey levels of a picture.
        """
        if not self.hu_known:
            raise InputError(
                "E_NOT_HU",
                "these are grey values of a picture, not Hounsfield units",
                where=self.provenance.name,
                fix="Give the original DICOM or NIfTI where HU are needed",
            )
        return self.values
