"""Chest-like slices and findings about them, for the tests of the report room."""

from __future__ import annotations

import numpy as np

from tetract.types import (
    Findings,
    Geometry,
    LabelSpace,
    LesionBox,
    Provenance,
    SliceFindings,
    Task,
)

SPACE = LabelSpace(
    classes=("normal", "pneumonia", "nodule"),
    mask_classes=("lung", "infection"),
    box_classes=("nodule",),
)


def chest(size: int = 128, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A grey slice in [0, 1], its lung mask and its infection mask."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    body = (x / 0.46) ** 2 + (y / 0.36) ** 2 < 1
    lung = ((np.abs(x) - 0.2) / 0.15) ** 2 + ((y + 0.01) / 0.24) ** 2 < 1
    infection = lung & ((x - 0.2) ** 2 + (y - 0.1) ** 2 < 0.075**2)
    values = np.full((size, size), 0.02)
    values[body] = 0.72
    values[lung] = 0.13
    values[infection] = 0.42
    values[(x + 0.22) ** 2 + (y + 0.05) ** 2 < 0.025**2] = 0.75
    values[(x / 0.05) ** 2 + ((y - 0.27) / 0.05) ** 2 < 1] = 0.98
    return np.clip(values + rng.normal(0, 0.035, values.shape), 0, 1), lung, infection


def one_slice(index: int, size: int = 128, *, name: str = "", found: bool = True) -> SliceFindings:
    """Findings of all four heads about ``chest``."""
    image, lung, infection = chest(size, index)
    x0, y0 = 0.245 * size, 0.415 * size
    nodule = LesionBox(
        label="nodule",
        score=0.93 - 0.01 * (index % 40),
        xyxy_px=(x0, y0, x0 + 0.07 * size, y0 + 0.07 * size),
        size_mm=(9.8, 9.8),
    )
    smooth = (image + np.roll(image, 1, 0) + np.roll(image, 1, 1) + np.roll(image, -1, 0)) / 4
    return SliceFindings(
        index=index,
        name=name or f"slice {index}",
        class_probabilities=np.array([0.08, 0.21, 0.71], dtype=np.float32),
        masks=np.stack([lung, infection if found else np.zeros_like(infection)]),
        boxes=(nodule,) if found else (),
        reconstruction=smooth.astype(np.float32),
        residual=np.abs(smooth - image).astype(np.float32),
    )


def study(
    depth: int = 3, size: int = 128, *, name: str = "phantom-01", on_grid: bool = True
) -> tuple[Findings, list[np.ndarray]]:
    """A study of ``depth`` slices and its pictures."""
    grid = Geometry(affine=np.diag([2.5, 0.8, 0.8, 1.0]), shape=(depth, size, size))
    findings = Findings(
        slices=tuple(one_slice(at, size, found=at % 3 != 2) for at in range(depth)),
        tasks=tuple(Task),
        label_space=SPACE,
        geometry=grid if on_grid else None,
        window_hu=(-1000.0, 400.0),
        provenance=Provenance(
            reader="dicom" if on_grid else "png",
            name=name,
            slice_names=tuple(f"slice {at}" for at in range(depth)),
            warnings=("W_LOCALIZER_DROPPED: 1 localizer image was left out",),
        ),
        model="demo-resnet18 (3f9ac1d2)",
    )
    return findings, [chest(size, at)[0] for at in range(depth)]


def headless(index: int = 0) -> SliceFindings:
    """A slice on which no head ran."""
    return SliceFindings(index=index, name="slice")
