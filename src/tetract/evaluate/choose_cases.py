"""Which slices an evaluation shows: the best, the median and the worst of each task, by a rule.

One number per slice says how well it went; slices are ordered by it, and of equal ones the earlier
in the table comes first. Nobody picks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from jaxtyping import Bool

from tetract.evaluate.collect import Collected
from tetract.evaluate.score import ANATOMY
from tetract.tasks.classification.metrics import ClassificationRow
from tetract.tasks.detection.boxes import box_iou
from tetract.tasks.detection.metrics import DetectionRow
from tetract.tasks.reconstruction.metrics import ReconstructionRow
from tetract.tasks.segmentation.metrics import SegmentationRow
from tetract.types import Task
from tetract.types.case import Place
from tetract.types.identity import Identity

MATCH_IOU: Final = 0.3
FIGURES: Final[Mapping[Task, str]] = MappingProxyType(
    {
        Task.CLASSIFICATION: "probability given to the classes that the label allows",
        Task.SEGMENTATION: "Dice of the lesions on the slice, pixels of all classes pooled",
        Task.RECONSTRUCTION: "mean absolute error of the hidden pixels, share of the window",
        Task.DETECTION: "score margin of lesions over false alarms",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One slice that was chosen.

    Attributes:
        task: For which task.
        place: As what.
        value: The number it was chosen by; see ``FIGURES``.
        identity: Which slice it is.
    """

    task: Task
    place: Place
    value: float
    identity: Identity


def choose_cases(collected: Collected) -> tuple[Choice, ...]:
    """Best, median and worst slice of each task, each slice once per task.

    Classification: labelled slices, by the summed probability of the label's candidates.
    Segmentation: slices that bear a lesion, by Dice. Reconstruction: by the error of hidden
    pixels, least is best. Detection: slices that bear a lesion, by the mean over its lesions of
    the best score of a box at IoU 0.3 (0: none), minus the best score of a box that meets none.
    """
    found: list[Choice] = []
    for task in collected.tasks:
        marks = list(_marks(task, collected))
        # The sort is stable: of equal slices the earlier in the table is the better.
        marks.sort(key=lambda mark: -mark[0])
        for place, at in _places(len(marks)):
            mark, identity = marks[at]
            value = -mark if task is Task.RECONSTRUCTION else mark
            found.append(Choice(task=task, place=place, value=value, identity=identity))
    return tuple(found)


def margin(row: DetectionRow) -> float | None:
    """How far the lesions' scores stand above the best false alarm, in [-1, 1].

    None on a slice without a lesion.
    """
    if not len(row.truth_xyxy):
        return None
    # A lesion that nobody looked for here may be there: such a box is no false alarm.
    judged = row.annotated[row.labels]
    boxes, scores = row.xyxy[judged], row.scores[judged]
    meets = box_iou(row.truth_xyxy, boxes) >= MATCH_IOU
    hits = np.where(meets, scores[None], 0.0).max(axis=1, initial=0.0)
    alarms = scores[~meets.any(axis=0)]
    return float(hits.mean() - alarms.max(initial=0.0))


def lesion_dice(row: SegmentationRow, lesions: Bool[np.ndarray, " M"]) -> float | None:
    """Dice of the annotated lesion channels together; None where they are empty."""
    counted = lesions & row.annotated
    hit = int(row.true_positive[counted].sum())
    missed = int(row.false_negative[counted].sum())
    if not hit + missed:
        return None
    return 2 * hit / (2 * hit + int(row.false_positive[counted].sum()) + missed)


def lesion_channels(names: Sequence[str]) -> Bool[np.ndarray, " M"]:
    """Which mask classes are no anatomy; all where all are."""
    lesions = np.array([name not in ANATOMY for name in names], dtype=np.bool_)
    return lesions if lesions.any() else ~lesions


def _marks(task: Task, collected: Collected) -> Iterator[tuple[float, Identity]]:
    """A number per slice that has one, more is better."""
    lesions = lesion_channels(collected.label_space.mask_classes)
    pairs: Sequence[tuple[float | None, Identity]] = ()
    if task is Task.CLASSIFICATION:
        pairs = [(_allowed(row), row.identity) for row in collected.classification]
    elif task is Task.SEGMENTATION:
        pairs = [(lesion_dice(row, lesions), row.identity) for row in collected.segmentation]
    elif task is Task.RECONSTRUCTION:
        pairs = [(_closeness(row), row.identity) for row in collected.reconstruction]
    elif task is Task.DETECTION:
        pairs = [(margin(row), row.identity) for row in collected.detection]
    return ((mark, who) for mark, who in pairs if mark is not None)


def _closeness(row: ReconstructionRow) -> float | None:
    return None if row.hidden is None else -row.hidden.model.mae


def _allowed(row: ClassificationRow) -> float | None:
    """None where the label allows every class, and so decides nothing."""
    if row.candidates.all():
        return None
    return float(row.probabilities[row.candidates].sum())


def _places(count: int) -> Iterator[tuple[Place, int]]:
    """Best, median (the better one of an even number) and worst, no slice twice."""
    wanted = ((Place.BEST, 0), (Place.MEDIAN, (count - 1) // 2), (Place.WORST, count - 1))
    taken: set[int] = set()
    for place, at in wanted:
        if 0 <= at < count and at not in taken:
            taken.add(at)
            yield place, at
