"""One primary number per task, chosen in advance: for validation curves and early stopping."""

from __future__ import annotations

from collections.abc import Iterator

from tetract.evaluate.result import Evaluation, Section
from tetract.tasks.segmentation.metrics import SegmentationScores
from tetract.types import Task

# Organs that are segmented too. They are easy and large, and would hide the lesions in a mean.
ANATOMY = frozenset({"lung", "lungs", "left_lung", "right_lung"})

PRIMARY = {
    Task.CLASSIFICATION: "classification/auroc_macro",
    Task.SEGMENTATION: "segmentation/dice_lesions",
    Task.RECONSTRUCTION: "reconstruction/masked_mae",
    Task.DETECTION: "detection/ap_30_any_lesion",
}
LOWER_IS_BETTER = frozenset({PRIMARY[Task.RECONSTRUCTION]})


def headline(evaluation: Evaluation) -> dict[str, float | None]:
    """The primary number of each of the model's tasks, over all rows.

    Returns:
        By name, in the order of ``Task``; None where it is not defined. All are in [0, 1], and
        higher is better but for those of ``LOWER_IS_BETTER``.
    """
    return dict(_primary(evaluation.overall))


def _primary(section: Section) -> Iterator[tuple[str, float | None]]:
    if section.classification is not None:
        yield PRIMARY[Task.CLASSIFICATION], section.classification.auroc_macro.value
    if section.segmentation is not None:
        yield PRIMARY[Task.SEGMENTATION], mean_lesion_dice(section.segmentation)
    if section.reconstruction is not None:
        yield PRIMARY[Task.RECONSTRUCTION], section.reconstruction.masked_mae.value
    if section.detection is not None:
        yield PRIMARY[Task.DETECTION], section.detection.any_lesion.ap_30.value


def mean_lesion_dice(scores: SegmentationScores) -> float | None:
    """Mean of the defined Dice of the classes that are no anatomy; of all where all are."""
    lesions = [one for one in scores.classes if one.name not in ANATOMY] or scores.classes
    defined = [one.dice.value for one in lesions if one.dice.value is not None]
    return sum(defined) / len(defined) if defined else None
