"""Sharp drawings: mask and box layers over a picture, bars, a strip over all slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool

from tetract.report.markup import Html, el, join
from tetract.report.trace import outline_path
from tetract.types import LesionBox

_Rect = tuple[float, float, float, float]
_MOST_TAGS = 30  # more labels than this on one slice hide the slice


def picture(shape: tuple[int, int], *layers: Html, label: str) -> Html:
    """Layers in the pixel coordinates of an (H, W) slice; ``label`` is read to the blind."""
    return el(
        "svg",
        *layers,
        viewBox=f"0 0 {shape[1]} {shape[0]}",
        class_="pic",
        role="img",
        aria_label=label,
    )


def mask_layer(mask: Bool[np.ndarray, "H W"], colour: str) -> Html:
    """One mask as a see-through fill with a contour along the pixel edges."""
    return el("path", d=outline_path(mask), class_="mask", fill=colour, stroke=colour)


def box_layer(
    boxes: Sequence[LesionBox], shape: tuple[int, int], colours: Mapping[str, str]
) -> Html:
    """Boxes, best score on top. The first have label and score beside them, clear of each other."""
    drawn: list[Html] = []
    taken: list[_Rect] = []
    size = max(shape) * 0.034
    for box in boxes:
        words, colour = f"{box.label[:24]} {box.score:.2f}", colours[box.label]
        parts = [el("title", words), _frame(box, colour)]
        if len(taken) < _MOST_TAGS:
            at = _place(box.xyxy_px, len(words) * size * 0.58, size * 1.25, shape, taken)
            taken.append(at)
            place = {"x": at[0], "y": at[1] + size, "font_size": size}
            parts.append(el("text", words, class_="tag", fill=colour, **place))
        drawn.append(el("g", *parts))
    return el("g", *reversed(drawn))


def _frame(box: LesionBox, colour: str) -> Html:
    x0, y0, x1, y1 = box.xyxy_px
    place = {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}
    return el("rect", class_="box", stroke=colour, **place)


def bars(rows: Sequence[tuple[str, float]]) -> Html:
    """Horizontal bars of shares in [0, 1] with their names and numbers; the largest stands out."""
    best = max((share for _, share in rows), default=0.0)
    return el(
        "dl",
        *(
            el(
                "div",
                el("dt", name),
                el(
                    "dd",
                    el("span", class_="bar", style=f"width:{100 * min(max(share, 0), 1):.1f}%"),
                    class_="track",
                ),
                el("dd", f"{100 * share:.1f} %", class_="num"),
                class_="best" if share == best else "other",
            )
            for name, share in rows
        ),
        class_="bars",
    )


def strip(marks: Sequence[float], shown: Sequence[int]) -> Html:
    """One thin column per slice of the study, as high as its rank mark; shown slices are dark."""
    inside = frozenset(shown)
    columns = join(
        el(
            "rect",
            x=at + 0.08,
            width=0.84,
            y=10 - 9.4 * mark - 0.6,
            height=9.4 * mark + 0.6,
            class_="on" if at in inside else "off",
        )
        for at, mark in enumerate(marks)
    )
    return el(
        "svg",
        columns,
        viewBox=f"0 0 {len(marks)} 10",
        class_="strip",
        role="img",
        preserveAspectRatio="none",
        aria_label="Rank mark of every slice",
    )


def _place(
    box: _Rect, width: float, height: float, shape: tuple[int, int], taken: Sequence[_Rect]
) -> _Rect:
    x0, y0, x1, y1 = box
    corners = (
        (x0, y0 - height),
        (x0, y1),
        (x1 - width, y0 - height),
        (x1 - width, y1),
        (x1, y0),
        (x0 - width, y0),
    )
    spots = [_inside((x, y, x + width, y + height), shape) for x, y in corners]
    free = (spot for spot in spots if not any(_touch(spot, other) for other in taken))
    return next(free, spots[0])


def _inside(rect: _Rect, shape: tuple[int, int]) -> _Rect:
    dx = min(0.0, shape[1] - rect[2]) + max(0.0, -rect[0])
    dy = min(0.0, shape[0] - rect[3]) + max(0.0, -rect[1])
    return rect[0] + dx, rect[1] + dy, rect[2] + dx, rect[3] + dy


def _touch(a: _Rect, b: _Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
