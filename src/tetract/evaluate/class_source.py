"""Do class and source coincide, so that to know the scanner is to know the class?

DeGrave et al. 2021 (doi 10.1038/s42256-021-00338-7) is how that ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool

from tetract.evaluate.result import Evaluation

# Logged as 1 beside validation figures that must not be read without the banner.
CLASS_IS_SOURCE: Final = "class_is_source"
BANNER: Final = (
    "Class and source coincide: overall classification figures may measure the source. No source "
    "by itself tells a class from the rest, so telling the scanners apart is enough to score high."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coincidence:
    """How far the sources give the classes away.

    Attributes:
        single: Sources whose labelled slices all carry the same label.
        told: Classes that no source holds both with and without, although there are slices of
            both kinds: only slices of different sources are ever told apart.
        whole: Whether that is so of every class that can be told from the rest.
    """

    single: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    whole: bool = False

    @property
    def banner(self) -> str:
        """What must stand before every overall classification figure; "" where they are apart."""
        if self.whole:
            return BANNER
        if not self.told:
            return ""
        names = ", ".join(self.told)
        return (
            f"Class and source coincide for {names}: no source holds slices both with and without, "
            "so overall classification figures may measure the source."
        )


def find_coincidence(
    candidates: Bool[np.ndarray, "N K"], sources: Sequence[str], classes: Sequence[str]
) -> Coincidence:
    """Look at the labels alone.

    Args:
        candidates: Of each slice, the classes that it may be; a slice without any is unlabelled.
        sources: Of each slice.
        classes: Names of the K classes.
    """
    names = np.asarray(sources, dtype=str)
    labels = {
        name: np.unique(candidates[(names == name) & candidates.any(axis=1)], axis=0)
        for name in sorted(set(sources))
    }
    labels = {name: found for name, found in labels.items() if len(found)}
    single = tuple(name for name, found in labels.items() if len(found) == 1)
    decided, told = _decided(labels, classes)
    return Coincidence(single=single, told=told, whole=bool(decided) and decided == told)


def coincidence(evaluation: Evaluation) -> Coincidence:
    """That of an evaluation."""
    return Coincidence(
        single=evaluation.single_class_sources,
        told=evaluation.classes_told_by_source,
        whole=evaluation.class_is_source,
    )


def source_banner(evaluation: Evaluation) -> str:
    """``Coincidence.banner`` of an evaluation of classes, "" of any other."""
    return "" if evaluation.overall.classification is None else coincidence(evaluation).banner


def source_warning(evaluation: Evaluation) -> str:
    """The banner; else which sources are of a single class, "" where none is."""
    if evaluation.overall.classification is None:
        return ""
    found = coincidence(evaluation)
    if found.banner or len(evaluation.sources) < 2 or not found.single:
        return found.banner
    return (
        f"Of a single class: {', '.join(found.single)}. Overall classification figures may in part "
        "measure the source."
    )


def _decided(
    labels: dict[str, Bool[np.ndarray, "L K"]], classes: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Classes that are told from the rest at all, and those of them by source only."""
    decided: list[str] = []
    told: list[str] = []
    for column, name in enumerate(classes):
        kinds = [set(_kinds(found, column)) for found in labels.values()]
        if set().union(*kinds) == {True, False}:
            decided.append(name)
            if all(len(one) < 2 for one in kinds):
                told.append(name)
    return tuple(decided), tuple(told)


def _kinds(found: Bool[np.ndarray, "L K"], column: int) -> Iterator[bool]:
    """Whether each label decides the class, and how; an open one says nothing."""
    for one in found:
        if not one[column]:
            yield False
        elif one.sum() == 1:
            yield True
