"""A small evaluation as a report sees it, with room for hostile words."""

from __future__ import annotations

import numpy as np

from tetract.io import encode_png
from tetract.report.markup import Html
from tetract.report.run.evaluated import Evaluated
from tetract.report.run.page import Told
from tetract.types import Task
from tetract.types.card import Card, Remark, Verdict
from tetract.types.case import Case, Frame, Layer, Outline, Place
from tetract.types.chart import Axis, Line, LineChart, Look, Mark, Matrix, RowChart
from tetract.types.results import RESULTS_SCHEMA, Estimate, Headline, Results, TaskResults
from tetract.types.table import Table

TOLD = Told(title="demo", curves=Html("<p>curves</p>"), recipe="name: demo\n")


def estimate(value: float | None = 0.8, reason: str = "") -> Estimate:
    return Estimate(
        value=value,
        low=None if value is None else value - 0.1,
        high=None if value is None else value + 0.1,
        level=None if value is None else 0.95,
        slices=40,
        patients=12,
        slices_without_patient=0,
        reason=reason,
    )


def make_table(word: str = "overall") -> Table:
    cell = "0.812 [0.754, 0.861] (40 / 12)"
    return Table(title=f"T {word}", columns=("rows", "AUROC"), rows=((word, cell),), note=word)


def make_task(word: str = "covid") -> TaskResults:
    headline = Headline(
        name="classification/auroc_macro",
        title=f"AUROC {word}",
        unit="",
        is_better_low=False,
        overall=estimate(),
        sources={word: estimate(), "b": estimate(None, "no positive rows")},
        compared=word,
    )
    line = Line(name=word, x=(0.0, 0.5, 1.0), y=(0.0, 0.9, 1.0), low=(0.0, None, 0.9),
                high=(0.1, None, 1.0), look=Look.STEP)  # fmt: skip
    mark = Mark(label=word, detail=word, value=0.5, low=0.25, high=0.75, dots=(0.5, 0.5))
    return TaskResults(
        task="classification",
        headline=headline,
        tables=(make_table(word), make_table(word), make_table(f"folded {word}")),
        lines=(LineChart(title=word, caption=word, x=Axis(label=word), y=Axis(label=word),
                         lines=(line,)),),
        rows=(RowChart(title=word, caption=word, axis=Axis(label=word), marks=(mark,)),),
        matrices=(Matrix(title=word, caption=word, names=(word, "b"), counts=((3, 1), (0, 0))),),
    )  # fmt: skip


def make_results(word: str = "covid", banner: str = "", warning: str = "") -> Results:
    return Results(
        schema=RESULTS_SCHEMA,
        use="Research use only",
        command=f"tetract evaluate {word}",
        split="test",
        model=word,
        slices=40,
        patients=12,
        slices_without_patient=0,
        draws=1000,
        banner=banner,
        warnings=(warning,) if warning else (),
        tasks=(make_task(word),),
        figures={"classification/auroc_macro": estimate()},
        facts={"Recipe": "demo", "Seed": word},
        legend=word,
    )


def make_case(word: str = "covid") -> Case:
    png = encode_png(np.zeros((8, 8), dtype=np.uint8))
    box = (1.0, 2.0, 5.0, 6.0)
    layer = Layer(
        name="prediction",
        title=word,
        note=word,
        png=png,
        outlines=(Outline(label=word, path="M1 1h2v2h-2z"),),
        frames=(Frame(label=word, xyxy_px=box), Frame(label=word, xyxy_px=box, score=0.75)),
    )
    return Case(
        task=Task.CLASSIFICATION,
        place=Place.WORST,
        figure="probability",
        value=0.125,
        row=7,
        slice_index=3,
        source=word,
        size_px=(8, 8),
        facts=(word,),
        layers=(layer,),
    )


def make_card(word: str = "covid", banner: str = "") -> Card:
    remarks = tuple(Remark(text=f"{word} {verdict}", verdict=verdict) for verdict in Verdict)
    return Card(
        name="split", title=word, remarks=remarks, tables=(make_table(word),), banner=banner
    )


def make_evaluated(word: str = "covid", *, banner: str = "", warning: str = "") -> Evaluated:
    return Evaluated(
        results=make_results(word, banner, warning),
        cards=(make_card(word),),
        cases=(make_case(word),),
    )
