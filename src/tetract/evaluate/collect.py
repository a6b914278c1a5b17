"""Run a model over batches and keep what its figures need: counts and small arrays, no images.

Two passes per batch: one with everything shown, and, for reconstruction, one with patches
withheld. A row is only scored on the tasks it is labelled for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64
from torch import Tensor

from tetract.errors import BundleError, InputError
from tetract.evaluate.result import Hiding, Setting
from tetract.evaluate.signals import Signals, read_signals
from tetract.tasks.classification.metrics import ClassificationRow
from tetract.tasks.detection.metrics import DetectionRow
from tetract.tasks.reconstruction.hide import draw_hidden, hide
from tetract.tasks.reconstruction.metrics import ReconstructionRow, measure_hidden, measure_plain
from tetract.tasks.segmentation.metrics import SegmentationRow, measure_masks
from tetract.types import LabelSpace, Task
from tetract.types.batch import Batch, Identity
from tetract.types.predictions import Predictions

Answer = TypeVar("Answer")


@runtime_checkable
class Predictor(Protocol):
    """A model that can be evaluated.

    It decodes, keeps no gradient and moves the images to its own device.
    """

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks it has a head for."""
        ...

    @property
    def label_space(self) -> LabelSpace:
        """What its channels mean."""
        ...

    def predict(
        self, image: Float[Tensor, "B C H W"], tasks: tuple[Task, ...] | None = None
    ) -> Predictions:
        """Run the heads of ``tasks`` on every row; None: every head."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A slice that was seen."""

    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """All rows of an evaluation, ready to be scored.

    Attributes:
        tasks: The model's tasks.
        label_space: What its channels mean.
        setting: How slices are measured and scored.
        seen: One entry per row that teaches at least one of the tasks.
        classification: Rows labelled for it.
        segmentation: Rows labelled for it.
        reconstruction: Rows labelled for it.
        detection: Rows labelled for it.
        signals: One entry per ``seen``: what its answers may be judged by.
    """

    tasks: tuple[Task, ...]
    label_space: LabelSpace
    setting: Setting
    seen: tuple[Seen, ...]
    classification: tuple[ClassificationRow, ...]
    segmentation: tuple[SegmentationRow, ...]
    reconstruction: tuple[ReconstructionRow, ...]
    detection: tuple[DetectionRow, ...]
    signals: tuple[Signals, ...] = ()


def joined(parts: Sequence[Collected]) -> Collected:
    """The rows of several splits of one data set, collected from one model.

    Args:
        parts: At least one; all of the same tasks, names and setting.
    """
    first = parts[0]
    return replace(
        first,
        seen=tuple(row for one in parts for row in one.seen),
        classification=tuple(row for one in parts for row in one.classification),
        segmentation=tuple(row for one in parts for row in one.segmentation),
        reconstruction=tuple(row for one in parts for row in one.reconstruction),
        detection=tuple(row for one in parts for row in one.detection),
        signals=tuple(row for one in parts for row in one.signals),
    )


def collect(
    predictor: Predictor,
    batches: Iterable[Batch],
    setting: Setting,
    progress: Callable[[int], None] | None = None,
) -> Collected:
    """Predict every batch and reduce it to rows.

    Args:
        predictor: The model.
        batches: The split, once; nothing may be augmented or hidden in it.
        setting: Which pixels to withhold, and how the rows are to be scored.
        progress: Called after each batch with the number of rows it had.

    Raises:
        BundleError: ``E_HEAD_MISSING`` where the model does not answer one of its tasks.
        InputError: ``E_PREDICTION_NOT_FINITE`` where a prediction is NaN or infinite.
    """
    tasks = tuple(predictor.tasks)
    seen: list[Seen] = []
    classification: list[ClassificationRow] = []
    segmentation: list[SegmentationRow] = []
    reconstruction: list[ReconstructionRow] = []
    detection: list[DetectionRow] = []
    signals: list[Signals] = []
    for whole in batches:
        batch = _taught(whole, tasks)
        if batch.identity:
            said = predictor.predict(batch.image)
            seen += [Seen(identity=who) for who in batch.identity]
            if Task.CLASSIFICATION in tasks:
                classification += _classification(batch, said)
            if Task.SEGMENTATION in tasks:
                segmentation += _segmentation(batch, said)
            if Task.DETECTION in tasks:
                detection += _detection(batch, said)
            measured: list[ReconstructionRow] = []
            if Task.RECONSTRUCTION in tasks:
                measured = _reconstruction(batch, said, predictor, setting.hiding)
            reconstruction += measured
            signals += read_signals(
                said, batch.identity, _residuals(batch, measured), predictor.label_space
            )
        if progress is not None:
            progress(len(whole.identity))
    return Collected(
        tasks=tasks,
        label_space=predictor.label_space,
        setting=setting,
        seen=tuple(seen),
        classification=tuple(classification),
        segmentation=tuple(segmentation),
        reconstruction=tuple(reconstruction),
        detection=tuple(detection),
        signals=tuple(signals),
    )


