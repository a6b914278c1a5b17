"""Take the lesion away and see whether the model stops seeing it.

The lesion is hidden and painted over by the reconstruction arm; in a second picture, an equal area
elsewhere in the same lung is. A class or a box that rests on the lesion goes in the first and
stays in the second. What goes in both rests on the painting over, and what stays in both on
something else than the lesion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from tetract.evaluate.cards.blanking import covered, lung_regions
from tetract.evaluate.cards.looked_at import images
from tetract.evaluate.cards.regions import Region, healthy_place, lesion, without_gaps
from tetract.evaluate.collect import Predictor
from tetract.types import Task
from tetract.types.batch import Sample
from tetract.types.figure import Figure
from tetract.types.predictions import DetectedBoxes
from tetract.types.resamples import Resamples, estimate, weighted_mean

MOST: Final = 24
_AT_ONCE: Final = 8
LEAST_SCORE: Final = 0.1
GONE: Final = 0.5  # of the score that the box had


@dataclass(frozen=True, slots=True, kw_only=True)
class Flips:
    """How often an answer is gone, on the slices that had it.

    Attributes:
        lesion: Share gone with the lesion hidden.
        healthy: Share gone with an equal healthy area hidden.
        difference: The first minus the second, slice by slice.
    """

    lesion: Figure
    healthy: Figure
    difference: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """What hiding does.

    Attributes:
        classes: Of slices that were called diseased; None without a class arm.
        boxes: Of slices with a box on a lesion; None without a detection arm.
        slices: Slices with a lesion and a healthy place as large.
        no_place: Slices with a lesion that were left out for want of such a place.
    """

    classes: Flips | None
    boxes: Flips | None
    slices: int
    no_place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    sample: Sample
    hurt: Region
    healthy: Region


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What the model says of one picture.

    Attributes:
        called: Index of the class that it says, or -1 without a class arm.
        score: The best score of a box whose centre lies on the lesion, 0 without.
    """

    called: int
    score: float


def hide_lesions(
    network: Predictor, samples: Sequence[Sample], resamples: Resamples, healthy: tuple[str, ...]
) -> Counterfactual:
    """Hide lesions and equal healthy areas, and count which answers go.

    Args:
        network: With a reconstruction arm.
        samples: Slices, with lesions or without.
        resamples: Draws of the patients, for the intervals.
        healthy: Classes that mean the absence of disease.
    """
    cases, no_place = _cases(network, samples)
    answers = [_answers(network, cases, which) for which in ("none", "hurt", "healthy")]
    whole, hurt, fine = answers
    classes = network.label_space.classes
    well = {classes.index(name) for name in healthy if name in classes}
    diseased = np.array([one.called >= 0 and one.called not in well for one in whole], dtype=bool)
    boxed = np.array([one.score >= LEAST_SCORE for one in whole], dtype=bool)

    def flips(asked: Bool[np.ndarray, " N"], gone: list[Float[np.ndarray, " N"]]) -> Flips:
        rows = [case.sample for case, is_asked in zip(cases, asked, strict=True) if is_asked]

        def share(values: Float[np.ndarray, " N"]) -> Figure:
            reason = "no slice with a lesion had this answer"
            return estimate(weighted_mean(values[asked]), rows, resamples, reason=reason)

        return Flips(
            lesion=share(gone[0]), healthy=share(gone[1]), difference=share(gone[0] - gone[1])
        )

    return Counterfactual(
        classes=flips(diseased, [_other_class(whole, other) for other in (hurt, fine)])
        if Task.CLASSIFICATION in network.tasks
        else None,
        boxes=flips(boxed, [_box_gone(whole, other) for other in (hurt, fine)])
        if Task.DETECTION in network.tasks
        else None,
        slices=len(cases),
        no_place=no_place,
    )


def _cases(network: Predictor, samples: Sequence[Sample]) -> tuple[list[_Case], int]:
    space = network.label_space
    hurt = [(sample, lesion(sample, space)) for sample in samples]
    sick = [(sample, region) for sample, region in hurt if region is not None][:MOST]
    lungs = lung_regions(network, [sample for sample, _ in sick])
    cases: list[_Case] = []
    for (sample, region), (lung, _) in zip(sick, lungs, strict=True):
        place = healthy_place(region, without_gaps(lung), sample.identity)
        if place is not None:
            cases.append(_Case(sample=sample, hurt=region, healthy=place))
    return cases, len(sick) - len(cases)


def _answers(network: Predictor, cases: Sequence[_Case], which: str) -> list[_Answer]:
    tasks = tuple(t for t in network.tasks if t in (Task.CLASSIFICATION, Task.DETECTION))
    answers: list[_Answer] = []
    for first in range(0, len(cases), _AT_ONCE):
        part = cases[first : first + _AT_ONCE]
        samples = [case.sample for case in part]
        shown = images(samples)
        if which != "none":
            shown = painted_over(network, samples, [getattr(case, which) for case in part])
        said = network.predict(shown, tasks)
        called = [-1] * len(part)
        if said.class_probabilities is not None:
            called = said.class_probabilities.argmax(dim=1).tolist()
        boxes = said.boxes or (None,) * len(part)
        answers += [
            _Answer(called=name, score=_best_on(box, case.hurt))
            for name, box, case in zip(called, boxes, part, strict=True)
        ]
    return answers


def painted_over(
    network: Predictor, samples: Sequence[Sample], regions: Sequence[Region]
) -> Float32[Tensor, "N C H W"]:
    """The images, with each region as the reconstruction arm infers it from the rest."""
    hidden = torch.from_numpy(np.stack(regions))[:, None]
    inferred = network.predict(covered(samples, regions), (Task.RECONSTRUCTION,)).reconstruction
    if inferred is None:
        msg = "a network without a reconstruction arm cannot paint over"
        raise ValueError(msg)
    return torch.where(hidden, inferred.float().cpu().clamp(0, 1), images(samples))


def _best_on(boxes: DetectedBoxes | None, hurt: Region) -> float:
    """The best score among boxes whose centre lies on a lesion."""
    if boxes is None:
        return 0.0
    for (x0, y0, x1, y1), score in zip(boxes.xyxy.tolist(), boxes.scores.tolist(), strict=True):
        row = min(int((y0 + y1) / 2), hurt.shape[0] - 1)
        column = min(int((x0 + x1) / 2), hurt.shape[1] - 1)
        if hurt[row, column]:
            return float(score)  # best score first
    return 0.0


def _other_class(whole: list[_Answer], other: list[_Answer]) -> Float[np.ndarray, " N"]:
    return np.array([float(a.called != b.called) for a, b in zip(whole, other, strict=True)])


def _box_gone(whole: list[_Answer], other: list[_Answer]) -> Float[np.ndarray, " N"]:
    return np.array([float(b.score < GONE * a.score) for a, b in zip(whole, other, strict=True)])
