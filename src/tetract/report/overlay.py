"""One slice with what was found drawn on it, as a plain picture."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Real, UInt8

from tetract.report.font import written
from tetract.report.palette import class_colours, rgb
from tetract.report.pixels import enlarge, grey_bytes, rim
from tetract.types import LabelSpace, LesionBox, SliceFindings

_WANTED_PX = 512  # small slices are enlarged to about this, so that lines and text are fine
_FILL = 0.22
_EDGE = 0.9


def overlay_scale(shape: tuple[int, int]) -> int:
    """Whole-number enlargement of a slice in its overlay; 1 from 384 pixels on."""
    return max(1, round(_WANTED_PX / max(shape)))


def draw_slice(
    image01: Real[np.ndarray, "H W"],
    findings: SliceFindings,
    label_space: LabelSpace,
) -> UInt8[np.ndarray, "H2 W2 3"]:
    """Grey slice, mask fills and contours, boxes with scores, and a legend.

    Args:
        image01: (H, W) in [0, 1] over the model's window.
        findings: What the model said about this slice.
        label_space: Names, and through them colours.

    Returns:
        (s*H, s*W, 3) uint8 with ``s = overlay_scale((H, W))``. Box lines lie outside the box, so
        that a small lesion stays visible.
    """
    scale = overlay_scale((image01.shape[0], image01.shape[1]))
    grey = grey_bytes(enlarge(image01, scale) if scale > 1 else image01)
    canvas = np.repeat(grey[:, :, None], 3, axis=2)
    colours = class_colours(label_space)
    shown: dict[str, None] = {}
    if findings.masks is not None:
        for name, mask in zip(label_space.mask_classes, findings.masks, strict=True):
            if mask.any():
                large = mask.repeat(scale, axis=0).repeat(scale, axis=1)
                _paint_mask(canvas, large, rgb(colours[name]))
                shown[name] = None
    shown |= dict.fromkeys(box.label for box in findings.boxes or ())
    _paint_legend(canvas, {name: rgb(colours[name]) for name in colours if name in shown})
    for box in reversed(findings.boxes or ()):  # over the legend, and the best score on top
        _paint_box(canvas, box, scale, rgb(colours[box.label]))
    return canvas


def _paint_mask(
    canvas: UInt8[np.ndarray, "H W 3"],
    mask: Bool[np.ndarray, "H W"],
    colour: tuple[int, int, int],
) -> None:
    edge = rim(mask, 2 if max(mask.shape) >= 384 else 1)
    for where, share in ((mask & ~edge, _FILL), (edge, _EDGE)):
        mixed = canvas[where] * (1 - share) + np.array(colour) * share
        canvas[where] = np.rint(mixed).astype(np.uint8)


def _paint_box(
    canvas: UInt8[np.ndarray, "H W 3"],
    box: LesionBox,
    scale: int,
    colour: tuple[int, int, int],
) -> None:
    height, width = canvas.shape[:2]
    thick = 2
    x0, y0, x1, y1 = (round(side * scale) for side in box.xyxy_px)
    left, top = max(0, x0 - thick), max(0, y0 - thick)
    right, bottom = min(width, x1 + thick), min(height, y1 + thick)
    canvas[top : top + thick, left:right] = colour
    canvas[max(top, bottom - thick) : bottom, left:right] = colour
    canvas[top:bottom, left : left + thick] = colour
    canvas[top:bottom, max(left, right - thick) : right] = colour
    above = top - 17
    _paint_words(canvas, f"{box.score:.2f}", (above if above >= 0 else bottom + 1, left), colour)


def _paint_words(
    canvas: UInt8[np.ndarray, "H W 3"],
    words: str,
    corner: tuple[int, int],
    colour: tuple[int, int, int],
) -> None:
    """Words on a dark plate, pushed back inside the picture where they would stick out."""
    ink = np.pad(written(words, 2 if min(canvas.shape[:2]) >= 200 else 1), 1)
    ink = ink[: canvas.shape[0], : canvas.shape[1]]
    row = min(max(0, corner[0]), canvas.shape[0] - ink.shape[0])
    column = min(max(0, corner[1]), canvas.shape[1] - ink.shape[1])
    plate = canvas[row : row + ink.shape[0], column : column + ink.shape[1]]
    plate[:] = np.rint(plate * 0.35).astype(np.uint8)
    plate[ink] = colour


def _paint_legend(
    canvas: UInt8[np.ndarray, "H W 3"], entries: dict[str, tuple[int, int, int]]
) -> None:
    bottom = canvas.shape[0] - 20
    for at, (name, colour) in enumerate(reversed(entries.items())):
        _paint_words(canvas, name[:40], (bottom - 18 * at, 6), colour)
