"""The figures of every arm: seeds averaged, with intervals over patients and seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tetract.evaluate.collect import Collected, joined
from tetract.evaluate.compare.difference import average_seeds
from tetract.evaluate.headline import PRIMARY_FIGURES
from tetract.evaluate.named_figures import named_figures
from tetract.evaluate.rows_file import ROWS_NAME, read_rows
from tetract.evaluate.score import score
from tetract.reproduce.one_run import SCORED
from tetract.reproduce.outcome import Outcome, load_failure, load_outcome
from tetract.reproduce.plan import Plan, Run
from tetract.types import Task
from tetract.types.figure import Figure
from tetract.types.resamples import Resamples, draw_resamples

# Collections put together from several sources tell the class by the scanner: within sources. And
# pooled over classes: with few patients a mean over classes swings with the rarest, and most draws
# of the patients leave it undefined.
COMPARED_FIGURES: Final = PRIMARY_FIGURES | {
    Task.CLASSIFICATION: "classification/auroc_within_pooled",
    Task.SEGMENTATION: "segmentation/dice_lesions_pooled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the finished runs of one arm came to.

    Attributes:
        planned: Runs it was to have.
        outcomes: Of the finished ones.
        failures: Why the others failed; those not begun are not among them.
        figures: Seeds averaged, by name.
        seeds: Value of each run where it is defined, by the same names.
        resamples: Draws of the patients it was tested on, shared by all arms with the same.
    """

    planned: int
    outcomes: tuple[Outcome, ...]
    failures: tuple[str, ...]
    figures: Mapping[str, Figure]
    seeds: Mapping[str, tuple[float, ...]]
    resamples: Resamples


Results: TypeAlias = Mapping[str, Measured]
"""All arms by name."""


def measure(plan: Plan) -> Results:
    """Score what is finished; each test set's patients are drawn once for all of its runs."""
    groups: dict[str | None, dict[str, Collected]] = {}
    for run in plan.runs.values():
        if load_outcome(run.recipe.run.folder) is not None:
            scored = run.recipe.run.folder / "evaluation"
            rows = joined([read_rows(scored / split / ROWS_NAME) for split in SCORED])
            groups.setdefault(run.without, {})[run.name] = rows
    wanted = _wanted(plan)
    figures: dict[str, dict[str, Figure]] = {}
    draws: dict[str | None, Resamples] = {None: draw_resamples((), draws=0, seed=0)}
    for without, runs in groups.items():
        draws[without] = _draw(tuple(runs.values()), plan.basis.profile.draws)
        for name, rows in runs.items():
            found = named_figures(score(rows, resamples=draws[without]))
            figures[name] = {key: one for key, one in found.items() if key in wanted}
    return {
        name: _arm([plan.runs[run] for run in names], figures, draws, at)
        for at, (name, names) in enumerate(plan.of_arm.items())
    }


def _wanted(plan: Plan) -> frozenset[str]:
    return frozenset(
        part.prefix + name for part in plan.parts for name in COMPARED_FIGURES.values()
    )


def _draw(runs: Sequence[Collected], draws: int) -> Resamples:
    seen = {(who.identity.row, who.identity.slice_index): who for run in runs for who in run.seen}
    return draw_resamples(tuple(seen.values()), draws=draws, seed=0)


def _arm(
    runs: Sequence[Run],
    figures: Mapping[str, Mapping[str, Figure]],
    draws: Mapping[str | None, Resamples],
    at: int,
) -> Measured:
    found = [figures[run.name] for run in runs if run.name in figures]
    names = dict.fromkeys(name for one in found for name in one)
    resamples = draws.get(runs[0].without, draws[None])
    return Measured(
        planned=len(runs),
        outcomes=tuple(_outcomes(runs)),
        failures=tuple(_failures(runs)),
        figures={
            name: average_seeds([one[name] for one in found], resamples, at) for name in names
        },
        seeds={
            name: tuple(v for one in found if (v := one[name].value) is not None) for name in names
        },
        resamples=resamples,
    )


def _outcomes(runs: Sequence[Run]) -> Iterator[Outcome]:
    for run in runs:
        outcome = load_outcome(run.recipe.run.folder)
        if outcome is not None:
            yield outcome


def _failures(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        why = load_failure(run.recipe.run.folder)
        if why is not None:
            yield f"{run.name}: {why}"
