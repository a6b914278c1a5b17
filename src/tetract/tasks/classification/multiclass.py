"""Figures of all classes together, over the rows whose class is known.

A study that lacks one of the classes of the data has no balanced accuracy and no macro F1: the
mean over fewer classes would be another figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int

from tetract.types.resamples import Statistic, ratio

_Counts: TypeAlias = Float[np.ndarray, "R K"]
# Of the rows that are, are said to be, and are rightly said to be of each class, and of which
# classes the data show at all.
Agreement: TypeAlias = Callable[
    [_Counts, _Counts, _Counts, Bool[np.ndarray, " K"]], Float[np.ndarray, " R"]
]


def agreed(
    is_class: Bool[np.ndarray, "N K"], is_said: Bool[np.ndarray, "N K"], figure: Agreement
) -> Statistic:
    """The statistic of what was said of rows of known class.

    Args:
        is_class: True at the class of each row.
        is_said: True at the class that was said of it.
        figure: Turns counts into the figure. It is NaN in studies of fewer than two classes.
    """
    return partial(_agreed, is_class.astype(np.float64), is_said.astype(np.float64), figure)


def accuracy(
    are: _Counts, _called: _Counts, right: _Counts, _present: Bool[np.ndarray, " K"]
) -> Float[np.ndarray, " R"]:
    """Share of rows whose class is said rightly."""
    return ratio(right.sum(axis=1), are.sum(axis=1))


def balanced_accuracy(
    are: _Counts, _called: _Counts, right: _Counts, present: Bool[np.ndarray, " K"]
) -> Float[np.ndarray, " R"]:
    """Mean recall of the classes present."""
    return _mean(_each(right, are)[:, present])


def f1_macro(
    are: _Counts, called: _Counts, right: _Counts, present: Bool[np.ndarray, " K"]
) -> Float[np.ndarray, " R"]:
    """Mean F1 of the classes present."""
    found = np.where(are > 0, _each(2 * right, are + called), np.nan)
    return _mean(found[:, present])


def mcc(
    are: _Counts, called: _Counts, right: _Counts, _present: Bool[np.ndarray, " K"]
) -> Float[np.ndarray, " R"]:
    """Matthews' correlation coefficient of K classes (Gorodkin 2004).

    doi 10.1016/j.compbiolchem.2004.09.006. 0 where one class is said of every row: that tells
    nothing apart, and is a result.
    """
    rows = are.sum(axis=1)
    agreement = right.sum(axis=1) * rows - (are * called).sum(axis=1)
    spread_true = rows**2 - (are**2).sum(axis=1)
    spread_called = rows**2 - (called**2).sum(axis=1)
    spread = np.sqrt(spread_true) * np.sqrt(spread_called)
    return np.divide(agreement, spread, out=np.zeros_like(spread), where=spread > 0)


def mean_of_classes(
    parts: Sequence[tuple[Int[np.ndarray, "..."], Statistic]],
) -> Statistic:
    """The plain mean of one statistic per class.

    Args:
        parts: For each class, where its rows stand among all rows, and its statistic. Empty: the
            mean is undefined.
    """
    return partial(_mean_of_classes, parts)


def _agreed(
    true: Float[np.ndarray, "N K"],
    called: Float[np.ndarray, "N K"],
    figure: Agreement,
    weights: Float[np.ndarray, "R N"],
) -> Float[np.ndarray, " R"]:
    are = weights @ true
    several = (are > 0).sum(axis=1) > 1
    found = figure(are, weights @ called, weights @ (true * called), true.sum(axis=0) > 0)
    return np.where(several, found, np.nan)


def _mean_of_classes(
    parts: Sequence[tuple[Int[np.ndarray, "..."], Statistic]], weights: Float[np.ndarray, "R N"]
) -> Float[np.ndarray, " R"]:
    if not parts:
        return np.full(len(weights), np.nan)
    return np.mean([one(weights[:, columns]) for columns, one in parts], axis=0)


def _each(above: _Counts, below: _Counts) -> _Counts:
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)


def _mean(values: _Counts) -> Float[np.ndarray, " R"]:
    """NaN for no column, without the warning of numpy's own."""
    return ratio(values.sum(axis=1), np.full(len(values), float(values.shape[1])))
