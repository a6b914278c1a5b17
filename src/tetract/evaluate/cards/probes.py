"""Quick classifiers on few slices: what can be told from features, without training a network."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeAlias

import numpy as np
from jaxtyping import Float, Int

from tetract.data.splits import drawn

# (N, F) known features, (N, L) their labels, (M, F) asked ones -> (M, L), sign or size decides.
Probe: TypeAlias = Callable[
    [Float[np.ndarray, "N F"], Float[np.ndarray, "N L"], Float[np.ndarray, "M F"]],
    Float[np.ndarray, "M L"],
]
_RIDGE: Final = 0.1  # of the mean eigenvalue of the kernel
_FOLDS: Final = 5


def ridge(
    known: Float[np.ndarray, "N F"],
    labels: Float[np.ndarray, "N L"],
    asked: Float[np.ndarray, "M F"],
) -> Float[np.ndarray, "M L"]:
    """Ridge regression on standardised features (Hoerl and Kennard 1970), all labels at once.

    In its dual form, since there are fewer slices than features.
    """
    centre, scale = known.mean(axis=0), known.std(axis=0)
    scale = np.where(scale > 1e-9 * max(1.0, float(scale.max())), scale, np.inf)
    inner, outer = (known - centre) / scale, (asked - centre) / scale
    kernel = inner @ inner.T
    penalty = max(_RIDGE * float(np.trace(kernel)) / len(kernel), 1e-9)
    mean = labels.mean(axis=0)
    weights = np.linalg.solve(kernel + penalty * np.eye(len(kernel)), labels - mean)
    return mean + outer @ inner.T @ weights


def nearest(
    known: Float[np.ndarray, "N F"],
    labels: Float[np.ndarray, "N L"],
    asked: Float[np.ndarray, "M F"],
) -> Float[np.ndarray, "M L"]:
    """The labels of the slice that correlates most with each; features are of unit length."""
    return labels[(asked @ known.T).argmax(axis=1)]


def cross_predict(
    found: Float[np.ndarray, "N F"],
    labels: Float[np.ndarray, "N L"],
    groups: Sequence[Hashable],
) -> Float[np.ndarray, "N L"]:
    """What ridge says of each group when it was fitted to others, in five folds of whole groups.

    A group is one patient: slices of a patient on both sides would be told by the patient. Needs
    at least two groups.
    """
    fold = _folds(groups)
    said = np.full(labels.shape, np.nan)
    for number in np.unique(fold):
        out = fold == number
        said[out] = ridge(found[~out], labels[~out], found[out])
    return said


def _folds(groups: Sequence[Hashable]) -> Int[np.ndarray, " N"]:
    order = sorted(set(groups), key=lambda group: drawn(0, str(group)))
    number = {group: place % _FOLDS for place, group in enumerate(order)}
    return np.array([number[group] for group in groups], dtype=np.int64)
