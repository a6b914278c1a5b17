"""The shortcut card: does the model look at the disease, or at something that goes with it?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from jaxtyping import Float

from tetract.evaluate.cards.blanking import Blanked, blank_and_ask
from tetract.evaluate.cards.counterfactual import Counterfactual, Flips, hide_lesions
from tetract.evaluate.cards.looked_at import LookedAt, features, labelled, read, spread
from tetract.evaluate.cards.material import Material
from tetract.evaluate.cards.source_probe import Told, tell_from_features, tell_from_source
from tetract.evaluate.cards.words import (
    bad,
    figure_text,
    good,
    note,
    unknown,
    with_support,
    worst_first,
)
from tetract.evaluate.class_source import source_banner
from tetract.types import Task
from tetract.types.batch import Sample
from tetract.types.card import Card, Remark
from tetract.types.figure import Figure
from tetract.types.resamples import AS_IS, Resamples, draw_resamples
from tetract.types.table import Table

MOST_BLANKED: Final = 64
_CHANCE_AUROC: Final = 0.5
_WORTH: Final = 0.1  # above chance: what a class gains from knowing the source
_CANDIDATES: Final = 48


def shortcut_card(material: Material, seen: LookedAt) -> Card:
    """Source from features, class without lungs, lesions taken away."""
    told = _source_and_class(material, seen)
    blanked = _blanked(material, seen)
    hidden = _hidden(material)
    remarks = [
        *_source_remarks(material, told),
        *_blanked_remarks(material, blanked),
        *_hidden_remarks(material, hidden),
    ]
    tables = [_told_table(told), _blanked_table(blanked), _hidden_table(hidden)]
    return Card(
        name="shortcut",
        title="Shortcut card: does the model look at the disease?",
        remarks=worst_first(remarks),
        tables=tuple(table for table in tables if table is not None),
        banner=source_banner(material.evaluation),
    )


_Toldness = dict[str, Told | None]
_SOURCE, _CLASS, _CLASS_BY_SOURCE = "source", "class", "class from the source's name alone"


def _source_and_class(material: Material, seen: LookedAt) -> _Toldness:
    samples = seen.all
    draws = material.evaluation.bootstrap_draws
    if not samples:
        return {}
    found: Float[np.ndarray, "N F"] = features(material.bundle.network, samples)
    sources = [sample.identity.source for sample in samples]
    classes = [_class_of(sample, material) for sample in samples]
    return {
        _SOURCE: tell_from_features(samples, found, sources, draws=draws),
        _CLASS: tell_from_features(samples, found, classes, draws=draws),
        _CLASS_BY_SOURCE: tell_from_source(samples, classes, draws=draws),
    }


def _class_of(sample: Sample, material: Material) -> str:
    label = sample.targets.label
    if label is None or int(label.sum()) != 1:
        return ""
    return material.evaluation.label_space.classes[int(label.argmax())]


def _source_remarks(material: Material, told: _Toldness) -> Iterator[Remark]:
    banner = source_banner(material.evaluation)
    if material.evaluation.class_is_source:
        yield bad("Class and source coincide: no classification figure over all rows can be used.")
    elif banner:
        yield bad(banner)
    source, by_source = told.get(_SOURCE), told.get(_CLASS_BY_SOURCE)
    if source is None:
        yield unknown(
            "One source only (of two patients or more): nothing here tells how the model does "
            "elsewhere, nor whether it knows the source."
        )
        return
    said = (
        f"The source is told from the features with balanced accuracy "
        f"{figure_text(source.figure)} (chance {source.chance:.2f}, {len(source.names)} sources)"
    )
    interval = source.figure.interval
    if interval is None:
        yield unknown(f"{said}; {source.figure.no_interval or 'no interval was asked for'}.")
    elif interval.low <= source.chance:
        yield good(f"{said}: not above chance.")
    else:
        yield _worth(by_source, said)


def _worth(by_source: Told | None, said: str) -> Remark:
    """What a model gains that knows the source."""
    if by_source is None or by_source.figure.value is None:
        return note(f"{said}. What the source would tell of the class is not known.")
    chance, interval = by_source.chance, by_source.figure.interval
    tells = f"the source's name alone tells the class with {figure_text(by_source.figure)}"
    text = f"{said}; {tells} (chance {chance:.2f})"
    gains = by_source.figure.value > chance + _WORTH and (interval is None or interval.low > chance)
    return bad(f"{text}: the class may be read off the source.") if gains else note(f"{text}.")


def _resamples(material: Material) -> Resamples:
    draws = material.evaluation.bootstrap_draws
    return draw_resamples(material.collected.seen, draws=draws, seed=0) if draws else AS_IS


def _blanked(material: Material, seen: LookedAt) -> Blanked | None:
    if Task.CLASSIFICATION not in material.evaluation.tasks:
        return None
    rows = labelled(seen.scored, Task.CLASSIFICATION)[:MOST_BLANKED]
    return blank_and_ask(material.bundle.network, rows, _resamples(material))


def _blanked_remarks(material: Material, blanked: Blanked | None) -> Iterator[Remark]:
    if Task.CLASSIFICATION not in material.evaluation.tasks:
        return
    if blanked is None or blanked.whole.value is None:
        yield unknown("The class without lungs: too few slices of known class to score.")
        return
    if blanked.whole.interval is None or blanked.whole.interval.low <= _CHANCE_AUROC:
        why = blanked.whole.no_interval or "not shown to be above chance"
        yield unknown(
            f"The class without lungs: on the slices looked at its AUROC with everything shown is "
            f"{figure_text(blanked.whole)} ({why}), so blanking tells nothing."
        )
        return
    lungs = " and ".join(f"{origin} on {count}" for origin, count in blanked.lungs.items())
    yield _still(blanked.no_lung, blanked.whole, f"With the lungs blanked ({lungs} slices)")
    yield _still(blanked.border, blanked.whole, "With everything but the border blanked")


def _still(without: Figure, whole: Figure, how: str) -> Remark:
    said = f"{how} the AUROC is {figure_text(without)}, of {figure_text(whole)}"
    if without.value is None or without.interval is None or whole.value is None:
        return unknown(f"{said}; {without.no_interval or without.reason}.")
    if without.interval.low <= _CHANCE_AUROC:
        return good(f"{said}: not above chance.")
    kept = (without.value - _CHANCE_AUROC) / (whole.value - _CHANCE_AUROC)
    text = f"{said}: {kept:.0%} of what is above chance stays without it."
    return bad(text) if kept > _CHANCE_AUROC else note(text)


def _hidden(material: Material) -> Counterfactual | None:
    tasks = material.evaluation.tasks
    if Task.RECONSTRUCTION not in tasks or not {Task.CLASSIFICATION, Task.DETECTION} & set(tasks):
        return None
    dataset = material.scored
    columns = [list(Task).index(task) for task in (Task.SEGMENTATION, Task.DETECTION)]
    places = np.flatnonzero(dataset.positive[:, columns].any(axis=1)).tolist()
    groups = [dataset.items[k].row.group for k in places]
    samples, _ = read(dataset, spread(groups, _CANDIDATES, 4, places))
    healthy = material.evaluation.setting.healthy
    return hide_lesions(material.bundle.network, samples, _resamples(material), healthy)


def _hidden_remarks(material: Material, hidden: Counterfactual | None) -> Iterator[Remark]:
    tasks = material.evaluation.tasks
    if not {Task.CLASSIFICATION, Task.DETECTION} & set(tasks):
        return
    if Task.RECONSTRUCTION not in tasks:
        yield unknown("Lesions could not be hidden: the model has no reconstruction arm.")
    elif hidden is None or not hidden.slices:
        yield unknown(
            "Lesions could not be hidden: no scored slice with a known lesion and a healthy "
            "place as large."
        )
    else:
        if hidden.classes is not None:
            yield _flipped(hidden.classes, "the class said of diseased slices changes")
        if hidden.boxes is not None:
            yield _flipped(hidden.boxes, "the box on the lesion goes")


def _flipped(flips: Flips, what: str) -> Remark:
    if flips.difference.value is None:
        return unknown(f"Hiding lesions, whether {what}: {flips.difference.reason}.")
    said = (
        f"With the lesion hidden {what} in {_share(flips.lesion)} of "
        f"{flips.lesion.support.slices} slices, with an equal healthy area hidden in "
        f"{_share(flips.healthy)}: difference {figure_text(flips.difference)}"
    )
    interval = flips.difference.interval
    if interval is not None and interval.low > 0:
        return good(f"{said}: the answer rests on the lesion.")
    if flips.difference.value <= 0:
        return bad(f"{said}: the answer does not rest on the lesion.")
    return unknown(
        f"{said}: too uncertain to say ({flips.difference.no_interval or 'includes 0'})."
    )


def _share(figure: Figure) -> str:
    return "-" if figure.value is None else f"{figure.value:.0%}"


def _told_table(told: _Toldness) -> Table | None:
    rows: Sequence[tuple[str, ...]] = [
        (name, with_support(one.figure), f"{one.chance:.2f}", ", ".join(one.names))
        for name, one in told.items()
        if one is not None
    ]
    if not rows:
        return None
    return Table(
        title="What a probe tells",
        columns=("told", "balanced accuracy", "chance", "names"),
        rows=tuple(rows),
        note="Ridge on the network's pooled features, five folds of whole patients; in square "
        "brackets the 95 % interval, patients drawn again; slices / patients.",
    )


def _blanked_table(blanked: Blanked | None) -> Table | None:
    if blanked is None:
        return None
    return Table(
        title="The class, seen in part",
        columns=("slices shown", "AUROC (macro)"),
        rows=(
            ("whole", with_support(blanked.whole)),
            ("lungs blanked", with_support(blanked.no_lung)),
            ("only the border", with_support(blanked.border)),
        ),
        note="Lungs: " + ", ".join(f"{k} ({n} slices)" for k, n in blanked.lungs.items()) + ".",
    )


def _hidden_table(hidden: Counterfactual | None) -> Table | None:
    if hidden is None or not hidden.slices:
        return None
    named = (("class", hidden.classes), ("boxes", hidden.boxes))
    return Table(
        title="Answers that go when something is hidden",
        columns=("answer", "lesion hidden", "healthy area hidden", "difference"),
        rows=tuple(
            (name, figure_text(one.lesion), figure_text(one.healthy), with_support(one.difference))
            for name, one in named
            if one is not None
        ),
        note=f"{hidden.slices} slices with a lesion; {hidden.no_place} more had no healthy place "
        "as large.",
    )
