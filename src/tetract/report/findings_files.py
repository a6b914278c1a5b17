"""Findings to a folder: record, label maps, overlays and one page, all or nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Real

from tetract.errors import InputError
from tetract.io import atomic_write_text, write_nifti_labels, write_png
from tetract.report.explanation_files import write_explanations
from tetract.report.findings_json import check_finite, findings_record
from tetract.report.folder import replaced_folder, safe_stem
from tetract.report.overlay import draw_slice
from tetract.report.page import findings_page
from tetract.report.rank import choose_slices
from tetract.types import Findings, SliceFindings
from tetract.types.explanation import Explanations


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsFiles:
    """What was written.

    Attributes:
        folder: The findings folder.
        record: ``findings.json``.
        page: ``index.html``.
        label_maps: ``labels.nii.gz``, or one PNG per slice, or nothing without a mask head.
        overlays: Pictures of the slices that were chosen to be shown.
    """

    folder: Path
    record: Path
    page: Path
    label_maps: tuple[Path, ...]
    overlays: tuple[Path, ...]


def write_findings(
    out: Path,
    findings: Findings,
    slices01: Sequence[Real[np.ndarray, "_ _"]],
    *,
    explanations: Explanations | None = None,
) -> FindingsFiles:
    """Write everything about one study into ``out``, which is complete or unchanged afterwards.

    Args:
        out: A new or empty folder, or an earlier findings folder, which is then replaced.
        findings: What the model said.
        slices01: One (H, W) picture in [0, 1] per slice, in the same order.
        explanations: Maps to be kept with them.

    Raises:
        InputError: ``E_OUT_NOT_EMPTY``, ``E_SHAPE_MISMATCH`` or ``E_NONFINITE``.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    check_slices(findings, slices01)
    check_finite(findings)
    with replaced_folder(out) as part:
        labels = _write_labels(part, findings)
        overlays = _write_overlays(part, findings, slices01)
        atomic_write_text(part / "index.html", findings_page(findings, slices01))
        files: dict[str, object] = {
            "record": "findings.json",
            "page": "index.html",
            "label_maps": labels,
            "overlays": overlays,
        }
        if explanations is not None:
            files["explanations"] = write_explanations(part, explanations, slices01)
        record = findings_record(findings, files)
        record["label_values"] = _label_values(findings) if labels else None
        words = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
        atomic_write_text(part / "findings.json", words + "\n")
    return FindingsFiles(
        folder=out,
        record=out / "findings.json",
        page=out / "index.html",
        label_maps=tuple(out / name for name in labels),
        overlays=tuple(out / name for name in overlays),
    )


def check_slices(findings: Findings, slices01: Sequence[Real[np.ndarray, "_ _"]]) -> None:
    """Each slice needs its picture, and every map on it that picture's size.

    Raises:
        InputError: ``E_SHAPE_MISMATCH`` naming the slice.
    """
    if len(findings.slices) != len(slices01):
        raise _mismatch("the study", f"{len(findings.slices)} pictures", str(len(slices01)))
    for found, image in zip(findings.slices, slices01, strict=True):
        for shape in _shapes(found):
            if shape != image.shape:
                raise _mismatch(f"slice {found.index}", str(image.shape), str(shape))
    grid = findings.geometry
    if grid is not None and {(len(slices01), *image.shape) for image in slices01} != {grid.shape}:
        found = (len(slices01), *slices01[0].shape) if slices01 else (0,)
        raise _mismatch("the study", str(grid.shape), str(found))


def _shapes(found: SliceFindings) -> list[tuple[int, ...]]:
    maps = [] if found.masks is None else [found.masks[0]] if len(found.masks) else []
    maps += [part for part in (found.reconstruction, found.residual) if part is not None]
    return [part.shape for part in maps]


def _mismatch(where: str, expected: str, found: str) -> InputError:
    return InputError(
        "E_SHAPE_MISMATCH",
        "findings and pictures do not fit together",
        where=where,
        expected=expected,
        found=found,
    )


def _write_labels(folder: Path, findings: Findings) -> list[str]:
    """Relative paths of the label maps: one NIfTI on a known grid, else a PNG per slice."""
    if all(found.masks is None for found in findings.slices):
        return []
    stacked = None if findings.geometry is None else findings.label_map
    if stacked is not None and len(stacked) == len(findings.slices):
        write_nifti_labels(folder / "labels.nii.gz", stacked, findings.geometry)
        return ["labels.nii.gz"]
    (folder / "labels").mkdir()
    names: list[str] = []
    for at, found in enumerate(findings.slices):
        painted = found.label_map
        if painted is not None:
            names.append(f"labels/{safe_stem(at, found.name)}.png")
            write_png(folder / names[-1], painted)
    return names


def _write_overlays(
    folder: Path, findings: Findings, slices01: Sequence[Real[np.ndarray, "_ _"]]
) -> list[str]:
    (folder / "overlays").mkdir()
    names: list[str] = []
    for at in sorted(choose_slices(findings)):
        found = findings.slices[at]
        names.append(f"overlays/{safe_stem(at, found.name)}.png")
        write_png(folder / names[-1], draw_slice(slices01[at], found, findings.label_space))
    return names


def _label_values(findings: Findings) -> dict[str, str]:
    names = findings.label_space.mask_classes
    return {"0": "background", **{str(k + 1): name for k, name in enumerate(names)}}
