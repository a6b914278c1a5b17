"""The mask cells of a case, from its label map and the meaning of the map's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from tetract.data.cells import EMPTY, MaskCell, MaskSource
from tetract.data.formats.label_values import LabelValues, check_values
from tetract.data.formats.mask_files import MaskFiles
from tetract.errors import GeometryError
from tetract.io import LabelMap


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMasks:
    """The masks of one case.

    Attributes:
        sources: Class to its pixels; every class was looked for.
        shown: Class to (D,) whether a slice has a voxel of it.
        unlabelled: (D,) whether a slice has a voxel that nobody labelled.
    """

    sources: Mapping[str, MaskSource]
    shown: Mapping[str, Bool[np.ndarray, " D"]]
    unlabelled: Bool[np.ndarray, " D"]

    def whole(self) -> MaskCell:
        """The cell of a row that stands for all slices."""
        return {n: s if self.shown[n].any() else EMPTY for n, s in self.sources.items()}

    def of_slice(self, index: int) -> MaskCell | None:
        """The cell of one slice; unknown where a voxel of it is.

        A mask cannot say of one voxel that nobody looked, so the slice says it as a whole.
        """
        if self.unlabelled[index]:
            return None
        return {n: s if self.shown[n][index] else EMPTY for n, s in self.sources.items()}


def case_masks(
    labels: LabelMap, path: Path, known: LabelValues, files: MaskFiles, stem: str
) -> CaseMasks:
    """Say where each class is.

    A class of one value is the file itself and that value. A class of several (a region) becomes
    a label map of its own under ``masks`` in the dataset folder, unless the map holds no other.

    Args:
        labels: The map, in the order of its image.
        path: Its file.
        known: What its values mean.
        files: Where derived maps go.
        stem: Beginning of their names.

    Raises:
        LabelError: ``E_LABEL_UNKNOWN`` with voxel counts.
        GeometryError: ``E_NO_GEOMETRY`` for a region in a volume without a place in space.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    census = check_values(labels, known)
    present = {int(value) for value in np.flatnonzero(census.voxels)} - {0}
    sources: dict[str, MaskSource] = {}
    for name, values in known.classes.items():
        if len(values) == 1:
            sources[name] = MaskSource(path=path.absolute(), value=values[0])
        elif present <= set(values):  # whatever is drawn here is this class
            sources[name] = MaskSource(path=path.absolute())
        elif census.slices_with(values).any():
            sources[name] = MaskSource(path=_derived(labels, values, files, f"{stem}-{name}"))
        else:
            sources[name] = MaskSource(path=path.absolute(), value=values[0])
    ignored = () if known.ignore is None else (known.ignore,)
    return CaseMasks(
        sources=sources,
        shown={name: census.slices_with(values) for name, values in known.classes.items()},
        unlabelled=census.slices_with(ignored),
    )


def _derived(labels: LabelMap, values: tuple[int, ...], files: MaskFiles, stem: str) -> Path:
    region = np.isin(labels.values, values).astype(np.uint8)
    if labels.geometry is not None:
        return files.write_volume(stem, region, labels.geometry)
    if len(region) > 1:
        raise GeometryError(
            "E_NO_GEOMETRY",
            "a class of several values needs a mask of its own, and its place is unknown",
            where=labels.name,
            expected="an affine in the header",
            fix="Give each value a class of its own, or write the affine into the file",
        )
    return files.write_picture(stem, region[0])
