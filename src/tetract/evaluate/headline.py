"""One primary number per task, chosen in advance: for validation curves and early stopping."""

from __future__ import annotations

from collections.abc import Iterator

from tetract.evaluate.result import Evaluation, Section
from tetract.types import Task

PRIMARY = {
    Task.CLASSIFICATION: "classification/auroc_macro",
    Task.SEGMENTATION: "segmentation/dice_lesions",
    Task.RECONSTRUCTION: "reconstruction/masked_mae",
    Task.DETECTION: "detection/ap_30_any_lesion",
}
# The same numbers where every figure has a name: see ``evaluate.named_figures``.
PRIMARY_FIGURES = PRIMARY | {Task.DETECTION: "detection/any_lesion/ap_30"}
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
        yield PRIMARY[Task.SEGMENTATION], section.segmentation.dice_lesions.value
    if section.reconstruction is not None:
        yield PRIMARY[Task.RECONSTRUCTION], section.reconstruction.masked_mae.value
    if section.detection is not None:
        yield PRIMARY[Task.DETECTION], section.detection.any_lesion.ap_30.value
