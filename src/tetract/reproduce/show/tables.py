"""A part of the plan as tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Final

from tetract.evaluate.compare.comparison import SHAKY_BASELINE, mean_relative
from tetract.evaluate.compare.difference import Difference, difference
from tetract.evaluate.named_figures import is_better_low
from tetract.reproduce.arm import Pair, Part
from tetract.reproduce.show.measure import COMPARED_FIGURES, Measured, Results
from tetract.types import Task
from tetract.types.figure import Figure
from tetract.types.table import Cell, Table

_DASH: Final = "\N{EM DASH}"
_SHORT: Final = {
    Task.CLASSIFICATION: "AUROC within sources",
    Task.SEGMENTATION: "Dice, lesion pixels",
    Task.RECONSTRUCTION: "MAE, hidden (less is better)",
    Task.DETECTION: "AP@0.3, any lesion",
}
_NAMED: Final = {name: _SHORT[task] for task, name in COMPARED_FIGURES.items()}
_FIGURES: Final = (
    "Figures on the validation and test patients, seeds averaged; after \N{PLUS-MINUS SIGN} the "
    "standard deviation over seeds, in square brackets the 95 % interval over patients, and over "
    "seeds where there are several. AUROC within sources: only slices of one source are compared, "
    "so that knowing the source is worth 0.5; pairs of all classes pooled. Dice: over all pixels "
    "of all lesions at once. A dash: no such head, or not defined."
)
_PAIRS: Final = (
    "Gain: on the same patients, turned round where less is better, with its 95 % interval. A tie "
    "is a gain whose interval holds 0, unknown one without an interval; a figure that neither arm "
    "has defined has no row. No p is given: a test over patients would leave out the seeds."
)


def part_tables(part: Part, results: Results) -> tuple[Table, ...]:
    """Its figures, and its comparisons."""
    return tuple(_tables(part, results))


def _tables(part: Part, results: Results) -> Iterator[Table]:
    if part.table:
        yield _figure_table(part, results)
    if part.pairs:
        yield _pair_table(part, results)


def _figure_table(part: Part, results: Results) -> Table:
    names = [part.prefix + name for name in COMPARED_FIGURES.values()]
    arms = {arm.name: results[arm.name] for arm in part.arms}
    return Table(
        title=f"{part.key}. {part.title}: our reproduction",
        columns=(
            *("arm", *_SHORT.values(), "runs"),
            *("parameters (M)", "s per step", "min per run"),
        ),
        rows=tuple(
            (name, *(_cell(arm, figure) for figure in names), *_cost(arm))
            for name, arm in arms.items()
        ),
        note=" ".join((_FIGURES, *_reasons(arms, names))),
        warning=" ".join(_missing(list(arms.values()))),
    )


def _cell(arm: Measured, name: str) -> str:
    figure = arm.figures.get(name)
    if figure is None or figure.value is None:
        return _DASH
    values = arm.seeds[name]
    spread = f" \N{PLUS-MINUS SIGN}{statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{figure.value:.3f}{spread}{_interval(figure)}"


def _interval(figure: Figure) -> str:
    if figure.interval is None:
        return ""
    return f" [{figure.interval.low:.3f}, {figure.interval.high:.3f}]"


def _cost(arm: Measured) -> tuple[Cell, ...]:
    runs = f"{len(arm.outcomes)} of {arm.planned}"
    if not arm.outcomes:
        return (runs, _DASH, _DASH, _DASH)
    steps = [one.step_seconds for one in arm.outcomes if one.step_seconds > 0]
    return (
        runs,
        f"{arm.outcomes[0].parameters / 1e6:.1f}",
        f"{statistics.median(steps):.2f}" if steps else _DASH,
        f"{statistics.median(one.seconds for one in arm.outcomes) / 60:.1f}",
    )


def _reasons(arms: dict[str, Measured], names: Sequence[str]) -> Iterator[str]:
    """Why figures of heads that are there are not defined, each reason once."""
    said: dict[str, str] = {}
    for arm in arms.values():
        for name in names:
            figure = arm.figures.get(name)
            if figure is None:
                continue
            why = figure.reason or (f"no interval, {figure.no_interval}" * bool(figure.no_interval))
            if why:
                said.setdefault(f"{_label(name)}: {why}.", "")
    yield from said


def _missing(arms: Sequence[Measured]) -> Iterator[str]:
    failed = [why for arm in arms for why in arm.failures]
    open_runs = sum(arm.planned - len(arm.outcomes) - len(arm.failures) for arm in arms)
    if failed:
        yield f"{len(failed)} runs failed: {'; '.join(failed[:3])}."
    if open_runs > 0:
        yield f"{open_runs} runs are not finished: this table is not complete."


def _pair_table(part: Part, results: Results) -> Table:
    compared = [(pair, _differences(pair, results, part.prefix)) for pair in part.pairs]
    rows: list[tuple[Cell, ...]] = []
    for pair, found in compared:
        rows += [_row(pair, one) for one in found]
        if len(found) > 1:
            mean = mean_relative(found, results[pair.arm[0]].resamples)
            rows.append((pair.label, "mean of relative gains", "", "", "", _signed(mean, 1),
                         _of_mean(mean)))  # fmt: skip
    return Table(
        title=f"{part.key}. {part.title}: compared patient by patient",
        columns=(
            *("compared", "figure", "baseline", "arm", "gain [95 %]", "gain in % [95 %]"),
            "verdict",
        ),
        rows=tuple(rows),
        note=_PAIRS,
        warning=_caution(part, results, [one for _, found in compared for one in found]),
    )


def _differences(pair: Pair, results: Results, prefix: str) -> list[Difference]:
    baseline, arm = (
        {name: figure for side in names for name, figure in results[side].figures.items()}
        for names in (pair.baseline, pair.arm)
    )
    return [
        difference(
            name,
            baseline[name],
            arm[name],
            results[pair.arm[0]].resamples,
            lower_is_better=is_better_low(name),
        )
        for name in (prefix + one for one in _NAMED)
        if name in baseline and name in arm and _is_told(baseline[name], arm[name])
    ]


def _is_told(baseline: Figure, arm: Figure) -> bool:
    """Whether the test patients let one of the two be known; why not, the figures' table says."""
    return baseline.value is not None or arm.value is not None


