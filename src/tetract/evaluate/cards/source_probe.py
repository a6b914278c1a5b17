"""Can the source be told from the features, and would that tell the class?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from tetract.evaluate.cards.probes import cross_predict
from tetract.tasks.classification.multiclass import agreed, balanced_accuracy
from tetract.types.batch import Sample
from tetract.types.figure import Figure
from tetract.types.identity import group_key
from tetract.types.resamples import draw_resamples, estimate

_FEWEST_PATIENTS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How well names are told.

    Attributes:
        figure: Balanced accuracy, its interval by bootstrap of patients.
        chance: What guessing scores: one over the number of names.
        names: What was told apart.
    """

    figure: Figure
    chance: float
    names: tuple[str, ...]


def tell_from_features(
    samples: Sequence[Sample],
    found: Float[np.ndarray, "N F"],
    names: Sequence[str],
    *,
    draws: int,
) -> Told | None:
    """Tell each slice's name from the features of other patients' slices; five folds of patients.

    Args:
        samples: The slices.
        found: Their features.
        names: The name of each, "" where it has none. A name of one patient is left out: it
            could only be told by him.
        draws: Bootstrap draws behind the interval.

    Returns:
        None where fewer than two names can be told apart.
    """
    kept, known = _tellable(samples, names)
    if len(known) < 2:
        return None
    mine = [samples[k] for k in kept]
    truth = np.array([[names[k] == name for name in known] for k in kept])
    groups = [group_key(sample.identity) for sample in mine]
    said = cross_predict(found[kept], truth.astype(np.float64), groups)
    best = np.eye(len(known), dtype=bool)[said.argmax(axis=1)]
    figure = estimate(
        agreed(truth, best, balanced_accuracy),
        mine,
        draw_resamples(mine, draws=draws, seed=0),
        reason="nothing to tell apart",
    )
    return Told(figure=figure, chance=1 / len(known), names=known)


def tell_from_source(samples: Sequence[Sample], names: Sequence[str], *, draws: int) -> Told | None:
    """As ``tell_from_features``, but nothing is known of a slice except which source it is from."""
    sources = [sample.identity.source for sample in samples]
    known = sorted(set(sources))
    said = np.array([[float(one == source) for source in known] for one in sources])
    return tell_from_features(samples, said, names, draws=draws)


def _tellable(samples: Sequence[Sample], names: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    """Places of slices whose name has at least two patients, and these names."""
    patients: dict[str, set[object]] = {}
    for sample, name in zip(samples, names, strict=True):
        patients.setdefault(name, set()).add(group_key(sample.identity))
    known = sorted(n for n, who in patients.items() if n and len(who) >= _FEWEST_PATIENTS)
    return [k for k, name in enumerate(names) if name in known], tuple(known)
