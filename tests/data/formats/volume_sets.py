"""Small volumes and label maps on disk, as nnU-Net and others lay them out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tetract.io import write_nifti_labels, write_nifti_volume
from tetract.types import Geometry

SHAPE = (4, 6, 5)


def a_grid(
    shape: tuple[int, int, int] = SHAPE, *, shift_mm: float = 0.0, order: str = "axial"
) -> Geometry:
    """2.5 mm slices of 0.7 x 0.8 mm voxels; ``sagittal`` stores the patient's x slowest."""
    affine = np.eye(4)
    steps = np.diag([0.8, 0.7, 2.5])[:, [2, 1, 0]]  # slice z, row y, column x
    if order == "sagittal":
        steps = np.diag([0.8, 0.7, -2.5])[:, [0, 2, 1]]
    affine[:3, :3] = steps
    affine[:3, 3] = [-100.0 + shift_mm, -80.0, 30.0]
    return Geometry(affine=affine, shape=shape)


def some_hu(seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """HU from air to bone; the first voxel is air."""
    values = np.random.default_rng(seed).integers(-1024, 1500, shape).astype(np.int16)
    values.flat[0] = -1000
    return values


def some_grey(seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def a_label(*voxels: tuple[int, int, int, int], shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """A label map with (slice, row, column, value) set."""
    labels = np.zeros(shape, dtype=np.uint8)
    for k, j, i, value in voxels:
        labels[k, j, i] = value
    return labels


def put_volume(path: Path, values: np.ndarray, grid: Geometry | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_nifti_volume(path, values, grid or a_grid(values.shape))
    return path


def put_labels(path: Path, labels: np.ndarray, grid: Geometry | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_nifti_labels(path, labels, grid or a_grid(labels.shape))
    return path


def put_json(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def raw_folder(root: Path, cases: dict[str, np.ndarray], **changes: object) -> Path:
    """An nnU-Net raw folder, one CT per label map; keys of dataset.json as given."""
    for number, (name, label) in enumerate(cases.items()):
        put_volume(root / "imagesTr" / f"{name}_0000.nii.gz", some_hu(number, label.shape))
        put_labels(root / "labelsTr" / f"{name}.nii.gz", label)
    meta: dict[str, object] = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, "lung": 1, "tumour": 2},
        "numTraining": len(cases),
        "file_ending": ".nii.gz",
        "name": "toy",
    }
    meta = {key: value for key, value in (meta | changes).items() if value is not None}
    put_json(root / "dataset.json", meta)
    return root