def _row(pair: Pair, one: Difference) -> tuple[Cell, ...]:
    return (
        pair.label,
        _label(one.name),
        _number(one.baseline),
        _number(one.arm),
        _signed(one.gain, 3),
        _signed(one.relative, 1),
        str(one.verdict),
    )


def _caution(part: Part, results: Results, found: Sequence[Difference]) -> str:
    names = {name for pair in part.pairs for name in (*pair.baseline, *pair.arm)}
    told: list[str] = []
    if any(len(results[name].outcomes) < 2 for name in names):
        told.append(
            "Some arms have one seed: their intervals leave out how much a training differs when "
            "it is repeated."
        )
    shaky = {
        _label(one.name)
        for one in found
        if one.baseline.value is not None and abs(one.baseline.value) < SHAKY_BASELINE
    }
    if shaky:
        told.append(f"Relative gain unstable, some baselines are near 0: {', '.join(shaky)}.")
    return " ".join(told)


def _label(name: str) -> str:
    return next((words for known, words in _NAMED.items() if name.endswith(known)), name)


def _number(figure: Figure) -> str:
    return _DASH if figure.value is None else f"{figure.value:.3f}"


def _signed(figure: Figure, digits: int) -> str:
    if figure.value is None:
        return _DASH
    if figure.interval is None:
        return f"{figure.value:+.{digits}f}"
    low, high = figure.interval.low, figure.interval.high
    return f"{figure.value:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"


def _of_mean(figure: Figure) -> str:
    if figure.interval is None:
        return "unknown"
    if figure.interval.low > 0:
        return "better"
    return "worse" if figure.interval.high < 0 else "tie"
