"""What the cards are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tetract.data import DatasetFolder
from tetract.data.dataset import SliceDataset
from tetract.evaluate.collect import Collected
from tetract.evaluate.result import Evaluation
from tetract.model.bundle import Bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """An evaluation with the data and the model behind it.

    Attributes:
        folder: The data set, split as it was for the evaluation.
        bundle: The model.
        scored: The slices that were scored, warm.
        trained: The slices of the training split, opened but not read; None where there are none.
        evaluation: The figures.
        collected: The rows behind them.
        facts: What the recipe says of the training: name of a setting to its value.
    """

    folder: DatasetFolder
    bundle: Bundle
    scored: SliceDataset
    trained: SliceDataset | None
    evaluation: Evaluation
    collected: Collected
    facts: Mapping[str, str]
