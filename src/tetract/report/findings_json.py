"""Findings as plain JSON values, schema ``tetract.findings/1``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TypedDict

import numpy as np

from tetract.errors import InputError
from tetract.report.style import NOTICE
from tetract.types import Findings, Geometry, LesionBox, SliceFindings
from tetract.types.judgement import Judgement

SCHEMA = "tetract.findings/1"


class MaskRow(TypedDict):
    """One mask class over the whole study."""

    label: str
    pixels: int
    slices: int
    volume_ml: float | None


def findings_record(findings: Findings, files: Mapping[str, object]) -> dict[str, object]:
    """The whole record. ``None`` where a head is absent, an empty list where it found nothing.

    Args:
        findings: What the model said.
        files: Relative paths of what lies next to the record.

    Raises:
        InputError: ``E_NONFINITE`` when a probability, score or box is NaN or infinite.
    """
    check_finite(findings)
    source, space = findings.provenance, findings.label_space
    pooled = findings.class_probabilities
    return {
        "schema": SCHEMA,
        "notice": NOTICE,
        "software": _software(),
        "model": findings.model,
        "tasks": [str(task) for task in findings.tasks],
        "study": {
            "name": source.name,
            "reader": source.reader,
            "slices": len(findings.slices),
            "derived": source.derived,
            "warnings": list(source.warnings),
        },
        "geometry": None if findings.geometry is None else _grid(findings.geometry),
        "window_hu": [float(edge) for edge in findings.window_hu],
        "label_space": {
            "classes": list(space.classes),
            "mask_classes": list(space.mask_classes),
            "box_classes": list(space.box_classes),
        },
        "class_probabilities": None
        if pooled is None
        else {"pooling": "mean over slices", "values": pooled},
        "masks": mask_rows(findings),
        "calibration": list(findings.calibration) or None,
        "judgement": _judgement(findings.judgement),
        "slices": [_slice(found, findings) for found in findings.slices],
        "files": dict(files),
    }


def mask_rows(findings: Findings) -> list[MaskRow] | None:
    """Pixels of each mask class, and its volume where a grid of two or more slices is known.

    A single slice has an area but no volume: its thickness is not a distance between slices.
    """
    stacks = [found.masks for found in findings.slices if found.masks is not None]
    if not stacks:
        return None
    counts = np.array([mask.sum(axis=(1, 2)) for mask in stacks])  # (slices, K)
    voxel = None
    if findings.geometry is not None and findings.geometry.shape[0] > 1:
        voxel = abs(float(np.linalg.det(findings.geometry.affine[:3, :3]))) / 1000.0
    return [
        MaskRow(
            label=name,
            pixels=int(counts[:, k].sum()),
            slices=int((counts[:, k] > 0).sum()),
            volume_ml=None if voxel is None else int(counts[:, k].sum()) * voxel,
        )
        for k, name in enumerate(findings.label_space.mask_classes)
    ]


def check_finite(findings: Findings) -> None:
    """Refuse numbers that would make the record wrong or unreadable.

    Raises:
        InputError: ``E_NONFINITE`` naming the slice.
    """
    for found in findings.slices:
        numbers = (
            [float(p) for p in found.class_probabilities]
            if found.class_probabilities is not None
            else []
        )
        for box in found.boxes or ():
            numbers += [box.score, *box.xyxy_px, *(box.size_mm or ())]
        if not np.isfinite(numbers).all():
            raise InputError(
                "E_NONFINITE",
                "the model gave a probability, score or box that is not a number",
                where=f"slice {found.index}",
                fix="Nothing was written; check the model's weights",
            )


def _software() -> str:
    # Not ``tetract.__version__``: the package's front door knows rooms above this one.
    try:
        return f"tetract {version('tetract')}"
    except PackageNotFoundError:
        return "tetract"


def _slice(found: SliceFindings, findings: Findings) -> dict[str, object]:
    space = findings.label_space
    shares, boxes = found.class_probabilities, found.boxes
    return {
        "index": found.index,
        "name": found.name,
        "class_probabilities": None
        if shares is None
        else {name: float(p) for name, p in zip(space.classes, shares, strict=True)},
        "called": None if found.called is None else list(found.called),
        "lesions": None if boxes is None else [_lesion(box) for box in boxes],
        "masks": _areas(found, findings),
        "reconstruction_error": None
        if found.residual is None
        else {"mean_absolute": _mean(found), "unit": "share of the window"},
        "judgement": _judgement(found.judgement),
    }


def _judgement(said: Judgement | None) -> dict[str, object] | None:
    if said is None:
        return None
    return {
        "lesion_probability": said.evidence,
        "agreement": said.agreement,
        "class_set": None if said.class_set is None else list(said.class_set),
        "flags": [str(doubt) for doubt in said.doubts],
        "not_checked": [str(doubt) for doubt in said.unchecked],
        "abstain": said.abstain,
    }


def _areas(found: SliceFindings, findings: Findings) -> list[dict[str, object]] | None:
    if found.masks is None:
        return None
    pixel = None
    if findings.geometry is not None:
        row, column = findings.geometry.affine[:3, 1], findings.geometry.affine[:3, 2]
        pixel = float(np.linalg.norm(np.cross(row, column)))
    counts = [int(mask.sum()) for mask in found.masks]
    return [
        {"label": name, "pixels": count, "area_mm2": None if pixel is None else count * pixel}
        for name, count in zip(findings.label_space.mask_classes, counts, strict=True)
    ]


def _lesion(box: LesionBox) -> dict[str, object]:
    return {
        "label": box.label,
        "score": float(box.score),
        "probability": box.probability,
        "shown": box.shown,
        "xyxy_px": [float(side) for side in box.xyxy_px],
        "size_mm": None if box.size_mm is None else [float(side) for side in box.size_mm],
    }


def _mean(found: SliceFindings) -> float | None:
    mean = float(np.mean(found.residual)) if found.residual is not None else float("nan")
    return mean if np.isfinite(mean) else None


def _grid(geometry: Geometry) -> dict[str, object]:
    return {
        "axes": "(slice, row, column, 1) to LPS millimetres",
        "affine": geometry.affine.tolist(),
        "shape": list(geometry.shape),
        "spacing_mm": list(geometry.spacing_mm),
    }
