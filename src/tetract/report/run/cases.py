"""Best, median and worst slices of a task, their pictures side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tetract.report import svg
from tetract.report.markup import Html, data_uri, el, join
from tetract.report.palette import colours_of
from tetract.types import LesionBox
from tetract.types.case import Case, Frame, Layer

RULE = (
    "Chosen by rule, not by eye: slices are ordered by the {figure}; of equal ones the earlier in "
    "the table comes first."
)


def cases_section(cases: Sequence[Case], colours: Mapping[str, str]) -> Html:
    """The cases of one task; nothing where it has none."""
    if not cases:
        return Html()
    rule = el("p", RULE.format(figure=cases[0].figure), class_="caption")
    return join((el("h3", "Cases"), rule, *(_case(case, colours) for case in cases)))


def case_colours(cases: Sequence[Case]) -> dict[str, str]:
    """One colour per class name, the same on the whole page."""
    layers = [layer for case in cases for layer in case.layers]
    names = {mark.label for layer in layers for mark in (*layer.outlines, *layer.frames)}
    return colours_of(sorted(names))


def _case(case: Case, colours: Mapping[str, str]) -> Html:
    words = f"{case.source}, table row {case.row}, slice {case.slice_index}"
    head = el(
        "h4",
        el("span", case.place, class_=f"place {case.place}"),
        f" {case.value:.3f} ",
        el("span", words, class_="soft"),
    )
    facts = el("p", " ".join(case.facts), class_="caption") if case.facts else Html()
    panels = el("div", *(_panel(layer, case, colours) for layer in case.layers), class_="panels")
    return el("section", head, facts, panels, class_="case")


def _panel(layer: Layer, case: Case, colours: Mapping[str, str]) -> Html:
    height, width = case.size_px
    image = el(
        "image",
        href=data_uri(layer.png),
        width=float(width),
        height=float(height),
        preserveAspectRatio="none",
    )
    outlines = (_outline(one.path, colours[one.label]) for one in layer.outlines)
    frames = svg.box_layer(
        [_box(one) for one in layer.frames if one.score is not None], case.size_px, colours
    )
    bare = (_bare(one, colours[one.label]) for one in layer.frames if one.score is None)
    drawn = svg.picture(
        case.size_px, image, *outlines, *bare, frames, label=f"{layer.title}: {layer.note}"
    )
    labels = dict.fromkeys(mark.label for mark in (*layer.outlines, *layer.frames))
    key = el(
        "div",
        *(el("span", el("i", style=f"background:{colours[name]}"), name) for name in labels),
        class_="key",
    )
    return el(
        "figure",
        el("figcaption", el("b", layer.title)),
        drawn,
        key,
        el("p", layer.note, class_="caption"),
    )


def _outline(path: str, colour: str) -> Html:
    return el("path", d=path, class_="mask", fill=colour, stroke=colour)


def _bare(frame: Frame, colour: str) -> Html:
    x0, y0, x1, y1 = frame.xyxy_px
    size = {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}
    return el("rect", class_="box", stroke=colour, **size)


def _box(frame: Frame) -> LesionBox:
    return LesionBox(
        label=frame.label, score=frame.score or 0.0, xyxy_px=frame.xyxy_px, size_mm=None
    )
