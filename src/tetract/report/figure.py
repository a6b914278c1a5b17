"""The four outputs side by side, as one wide picture for a README. Needs matplotlib."""

from __future__ import annotations

import numpy as np
from jaxtyping import Real, UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle

from tetract.report.palette import class_colours, rgb
from tetract.types import LabelSpace, SliceFindings

_DPI = 120
_INK, _SOFT, _ACCENT = "#17202a", "#8fa6b8", "#0b5c8c"


def four_outputs(
    image01: Real[np.ndarray, "H W"], found: SliceFindings, label_space: LabelSpace
) -> UInt8[np.ndarray, "h w 3"]:
    """Slice, class bars, masks, boxes and reconstruction in one row on white.

    Args:
        image01: (H, W) in [0, 1].
        found: What the model said; an absent head leaves a panel that says so.
        label_space: Names behind the channels.

    Returns:
        RGB picture, about 1900 x 440.
    """
    figure = Figure(
        figsize=(15.8, 3.65),
        dpi=_DPI,
        facecolor="white",
        layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.1),
    )
    canvas = FigureCanvasAgg(figure)
    axes = np.ravel(figure.subplots(1, 5)).tolist()
    titles = ("CT slice", "Classification", "Segmentation", "Detection", "Reconstruction")
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title, fontsize=15, color=_INK, pad=8, fontweight="bold")
        ax.set_axis_off()
    _grey(axes[0], image01)
    _bars(axes[1], found, label_space)
    _masks(axes[2], image01, found, label_space)
    _boxes(axes[3], image01, found, label_space)
    if found.reconstruction is None:
        _absent(axes[4], "reconstruction")
    else:
        _grey(axes[4], found.reconstruction)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()


def _grey(ax: Axes, image01: Real[np.ndarray, "H W"]) -> None:
    height, width = image01.shape
    ax.imshow(
        image01, cmap="gray", vmin=0, vmax=1, interpolation="bilinear", extent=(0, width, height, 0)
    )


def _bars(ax: Axes, found: SliceFindings, space: LabelSpace) -> None:
    if found.class_probabilities is None:
        _absent(ax, "classification")
        return
    shares = [float(p) for p in found.class_probabilities]
    best = max(shares)
    ax.set_box_aspect(1)
    ax.set_xlim(0, 1)
    ax.set_ylim(max(len(shares), 3) - 0.3, -0.7)
    for at, (name, share) in enumerate(zip(space.classes, shares, strict=True)):
        ax.barh(at + 0.12, 1, height=0.26, color="#e9edf1")
        ax.barh(at + 0.12, share, height=0.26, color=_ACCENT if share == best else _SOFT)
        weight = "bold" if share == best else "normal"
        ax.text(0, at - 0.1, _short(name), fontsize=13, va="bottom", color=_INK, weight=weight)
        ax.text(
            1,
            at - 0.1,
            f"{100 * share:.0f} %",
            fontsize=13,
            va="bottom",
            ha="right",
            color=_INK,
            weight=weight,
        )


def _masks(
    ax: Axes, image01: Real[np.ndarray, "H W"], found: SliceFindings, space: LabelSpace
) -> None:
    if found.masks is None:
        _absent(ax, "segmentation")
        return
    _grey(ax, image01)
    colours = class_colours(space)
    height, width = image01.shape
    shown = [(n, m) for n, m in zip(space.mask_classes, found.masks, strict=True) if m.any()]
    for name, mask in shown:
        tint = np.zeros((height, width, 4))
        tint[mask] = (*(part / 255 for part in rgb(colours[name])), 0.28)
        ax.imshow(tint, extent=(0, width, height, 0), interpolation="nearest")
        at_x, at_y = np.arange(width) + 0.5, np.arange(height) + 0.5
        ax.contour(
            at_x, at_y, mask.astype(float), levels=[0.5], colors=[colours[name]], linewidths=1.6
        )
    for at, (name, _) in enumerate(reversed(shown)):
        _note(ax, _short(name), (0.03, 0.035 + 0.085 * at), colours[name])
    if not shown:
        _note(ax, "looked, found nothing", (0.03, 0.035), "white")


def _boxes(
    ax: Axes, image01: Real[np.ndarray, "H W"], found: SliceFindings, space: LabelSpace
) -> None:
    if found.boxes is None:
        _absent(ax, "detection")
        return
    _grey(ax, image01)
    colours = class_colours(space)
    for box in reversed(found.boxes):
        x0, y0, x1, y1 = box.xyxy_px
        ax.add_patch(
            Rectangle(
                (x0, y0), x1 - x0, y1 - y0, fill=False, linewidth=2, edgecolor=colours[box.label]
            )
        )
        above = y0 > 0.09 * image01.shape[0]
        ax.annotate(
            f"{_short(box.label)} {box.score:.2f}",
            (min(x0, 0.66 * image01.shape[1]), y0 if above else y1),
            xytext=(0, 3 if above else -3),
            textcoords="offset points",
            va="bottom" if above else "top",
            fontsize=11,
            weight="bold",
            color=colours[box.label],
            bbox={"facecolor": "black", "alpha": 0.55, "pad": 1.5, "edgecolor": "none"},
        )
    if not found.boxes:
        _note(ax, "looked, found nothing", (0.03, 0.035), "white")


def _note(ax: Axes, words: str, at: tuple[float, float], colour: str) -> None:
    ax.text(
        *at,
        words,
        transform=ax.transAxes,
        fontsize=12,
        weight="bold",
        color=colour,
        bbox={"facecolor": "black", "alpha": 0.55, "pad": 1.5, "edgecolor": "none"},
    )


def _absent(ax: Axes, head: str) -> None:
    ax.set_box_aspect(1)
    ax.text(
        0.5,
        0.5,
        f"no {head} head\nin this model",
        transform=ax.transAxes,
        ha="center",
        va="center",
        fontsize=13,
        color="#5b6875",
    )


def _short(name: str) -> str:
    """A name that fits a panel, with ``$`` kept from matplotlib's mathematics."""
    return (name if len(name) <= 22 else name[:21] + "…").replace("$", r"\$")
