"""A network that also looks at each slice mirrored, and says the mean."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tetract.model.network import Network
from tetract.tasks.detection.fuse import fuse_boxes, mirror_boxes
from tetract.types import LabelSpace, Task
from tetract.types.predictions import Predictions


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Two passes for one answer: left and right exchanged in the second, and exchanged back.

    Probabilities and reconstruction are averaged, boxes fused. Only this flip is offered: it is
    the one that training shows by default.
    """

    network: Network

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The network's."""
        return self.network.tasks

    @property
    def label_space(self) -> LabelSpace:
        """The network's."""
        return self.network.label_space

    @torch.no_grad()
    def predict(
        self, image: Float[Tensor, "B C H W"], tasks: tuple[Task, ...] | None = None
    ) -> Predictions:
        """As ``Network.predict``, twice the time."""
        plain = self.network.predict(image, tasks)
        other = self.network.predict(image.flip(-1), tasks)
        boxes = None
        if plain.boxes is not None and other.boxes is not None:
            boxes = tuple(
                fuse_boxes(
                    [one, mirror_boxes(two, int(image.shape[-1]))],
                    keep=self.network.spec.detection.detections,
                )
                for one, two in zip(plain.boxes, other.boxes, strict=True)
            )
        return Predictions(
            class_probabilities=_mean(plain.class_probabilities, other.class_probabilities),
            mask_probabilities=_mean(
                plain.mask_probabilities, other.mask_probabilities, mirrored=True
            ),
            reconstruction=_mean(plain.reconstruction, other.reconstruction, mirrored=True),
            boxes=boxes,
        )


def _mean(one: Tensor | None, two: Tensor | None, *, mirrored: bool = False) -> Tensor | None:
    if one is None or two is None:
        return None
    return (one + (two.flip(-1) if mirrored else two)) / 2
