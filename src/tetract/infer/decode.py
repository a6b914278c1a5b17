"""One row of predictions, brought back to the grid of the slice it came from."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from tetract.data.letterbox import Letterbox
from tetract.data.preprocess import PreparedSlice
from tetract.types import LabelSpace, LesionBox, SliceFindings
from tetract.types.predictions import DetectedBoxes, Predictions

MASK_THRESHOLD = 0.5


def decode_slice(
    said: Predictions,
    row: int,
    *,
    fitted: PreparedSlice,
    label_space: LabelSpace,
    name: tuple[int, str],
    spacing_mm: tuple[float, float] | None,
) -> SliceFindings:
    """What the model says about one slice, on that slice's own pixels.

    Args:
        said: Predictions of a batch, on the model's grid.
        row: Which row of it.
        fitted: How the slice was brought to the model's grid.
        label_space: Names behind the channels.
        name: The slice's position in its study, from 0, and its short name.
        spacing_mm: Height and width of an original pixel in mm, or None if unknown.
    """
    box = fitted.letterbox
    reconstruction = residual = None
    if said.reconstruction is not None:
        both = np.stack([_numbers(said.reconstruction[row])[0], fitted.centre])
        reconstruction, shown = box.resize_probabilities_to_original(both)
        # Compared at the model's resolution: what resizing lost is not the model's error.
        residual = np.abs(reconstruction - shown)
    return SliceFindings(
        index=name[0],
        name=name[1],
        class_probabilities=None
        if said.class_probabilities is None
        else _numbers(said.class_probabilities[row]),
        masks=None
        if said.mask_probabilities is None
        else box.resize_probabilities_to_original(_numbers(said.mask_probabilities[row]))
        >= MASK_THRESHOLD,
        boxes=None if said.boxes is None else _boxes(said.boxes[row], box, label_space, spacing_mm),
        reconstruction=reconstruction,
        residual=residual,
    )


def _boxes(
    found: DetectedBoxes,
    letterbox: Letterbox,
    label_space: LabelSpace,
    spacing_mm: tuple[float, float] | None,
) -> tuple[LesionBox, ...]:
    """Lesions with area inside the slice; one that lies in the padding alone is no finding."""
    corners = letterbox.boxes_to_original(_numbers(found.xyxy))
    lesions: list[LesionBox] = []
    for (x0, y0, x1, y1), score, label in zip(
        corners.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True
    ):
        if x1 > x0 and y1 > y0:
            size = None
            if spacing_mm is not None:
                size = ((x1 - x0) * spacing_mm[1], (y1 - y0) * spacing_mm[0])
            lesions.append(
                LesionBox(
                    label=label_space.box_classes[label],
                    score=score,
                    xyxy_px=(x0, y0, x1, y1),
                    size_mm=size,
                )
            )
    return tuple(lesions)


def _numbers(tensor: Tensor) -> Float32[np.ndarray, "..."]:
    return tensor.float().cpu().numpy()
