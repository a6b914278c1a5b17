"""A phantom cohort on disk: DICOM series, label maps, and the dataset folder that joins them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import numpy as np

from tetract.data.card import CARD_NAME, DatasetCard, SourceCard
from tetract.data.cells import EMPTY, BoxEntry, MaskSource, Split
from tetract.data.load import write_dataset
from tetract.data.phantom.labels import LUNG, MASK_CLASSES, Told, deal_labels
from tetract.data.phantom.patient import (
    LESIONS,
    Finding,
    PhantomConfig,
    PhantomPatient,
    make_patient,
)
from tetract.data.table import TABLE_NAME, Row
from tetract.errors import InputError
from tetract.io import SeriesIdentity, write_dicom_series, write_nifti_labels
from tetract.io.atomic import make_folder

UNSEEN: Final = "unseen"
VALUES: Final = {LUNG: 1, Finding.NODULE: 2, Finding.GROUND_GLASS: 3}
_OURS: Final = frozenset({"images", "masks", UNSEEN, CARD_NAME, TABLE_NAME})

Progress = Callable[[int, int], None]


def write_phantom_cohort(
    folder: Path, config: PhantomConfig | None = None, progress: Progress | None = None
) -> Path:
    """Write a cohort and one unseen study; the same config gives the same bytes.

    The folder holds ``dataset.yaml``, ``table.csv``, ``images/p000/`` (one DICOM series per
    patient), ``masks/p000-lung.nii.gz`` (value 1) and ``masks/p000-lesions.nii.gz`` (2 nodule,
    3 ground glass), and ``unseen/``, a series that stands in no table. It appears whole or not at
    all; an earlier phantom there is replaced.

    Args:
        folder: Where to write.
        config: The cohort; the default one when None.
        progress: Called with patients done and patients in all.

    Returns:
        ``folder``.

    Raises:
        InputError: ``E_OUT_NOT_EMPTY`` when the folder holds anything else than a phantom.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    config = config or PhantomConfig()
    _check_place(folder)
    part = folder.with_name(f".{folder.name}.part").absolute()
    _remove(part)
    try:
        _write_all(part, config, progress)
        _remove(folder)
        part.replace(folder)
    finally:
        _remove(part)
    return folder


def phantom_card(config: PhantomConfig) -> DatasetCard:
    """The card of a cohort: one source per scanner, all with the same labels."""
    sources = tuple(
        SourceCard(
            name=scanner.name,
            citation="TetraCT phantom; no patient",
            licence="Apache-2.0",
            hu_known=True,
            mask_classes=MASK_CLASSES,
            box_classes=tuple(str(lesion) for lesion in LESIONS),
            class_unit="slice",
            normal_class=str(Finding.NORMAL),
            normal_means_lesion_free=True,
            patient_ids="known",
            group_by="phantom patient",
            notes="synthetic; train labels are withheld on purpose",
        )
        for scanner in config.scanners
    )
    return DatasetCard(
        name="phantom",
        description="Synthetic chest CT with exact truth. It shows that a pipeline works and is "
        "no evidence about patients. Research use only.",
        classes=tuple(str(finding) for finding in Finding),
        mask_classes=MASK_CLASSES,
        box_classes=tuple(str(lesion) for lesion in LESIONS),
        sources=sources,
    )


def _write_all(part: Path, config: PhantomConfig, progress: Progress | None) -> None:
    patients: list[PhantomPatient] = []
    for index in range(config.total + 1):  # the one beyond the cohort is the unseen study
        patient = make_patient(config, index)
        if index < config.total:
            patients.append(patient)
            _write_masks(part, patient)
        _write_series(_series_folder(part, patient), patient, config)
        if progress is not None:
            progress(index + 1, config.total + 1)
    told = deal_labels(config, patients)
    rows = [
        _row(part, patient, index, known)
        for patient, slices in zip(patients, told, strict=True)
        for index, known in enumerate(slices)
    ]
    write_dataset(part, phantom_card(config), rows)


def _series_folder(root: Path, patient: PhantomPatient) -> Path:
    return root / UNSEEN if patient.role.split == UNSEEN else root / "images" / patient.name


def _write_series(folder: Path, patient: PhantomPatient, config: PhantomConfig) -> None:
    identity = SeriesIdentity(
        seed=f"phantom {config.seed} {config.size_px} {patient.name}",
        patient=f"PHANTOM-{patient.name}",
        manufacturer=f"TetraCT {patient.role.scanner.name}",
    )
    write_dicom_series(folder, patient.volume, series=identity)


def _mask_path(root: Path, patient: PhantomPatient, name: str) -> Path:
    # Lungs have a file of their own: they include the lesions, and a voxel holds one value.
    return root / "masks" / f"{patient.name}-{LUNG if name == LUNG else 'lesions'}.nii.gz"


def _write_masks(root: Path, patient: PhantomPatient) -> None:
    make_folder(root / "masks")
    geometry = patient.volume.geometry
    lung = patient.lung.astype(np.uint8) * VALUES[LUNG]
    write_nifti_labels(_mask_path(root, patient, LUNG), lung, geometry)
    for lesion in LESIONS:
        mask = patient.mask(lesion)
        if mask.any():
            values = mask.astype(np.uint8) * VALUES[lesion]
            write_nifti_labels(_mask_path(root, patient, lesion), values, geometry)


def _row(root: Path, patient: PhantomPatient, index: int, told: Told) -> Row:
    masks: dict[str, MaskSource | Literal["empty"]] = {
        name: _mask_cell(root, patient, index, name) for name in told.masks
    }
    finding = patient.classes[index]
    return Row(
        image=_series_folder(root, patient),
        source=patient.role.scanner.name,
        slice=index,
        patient=patient.name,
        study=patient.name,
        series=patient.name,
        split=Split(patient.role.split),
        label=frozenset({str(finding)}) if told.label else None,
        mask=masks or None,
        boxes=_box_cell(patient, index) if told.boxes else None,
    )


def _mask_cell(
    root: Path, patient: PhantomPatient, index: int, name: str
) -> MaskSource | Literal["empty"]:
    whole = patient.lung if name == LUNG else patient.mask(Finding(name))
    if not whole[index].any():
        return EMPTY
    return MaskSource(path=_mask_path(root, patient, name), value=VALUES[name])


def _box_cell(patient: PhantomPatient, index: int) -> tuple[BoxEntry, ...]:
    boxes = patient.boxes(index)
    return tuple(
        BoxEntry(label=str(LESIONS[label]), xyxy=(x0, y0, x1, y1))
        for label, (x0, y0, x1, y1) in zip(boxes.labels.tolist(), boxes.xyxy.tolist(), strict=True)
    )


def _check_place(folder: Path) -> None:
    """Refuse to replace anything that is not a phantom."""
    if not folder.exists():
        return
    inside = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    strangers = sorted(inside - _OURS)
    if strangers or (inside and not _is_phantom(folder)):
        raise InputError(
            "E_OUT_NOT_EMPTY",
            "this place holds something else than an earlier phantom",
            where=folder.name,
            found=strangers[0] if strangers else "another data set",
            fix="Give a new or empty folder",
        )


def _is_phantom(folder: Path) -> bool:
    card = folder / CARD_NAME
    return card.is_file() and card.read_text(encoding="utf-8").startswith("name: phantom\n")


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
