"""A comparison as tables, and as JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from tetract.evaluate.compare.comparison import Against, Comparison
from tetract.evaluate.compare.difference import Difference
from tetract.evaluate.serialise import plain
from tetract.types import Task
from tetract.types.figure import Figure
from tetract.types.table import Table

SCHEMA: Final = "tetract.comparison/1"
DASH: Final = "\N{EM DASH}"
_COLUMNS: Final = (
    *("figure", "baseline", "arm", "gain [95 %]", "gain in % [95 %]"),
    *("p", "p (Holm)", "effect", "verdict"),
)
_NOTE: Final = (
    "Gain: arm minus baseline on the same patients, turned round where less is better. Intervals: "
    "bootstrap of patients{seeds}. p: arms of each patient flipped at random; Holm: corrected over "
    "the primary figures of all arms. Effect: mean gain over its spread among patients. A tie is a "
    "gain whose interval holds 0."
)


def comparison_tables(comparison: Comparison, *, everything: bool = False) -> tuple[Table, ...]:
    """One table of primary figures per arm; with ``everything`` one more of all others."""
    return tuple(_tables(comparison, everything=everything))


def comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    """All of it as dicts, lists, strings and finite numbers."""
    return {
        "schema": SCHEMA,
        "use": "Research use only, not a medical device.",
        **plain(comparison),
    }


def _tables(comparison: Comparison, *, everything: bool) -> Iterator[Table]:
    for arm in comparison.arms:
        title = f"{arm.arm} against {comparison.baseline}, split {comparison.split}"
        yield Table(
            title=title,
            columns=_COLUMNS,
            rows=(*_rows(arm.family), _mean_row(arm)),
            note=_note(comparison, arm),
            warning=_warning(comparison, arm),
        )
        if everything:
            yield Table(
                title=f"{title}: all other figures",
                columns=_COLUMNS,
                rows=tuple(_rows(arm.others)),
                note="To look at, not to claim from: these p-values are not corrected.",
                warning=_banner(comparison, arm.others),
            )
    if comparison.ranks:
        yield Table(
            title="Mean rank over the primary figures all arms have",
            columns=("arm", "mean rank"),
            rows=tuple((name, f"{rank:.2f}") for name, rank in comparison.ranks),
            note="1 is the best.",
            warning=comparison.banner,
        )


def _rows(differences: Sequence[Difference]) -> Iterator[tuple[str, ...]]:
    for one in differences:
        yield (
            one.name + (" (less is better)" if one.lower_is_better else ""),
            _number(one.baseline),
            _number(one.arm),
            _signed(one.gain),
            _signed(one.relative, digits=1),
            _p(one.p),
            _p(one.p_holm),
            DASH if one.effect is None else f"{one.effect:+.2f}",
            str(one.verdict),
        )


def _mean_row(arm: Against) -> tuple[str, ...]:
    mean = _signed(arm.mean_relative, digits=1)
    return ("mean of the relative gains", "", "", "", mean, "", "", "", "")


def _note(comparison: Comparison, arm: Against) -> str:
    several = comparison.baseline_seeds > 1 and arm.seeds > 1
    parts = [_NOTE.format(seeds=" and of seeds" if several else "")]
    parts += [f"{one.name}: {one.gain.reason}." for one in arm.family if one.gain.value is None]
    parts += [
        f"{one.name}: no interval, {one.gain.no_interval}."
        for one in arm.family
        if one.gain.no_interval
    ]
    return " ".join(parts)


def _warning(comparison: Comparison, arm: Against) -> str:
    """What the numbers cannot say."""
    banner = _banner(comparison, arm.family)
    told = [banner] if banner else []
    if min(comparison.baseline_seeds, arm.seeds) == 1:
        told.append(
            "One seed: the intervals leave out how much a training differs when it is repeated."
        )
    if arm.not_compared:
        told.append(f"Not compared: {'; '.join(arm.not_compared)}.")
    if arm.shaky:
        told.append(f"Relative gain unstable, the baseline is near 0: {', '.join(arm.shaky)}.")
    return " ".join(told)


def _banner(comparison: Comparison, shown: Sequence[Difference]) -> str:
    """The banner, where classes are among what is shown."""
    return comparison.banner if any(Task.CLASSIFICATION in one.name for one in shown) else ""


def _number(figure: Figure) -> str:
    return DASH if figure.value is None else f"{figure.value:.3f}"


def _signed(figure: Figure, digits: int = 3) -> str:
    if figure.value is None:
        return DASH
    if figure.interval is None:
        return f"{figure.value:+.{digits}f}"
    low, high = figure.interval.low, figure.interval.high
    return f"{figure.value:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"


def _p(p: float | None) -> str:
    if p is None:
        return DASH
    return "<0.001" if p < 0.001 else f"{p:.3f}"
