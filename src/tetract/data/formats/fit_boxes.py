"""Foreign boxes put onto their image: cut at its edge, each once, or refused."""

from __future__ import annotations

from dataclasses import replace

from tetract.data.formats.outlined import Corners, Mended, Outlined
from tetract.errors import LabelError
from tetract.types.targets import check_area

# Shares of an image (YOLO) times its size leave dust of about 1e-13 px.
_DIGITS = 6
_LEAST_INSIDE = 0.5


def fit_boxes(
    outlined: tuple[Outlined, ...], canvas: tuple[int, int], where: str, mended: Mended
) -> tuple[Outlined, ...]:
    """The lesions of one image with boxes that lie on it.

    A box that is at least half inside is cut at the edge (``W_BOX_CLIPPED``); of exact copies one
    is kept (``W_BOX_TWICE``). Both are counted.

    Raises:
        LabelError: ``E_BOX_OUTSIDE`` or ``E_BOX_EMPTY``; the image is not used then.
    """
    kept: list[Outlined] = []
    seen: set[tuple[str, Corners]] = set()
    for lesion in outlined:
        xyxy = _rounded(lesion.xyxy)
        check_area(*xyxy)
        inside = _cut(xyxy, canvas, where)
        if inside != xyxy:
            mended.add("W_BOX_CLIPPED")
        # Outlines of one box may differ: only where there is nothing but the box is it a copy.
        if lesion.draw is None and (lesion.label, inside) in seen:
            mended.add("W_BOX_TWICE")
            continue
        seen.add((lesion.label, inside))
        kept.append(replace(lesion, xyxy=inside))
    return tuple(kept)


def _rounded(xyxy: Corners) -> Corners:
    x0, y0, x1, y1 = (round(corner, _DIGITS) + 0.0 for corner in xyxy)
    return x0, y0, x1, y1


def _cut(xyxy: Corners, canvas: tuple[int, int], where: str) -> Corners:
    height, width = canvas
    x0, y0, x1, y1 = xyxy
    cut = (max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
    seen = max(cut[2] - cut[0], 0.0) * max(cut[3] - cut[1], 0.0)
    share = seen / ((x1 - x0) * (y1 - y0))
    if share < _LEAST_INSIDE:
        raise LabelError(
            "E_BOX_OUTSIDE",
            "box leaves the image",
            where=where,
            expected=f"at least half of it on {width} x {height} px",
            found=f"{share:.0%} of x0={x0:g} y0={y0:g} x1={x1:g} y1={y1:g}",
            fix="Check the size of the image and the convention of the boxes",
        )
    return cut
