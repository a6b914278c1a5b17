"""One image with one label map, as nnU-Net and the decathlon lay them out, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tetract.data.cells import ALL, SliceIndex, Split
from tetract.data.finish_import import Skipped
from tetract.data.formats.class_names import source_name
from tetract.data.formats.label_values import LabelValues
from tetract.data.formats.mask_cells import CaseMasks, case_masks
from tetract.data.formats.mask_files import MaskFiles
from tetract.data.formats.patient_rule import PatientRule
from tetract.data.read_image import labels_in_order, read_image, source_of
from tetract.data.table import Row
from tetract.errors import InputError
from tetract.io import read_label_map
from tetract.types import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An image and its label map.

    Attributes:
        number: Its entry, as the foreign layout counts them from 1.
        name: Its name in that layout.
        image: The CT.
        label: Its label map, or None where nobody labelled it.
        split: Where the layout puts it.
    """

    number: int
    name: str
    image: Path
    label: Path | None
    split: Split = Split.UNASSIGNED


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSettings:
    """What is the same for all cases of an import.

    Attributes:
        source: Name of the source; that of grey levels ends in ``-grey``.
        values: What voxel values mean.
        files: Where derived masks go.
        patients: How a case's name gives its patient.
        grey: Whether volumes of 0 to 255 are taken as grey levels instead of being refused.
    """

    source: str
    values: LabelValues
    files: MaskFiles
    patients: PatientRule = field(default_factory=PatientRule)
    grey: bool = False


def case_outcomes(cases: Sequence[Case], settings: CaseSettings) -> list[Row | Skipped]:
    """The rows of all cases; a case that cannot be used is skipped and told."""
    outcomes: list[Row | Skipped] = []
    for case in cases:
        try:
            outcomes += case_rows(case, settings)
        except InputError as error:
            outcomes.append(Skipped(number=case.number, reason=str(error), declared=False))
    return outcomes


def case_rows(case: Case, settings: CaseSettings) -> list[Row]:
    """One row for all slices, or one per slice where a voxel of the map is unlabelled.

    Raises:
        InputError: What is wrong with its files; ``E_SHAPE_MISMATCH`` or ``E_AFFINE_MISMATCH``
            for two grids, ``E_LABEL_UNKNOWN`` for values without a class.
    """
    volume = read_image(case.image, grey=settings.grey)
    masks = None
    if case.label is not None:
        labels = labels_in_order(volume, read_label_map(case.label))
        stem = source_name(case.name, "case")
        masks = case_masks(labels, case.label, settings.values, settings.files, stem)
    if masks is None or not masks.unlabelled.any():
        index = None if volume.depth == 1 else ALL
        return [_row(case, settings, volume, masks, index)]
    if volume.depth == 1:
        return [_row(case, settings, volume, None, None)]
    return [_row(case, settings, volume, masks, index) for index in range(volume.depth)]


def _row(
    case: Case,
    settings: CaseSettings,
    volume: Volume,
    masks: CaseMasks | None,
    index: SliceIndex,
) -> Row:
    cell = None
    if masks is not None:
        cell = masks.of_slice(index) if isinstance(index, int) else masks.whole()
    return Row(
        image=case.image.absolute(),
        source=source_of(settings.source, hu_known=volume.hu_known),
        slice=index,
        patient=settings.patients.of(case.name),
        split=case.split,
        mask=cell,
        note="; ".join(volume.provenance.warnings),
        number=case.number,
    )
