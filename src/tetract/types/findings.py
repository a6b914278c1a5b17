"""What the model says about a study: numpy and plain values only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from tetract.errors import InputError
from tetract.types.geometry import Geometry
from tetract.types.judgement import Judgement
from tetract.types.task import LabelSpace, Task
from tetract.types.volume import Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionBox:
    """One detected lesion on one slice.

    Attributes:
        label: Name from ``LabelSpace.box_classes``.
        score: Confidence in [0, 1]; not calibrated.
        probability: That it finds a lesion at IoU 0.3, as on the validation slices; None where
            the model was not calibrated.
        shown: Whether its score reaches the calibrated threshold; None as above.
        xyxy_px: ``x0 y0 x1 y1`` in pixels of the original slice, half-open.
        size_mm: Width and height in mm, or None where the pixel spacing is unknown.
    """

    label: str
    score: float
    xyxy_px: tuple[float, float, float, float]
    size_mm: tuple[float, float] | None
    probability: float | None = None
    shown: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceFindings:
    """One slice. A field is None when the model has no head for that task.

    Attributes:
        index: Position in the study, counted from 0.
        name: Base name of the file or a slice number.
        class_probabilities: (K,) float32 over ``LabelSpace.classes``, summing to 1; at the
            calibrated temperature where there is one.
        masks: (M, H, W) bool over ``LabelSpace.mask_classes``; channels may overlap.
        boxes: Detected lesions, best score first.
        reconstruction: (H, W) float32 in model units, [0, 1] over the model's window.
        residual: (H, W) float32, absolute difference from the slice, same units.
        judgement: How far this may be trusted; None where the model was not calibrated.
        called: Classes whose probability reaches their calibrated threshold; None as above.
    """

    index: int
    name: str
    class_probabilities: Float32[np.ndarray, " K"] | None = None
    masks: Bool[np.ndarray, "M H W"] | None = None
    boxes: tuple[LesionBox, ...] | None = None
    reconstruction: Float32[np.ndarray, "H W"] | None = None
    residual: Float32[np.ndarray, "H W"] | None = None
    judgement: Judgement | None = None
    called: tuple[str, ...] | None = None

    @property
    def label_map(self) -> UInt8[np.ndarray, "H W"] | None:
        """0 for background, k + 1 for mask class k; where classes overlap the later one wins."""
        if self.masks is None:
            return None
        painted = np.zeros(self.masks.shape[1:], dtype=np.uint8)
        for channel, mask in enumerate(self.masks):
            painted[mask] = channel + 1
        return painted


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """A study's result. Research use only: not a medical device.

    Attributes:
        slices: One entry per slice, in order.
        tasks: The heads that ran.
        label_space: Names behind the channels.
        geometry: The study's voxel grid, or None for pictures.
        window_hu: Lower and upper HU that the model maps to 0 and 1.
        provenance: Where the slices came from, with the readers' warnings.
        model: Short identity of the model (name and first digits of its weights' sha256).
        calibration: What its calibration says and promises, line by line; empty without one.
        judgement: Evidence and agreement of the study; None without a calibration.
    """

    slices: tuple[SliceFindings, ...]
    tasks: tuple[Task, ...]
    label_space: LabelSpace
    geometry: Geometry | None
    window_hu: tuple[float, float]
    provenance: Provenance
    model: str
    calibration: tuple[str, ...] = ()
    judgement: Judgement | None = None

    @property
    def class_probabilities(self) -> dict[str, float] | None:
        """Study-level probabilities: the plain mean over slices, by class name."""
        rows = [s.class_probabilities for s in self.slices if s.class_probabilities is not None]
        if not rows:
            return None
        mean = np.mean(np.stack(rows), axis=0)
        return {name: float(p) for name, p in zip(self.label_space.classes, mean, strict=True)}

    @property
    def label_map(self) -> UInt8[np.ndarray, "D H W"] | None:
        """Stacked label maps, (D, H, W), or None without a segmentation head.

        Raises:
            InputError: ``E_MIXED_SIZES`` when the slices are pictures of different sizes.
        """
        maps = [m for m in (s.label_map for s in self.slices) if m is not None]
        if not maps:
            return None
        sizes = {m.shape for m in maps}
        if len(sizes) > 1:
            raise InputError(
                "E_MIXED_SIZES",
                "slices of different sizes cannot be stacked into one label map",
                where=self.provenance.name,
                found=", ".join(f"{h}x{w}" for h, w in sorted(sizes)),
                fix="Use the per-slice label maps",
            )
        return np.stack(maps)
