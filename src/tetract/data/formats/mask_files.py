"""Label maps that an importer makes, under ``masks`` in the dataset folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from tetract.data.import_place import ImportPlace
from tetract.io import make_folder, write_nifti_labels, write_png
from tetract.types import Geometry

MASKS = "masks"
_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskFiles:
    """Where an import's masks go.

    A file is named after its content, so the same import again writes the same names, and another
    import into the same folder replaces no mask by a different one.

    Attributes:
        place: The import; its ``settled`` rows name the masks as they will lie at the end.
    """

    place: ImportPlace

    def write_volume(
        self, stem: str, labels: UInt8[np.ndarray, "D H W"], geometry: Geometry
    ) -> Path:
        """Write labels as NIfTI on their grid; the path of the file.

        Raises:
            MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
        """
        place = geometry.affine.tobytes() + repr(geometry.shape).encode()
        path = self._path(stem, labels.tobytes() + place, ".nii.gz")
        if not path.exists():
            write_nifti_labels(path, labels, geometry)
        return path

    def write_picture(self, stem: str, labels: UInt8[np.ndarray, "H W"]) -> Path:
        """Write labels as PNG; the path of the file.

        Raises:
            MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
        """
        path = self._path(stem, labels.tobytes() + repr(labels.shape).encode(), ".png")
        if not path.exists():
            write_png(path, labels)
        return path

    def _path(self, stem: str, content: bytes, suffix: str) -> Path:
        folder = self.place.part / MASKS
        make_folder(folder)
        return folder / f"{stem}-{hashlib.sha256(content).hexdigest()[:_DIGITS]}{suffix}"
