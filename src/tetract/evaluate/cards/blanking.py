"""Does the classifier still work where there is nothing left to see?

DeGrave et al. 2021 (doi 10.1038/s42256-021-00338-7): networks that told COVID from what lay outside
the lungs. So the lungs are blanked, and everything but the border, and the class is asked again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float32

from tetract.evaluate.cards.looked_at import images
from tetract.evaluate.cards.regions import (
    BORDER,
    CENTRE,
    Region,
    anatomy_channels,
    labelled_lung,
    middle,
    without_gaps,
)
from tetract.evaluate.collect import Predictor
from tetract.tasks.classification.metrics import ClassificationRow, score_classification
from tetract.types import Task
from tetract.types.batch import Sample
from tetract.types.figure import Figure
from tetract.types.resamples import Resamples

BLANK: Final = 0.5  # the middle of the window, as hidden pixels are shown in training
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Blanked:
    """AUROC (macro) on the same slices, seen in three ways.

    Attributes:
        whole: As they are.
        no_lung: With the lungs blanked.
        border: With all but the outer tenth blanked.
        lungs: Where the lungs were taken from, with the number of slices.
    """

    whole: Figure
    no_lung: Figure
    border: Figure
    lungs: Mapping[str, int]


def blank_and_ask(
    network: Predictor, samples: Sequence[Sample], resamples: Resamples
) -> Blanked | None:
    """Score the class on ``samples`` three times; None where no slice has a class."""
    if not samples:
        return None
    lungs = lung_regions(network, samples)
    keep = [~middle(sample, 1 - 2 * BORDER) for sample in samples]
    return Blanked(
        whole=_auroc(network, samples, [np.zeros_like(one) for one in keep], resamples),
        no_lung=_auroc(network, samples, [without_gaps(lung) for lung, _ in lungs], resamples),
        border=_auroc(network, samples, [~one for one in keep], resamples),
        lungs=Counter(origin for _, origin in lungs),
    )


def lung_regions(network: Predictor, samples: Sequence[Sample]) -> list[tuple[Region, str]]:
    """The lung of each slice, and where it was taken from: labels, the model, or its place."""
    space = network.label_space
    found = [labelled_lung(sample, space) for sample in samples]
    painted = _painted_lungs(network, samples, [k for k, one in enumerate(found) if one is None])
    chosen: list[tuple[Region, str]] = []
    for number, (sample, labelled) in enumerate(zip(samples, found, strict=True)):
        if labelled is not None:
            chosen.append((labelled, "lung labels"))
        elif number in painted:
            chosen.append((painted[number], "the model's lung masks"))
        else:
            chosen.append((middle(sample, CENTRE), f"the central {CENTRE:.0%} of the slice"))
    return chosen


def _painted_lungs(
    network: Predictor, samples: Sequence[Sample], wanted: Sequence[int]
) -> dict[int, Region]:
    channels = anatomy_channels(network.label_space)
    if not channels or Task.SEGMENTATION not in network.tasks:
        return {}
    found: dict[int, Region] = {}
    for part in _parts(wanted):
        shown = images([samples[k] for k in part])
        masks = network.predict(shown, (Task.SEGMENTATION,)).mask_probabilities
        if masks is not None:
            lungs = (masks[:, channels] >= 0.5).any(dim=1).cpu().numpy()
            found |= dict(zip(part, lungs, strict=True))
    return found


def _auroc(
    network: Predictor, samples: Sequence[Sample], blanked: Sequence[Region], resamples: Resamples
) -> Figure:
    said = probabilities(network, covered(samples, blanked))
    rows = [
        ClassificationRow(
            probabilities=said[k], candidates=_known(sample), identity=sample.identity
        )
        for k, sample in enumerate(samples)
    ]
    return score_classification(rows, network.label_space.classes, resamples=resamples).auroc_macro


def covered(
    samples: Sequence[Sample], regions: Sequence[Region]
) -> Float32[torch.Tensor, "N C H W"]:
    """The images with these regions blanked."""
    hidden = torch.from_numpy(np.stack(regions))[:, None]
    return torch.where(hidden, torch.full((), BLANK), images(samples))


def probabilities(
    network: Predictor, shown: Float32[torch.Tensor, "N C H W"]
) -> Float32[np.ndarray, "N K"]:
    """What the class arm says of images."""
    said = [
        network.predict(part, (Task.CLASSIFICATION,)).class_probabilities
        for part in shown.split(_AT_ONCE)
    ]
    return torch.cat([one for one in said if one is not None]).float().cpu().numpy()


def _known(sample: Sample) -> np.ndarray:
    label = sample.targets.label
    if label is None:
        msg = "a slice without class among those to classify"
        raise ValueError(msg)
    return label


def _parts(wanted: Sequence[int]) -> list[Sequence[int]]:
    return [wanted[first : first + _AT_ONCE] for first in range(0, len(wanted), _AT_ONCE)]
