"""A calibration applied while a study is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from tetract.evaluate.signals import Signals, read_signals
from tetract.evaluate.trust.calibration import Calibration
from tetract.evaluate.trust.evidence import tempered
from tetract.evaluate.trust.judge import judge_slices, judge_study
from tetract.model import Mirrored, Network, NetworkSpec
from tetract.tasks.reconstruction.hide import draw_hidden, hide
from tetract.tasks.reconstruction.metrics import measure_hidden
from tetract.types import LesionBox, SliceFindings, Task
from tetract.types.identity import Identity
from tetract.types.judgement import Judgement
from tetract.types.predictions import Predictions

SEED: Final = 0
Frame = tuple[int, int, int, int]


class Judge:
    """Remembers the signals of the slices it has judged, for the study as a whole.

    Args:
        network: In evaluation mode; or one that also looks at mirror images.
        spec: Of the network.
        calibration: Made for its weights and for answers of this kind.
    """

    def __init__(
        self, network: Network | Mirrored, spec: NetworkSpec, calibration: Calibration
    ) -> None:
        self._network = network
        self._spec = spec
        self.calibration = calibration
        self._signals: list[Signals] = []

    def slices(
        self,
        found: Sequence[SliceFindings],
        image: Float[Tensor, "B C H W"],
        said: Predictions,
        frames: Sequence[Frame | None],
    ) -> list[SliceFindings]:
        """The findings of one pass at calibrated probabilities, each with its judgement.

        Args:
            found: As decoded.
            image: What the network was shown.
            said: What it said.
            frames: Where in each image the slice is; None: everywhere.
        """
        names = self._network.label_space.classes
        who = [
            Identity(
                row=one.index,
                patient="",
                source="",
                slice_index=0,
                spacing_mm=None,
                frame_px=frame,
            )
            for one, frame in zip(found, frames, strict=True)
        ]
        signals = read_signals(said, who, self._residuals(image, who), self._network.label_space)
        self._signals += signals
        return [
            self._apply(one, judgement)
            for one, judgement in zip(
                found, judge_slices(signals, self.calibration, names), strict=True
            )
        ]

    def study(self) -> Judgement:
        """Of all slices so far."""
        return judge_study(self._signals, self.calibration, self._network.label_space.classes)

    def _apply(self, one: SliceFindings, judgement: Judgement) -> SliceFindings:
        known, shares, called = self.calibration, one.class_probabilities, None
        if shares is not None:
            heat = None if known.temperature is None else known.temperature.value
            shares = tempered(shares, heat).astype(np.float32)
            if known.thresholds is not None:
                called = tuple(
                    cut.name
                    for cut, share in zip(known.thresholds.classes, shares, strict=True)
                    if cut.value is not None and share >= cut.value
                )
        return replace(
            one,
            class_probabilities=shares,
            called=called,
            boxes=None if one.boxes is None else tuple(self._box(box) for box in one.boxes),
            judgement=judgement,
        )

    def _box(self, box: LesionBox) -> LesionBox:
        curve, cut = self.calibration.boxes, self.calibration.box_threshold
        return replace(
            box,
            probability=None if curve is None else float(curve.apply(np.array([box.score]))[0]),
            shown=None if cut is None or cut.value is None else box.score >= cut.value,
        )

    def _residuals(
        self, image: Float[Tensor, "B C H W"], who: Sequence[Identity]
    ) -> list[Float64[np.ndarray, " two"] | None]:
        """As in an evaluation: one pass with patches hidden; none where nothing is promised."""
        if self.calibration.residual.value is None:
            return [None] * len(who)
        config = self._spec.reconstruction
        height, width = image.shape[-2:]
        hidden = torch.cat(
            [
                draw_hidden(
                    (1, height, width),
                    patch_px=config.patch_px,
                    fraction=config.hidden_fraction,
                    generator=torch.Generator().manual_seed(SEED + one.row),
                )
                for one in who
            ]
        )
        again = self._network.predict(hide(image, hidden), (Task.RECONSTRUCTION,)).reconstruction
        if again is None:
            return [None] * len(who)
        guess = again.float().cpu().numpy()
        middle = image.shape[1] // 2  # the slice itself, its neighbours to either side
        centre = image[:, middle : middle + 1]
        return [
            _residual(centre[row].numpy(), guess[row], hidden[row, 0].numpy(), one, config.patch_px)
            for row, one in enumerate(who)
        ]


def _residual(
    image: Float[np.ndarray, "C H W"],
    guess: Float[np.ndarray, "C H W"],
    hidden: Bool[np.ndarray, "H W"],
    who: Identity,
    patch_px: int,
) -> Float64[np.ndarray, " two"] | None:
    top, left, bottom, right = who.frame_px or (0, 0, *hidden.shape)
    seen = (slice(top, bottom), slice(left, right))
    found = measure_hidden(image[:, *seen], guess[:, *seen], hidden[seen], patch_px=patch_px)
    if found is None or found.mean_filter_mae is None:
        return None
    return np.array([found.model.mae, found.mean_filter_mae])