def hidden_patches(batch: Batch, hiding: Hiding) -> Bool[Tensor, "B 1 H W"]:
    """Which pixels to withhold: a function of the seed and of who each row is.

    So neither the size nor the order of the batches changes a figure.
    """
    height, width = int(batch.image.shape[2]), int(batch.image.shape[3])

    def draw(who: Identity) -> Bool[Tensor, "1 1 H W"]:
        entropy = np.random.SeedSequence((hiding.seed, who.row, who.slice_index))
        generator = torch.Generator().manual_seed(int(entropy.generate_state(1)[0]))
        return draw_hidden(
            (1, height, width),
            patch_px=hiding.patch_px,
            fraction=hiding.fraction,
            generator=generator,
        )

    return torch.cat([draw(who) for who in batch.identity]).to(batch.image.device)


def _taught(batch: Batch, tasks: tuple[Task, ...]) -> Batch:
    """The rows that teach at least one of the tasks."""
    columns = [list(Task).index(task) for task in tasks]
    return batch.select(batch.labelled[:, columns].any(dim=1).nonzero().flatten())


def _classification(batch: Batch, said: Predictions) -> list[ClassificationRow]:
    scores = _numbers(_answer(said.class_probabilities, Task.CLASSIFICATION))
    label = _array(batch.label)
    return [
        ClassificationRow(
            probabilities=scores[row], candidates=label[row], identity=batch.identity[row]
        )
        for row in _rows(batch, Task.CLASSIFICATION)
    ]


def _segmentation(batch: Batch, said: Predictions) -> list[SegmentationRow]:
    masks = _answer(said.mask_probabilities, Task.SEGMENTATION)
    return [
        measure_masks(
            _numbers(masks[row]),
            _array(batch.masks[row]),
            _array(batch.masks_annotated[row]),
            batch.identity[row],
        )
        for row in _rows(batch, Task.SEGMENTATION)
    ]


def _detection(batch: Batch, said: Predictions) -> list[DetectionRow]:
    boxes = _answer(said.boxes, Task.DETECTION)
    rows: list[DetectionRow] = []
    for row in _rows(batch, Task.DETECTION):
        truth = _answer(batch.boxes[row], Task.DETECTION)
        rows.append(
            DetectionRow(
                xyxy=_numbers(boxes[row].xyxy),
                scores=_numbers(boxes[row].scores),
                labels=_array(boxes[row].labels),
                truth_xyxy=_numbers(truth.xyxy),
                truth_labels=_array(truth.labels),
                annotated=_array(truth.annotated),
                identity=batch.identity[row],
            )
        )
    return rows


def _reconstruction(
    batch: Batch, said: Predictions, predictor: Predictor, hiding: Hiding
) -> list[ReconstructionRow]:
    rows = batch.rows(Task.RECONSTRUCTION)
    if len(rows) == 0:
        return []
    plain = _numbers(_answer(said.reconstruction, Task.RECONSTRUCTION)[rows])
    shown = batch.select(rows)
    hidden = hidden_patches(shown, hiding)
    again = predictor.predict(hide(shown.image, hidden), (Task.RECONSTRUCTION,))
    masked = _numbers(_answer(again.reconstruction, Task.RECONSTRUCTION))
    image, withheld = _numbers(shown.centre), _array(hidden[:, 0])
    measured: list[ReconstructionRow] = []
    for row, who in enumerate(shown.identity):
        # Padding is easy to guess: counting it would flatter the model and the mean filter alike.
        top, left, bottom, right = who.frame_px or (0, 0, *image.shape[-2:])
        seen = (slice(None), slice(top, bottom), slice(left, right))
        truth = image[row][seen]
        measured.append(
            ReconstructionRow(
                plain=measure_plain(truth, plain[row][seen]),
                hidden=measure_hidden(
                    truth, masked[row][seen], withheld[row][seen[1:]], patch_px=hiding.patch_px
                ),
                identity=who,
            )
        )
    return measured


def _residuals(
    batch: Batch, measured: list[ReconstructionRow]
) -> list[Float64[np.ndarray, " two"] | None]:
    """Per row of the batch: see ``Signals.residual``."""
    found: list[Float64[np.ndarray, " two"] | None] = [None] * len(batch.identity)
    for row, one in zip(_rows(batch, Task.RECONSTRUCTION), measured, strict=False):
        if one.hidden is not None and one.hidden.mean_filter_mae is not None:
            found[row] = np.array([one.hidden.model.mae, one.hidden.mean_filter_mae])
    return found


def _rows(batch: Batch, task: Task) -> list[int]:
    return batch.rows(task).tolist()


def _answer(answer: Answer | None, task: Task) -> Answer:
    """What the model or the batch holds for a task, or an error."""
    if answer is None:
        raise BundleError(
            "E_HEAD_MISSING",
            "no answer for a task that is to be evaluated",
            where=task.value,
            fix="Evaluate a model that was trained for this task",
        )
    return answer


def _array(tensor: Tensor) -> Any:
    return tensor.detach().cpu().numpy()


def _numbers(tensor: Tensor) -> Float32[np.ndarray, "..."]:
    """A prediction as float32, whatever precision the model ran in."""
    numbers: Float32[np.ndarray, "..."] = tensor.detach().float().cpu().numpy()
    if not np.isfinite(numbers).all():
        raise InputError(
            "E_PREDICTION_NOT_FINITE",
            "a prediction is NaN or infinite",
            expected="finite numbers",
            fix="The model has diverged: lower the learning rate and train again",
        )
    return numbers
