"""The panels of one slice: image, classes, segmentation, boxes, reconstruction, residual."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Real

from tetract.io import encode_png
from tetract.report import svg
from tetract.report.markup import MINUS, Html, data_uri, el, join
from tetract.report.palette import class_colours
from tetract.report.pixels import grey_bytes, heat_bytes, heat_stops, shrink
from tetract.types import LabelSpace, SliceFindings

_IMAGE_PX = 512  # longest side of the embedded slice
_ERROR_PX = 256  # and of what the decoder drew, which is smoother
_LADDER = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scales:
    """What every slice of a page shares.

    Attributes:
        space: Names behind the channels.
        residual_top: Residual shown in the brightest colour, as a share of the window.
        window_hu: Lower and upper HU of the window, or None for pictures whose HU are lost.
    """

    space: LabelSpace
    residual_top: float
    window_hu: tuple[float, float] | None


def residual_top(residuals: list[Real[np.ndarray, "_ _"]]) -> float:
    """A round number that 99 % of the pixels of the residuals stay below."""
    if not residuals:
        return _LADDER[0]
    high = max(float(np.quantile(np.nan_to_num(part), 0.99)) for part in residuals)
    return next((step for step in _LADDER if high <= step), _LADDER[-1])


def slice_section(image01: Real[np.ndarray, "H W"], found: SliceFindings, scales: Scales) -> Html:
    """One slice as a block of six panels; its id is ``slice-<index>``."""
    ident = f"grey-{found.index}"
    shape = (int(image01.shape[0]), int(image01.shape[1]))
    grey = encode_png(grey_bytes(shrink(image01, _IMAGE_PX)))
    base = _image(grey, shape, ident)
    again = el("use", href=f"#{ident}")
    panels = (
        _panel("Image", _window_words(scales), svg.picture(shape, base, label="CT slice")),
        _classes(found, scales.space),
        _segmentation(found, scales.space, shape, again),
        _detection(found, scales.space, shape, again),
        _reconstruction(found),
        _residual(found, scales),
    )
    return el(
        "section",
        el("h3", f"Slice {found.index} ", el("span", _extra_name(found), class_="soft")),
        el("div", *panels, class_="grid"),
        class_="slice",
        id=f"slice-{found.index}",
        data_name=f"Slice {found.index}",
    )


def _classes(found: SliceFindings, space: LabelSpace) -> Html:
    if found.class_probabilities is None:
        return _absent("Classification", "classification")
    shares = [float(p) for p in found.class_probabilities]
    rows = list(zip(space.classes, shares, strict=True))
    return _panel(
        "Classification",
        "Probability of each class for this slice, " + _standing(found),
        el("div", svg.bars(rows), class_="plain"),
    )


def _standing(found: SliceFindings) -> str:
    said = found.judgement
    if said is None:
        return "not calibrated"
    doubts = ", ".join(str(doubt).replace("_", " ") for doubt in said.doubts)
    return f"calibrated; left to the reader: {doubts}" if doubts else "calibrated"


def _segmentation(
    found: SliceFindings, space: LabelSpace, shape: tuple[int, int], base: Html
) -> Html:
    if found.masks is None:
        return _absent("Segmentation", "segmentation")
    colours = class_colours(space)
    drawn = [
        (name, int(mask.sum()), svg.mask_layer(mask, colours[name]))
        for name, mask in zip(space.mask_classes, found.masks, strict=True)
        if mask.any()
    ]
    key = el(
        "div",
        *(
            el("span", el("i", style=f"background:{colours[name]}"), f"{name}: {pixels:,} px")
            for name, pixels, _ in drawn
        ),
        class_="key",
    )
    words = "Outline and tint per class" if drawn else "Looked; found no pixel of any class"
    layers = svg.picture(shape, base, *(layer for _, _, layer in drawn), label="Masks on the slice")
    return _panel("Segmentation", words, layers, key)


def _detection(found: SliceFindings, space: LabelSpace, shape: tuple[int, int], base: Html) -> Html:
    if found.boxes is None:
        return _absent("Detection", "detection")
    count = len(found.boxes)
    words = f"{count} {'lesion' if count == 1 else 'lesions'} above the threshold, with scores"
    if not count:
        words = "Looked; found nothing above the threshold"
    boxes = svg.box_layer(found.boxes, shape, class_colours(space))
    return _panel("Detection", words, svg.picture(shape, base, boxes, label="Boxes on the slice"))


def _reconstruction(found: SliceFindings) -> Html:
    if found.reconstruction is None:
        return _absent("Reconstruction", "reconstruction")
    shape = (int(found.reconstruction.shape[0]), int(found.reconstruction.shape[1]))
    png = encode_png(grey_bytes(shrink(found.reconstruction, _ERROR_PX)))
    drawn = svg.picture(shape, _image(png, shape), label="Reconstructed slice")
    return _panel("Reconstruction", "The slice as the decoder redraws it", drawn)


def _residual(found: SliceFindings, scales: Scales) -> Html:
    if found.residual is None:
        return _absent("Residual", "reconstruction")
    shape = (int(found.residual.shape[0]), int(found.residual.shape[1]))
    top = scales.residual_top
    png = encode_png(heat_bytes(shrink(found.residual, _ERROR_PX), top))
    mean = float(np.nanmean(found.residual))
    colours = ",".join(f"rgb({r},{g},{b})" for r, g, b in heat_stops(np.linspace(0, 1, 9)).tolist())
    hu = ""
    if scales.window_hu is not None:
        hu = f" ({top * (scales.window_hu[1] - scales.window_hu[0]):.0f} HU)"
    scale = join(
        (
            el("div", class_="scale", style=f"background:linear-gradient(90deg,{colours})"),
            el(
                "div",
                el("span", "0"),
                el("span", f"{100 * top:g} % of the window{hu} or more"),
                class_="ends",
            ),
        )
    )
    drawn = svg.picture(shape, _image(png, shape), label="Heat map of the residual")
    return _panel(
        "Residual", f"|slice {MINUS} reconstruction|, mean {100 * mean:.2f} %", drawn, scale
    )


def _panel(title: str, words: str, *content: Html) -> Html:
    return el("figure", el("figcaption", el("b", title), el("span", words)), *content)


def _absent(title: str, head: str) -> Html:
    words = f"This model has no {head} head: nothing was looked for, so nothing is said."
    return _panel(title, "not available", el("div", words, class_="blank"))


def _extra_name(found: SliceFindings) -> str:
    """The slice's name where it says more than its number."""
    plain = found.name.lower().replace("slice", "").strip(" _-0")
    return "" if plain == str(found.index).strip("0") else found.name


def _image(png: bytes, shape: tuple[int, int], ident: str = "") -> Html:
    size = {"width": float(shape[1]), "height": float(shape[0])}
    extra = {"id": ident} if ident else {}
    return el("image", href=data_uri(png), preserveAspectRatio="none", **size, **extra)


def _window_words(scales: Scales) -> str:
    if scales.window_hu is None:
        return "Grey values as the model sees them"
    return f"Window {scales.window_hu[0]:g} to {scales.window_hu[1]:g} HU, as the model sees it"
