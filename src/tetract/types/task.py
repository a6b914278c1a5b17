"""The four tasks and the names behind their channels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Task(StrEnum):
    """The four arms of the network, in the order of the paper's Figure 1 (arXiv 2308.01137)."""

    CLASSIFICATION = "classification"
    SEGMENTATION = "segmentation"
    RECONSTRUCTION = "reconstruction"
    DETECTION = "detection"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSpace:
    """What each output channel means; position in the tuple is the channel.

    Attributes:
        classes: Names of the image classes, one of which a slice has.
        mask_classes: Names of the mask channels; channels may overlap (infection lies in lung).
        box_classes: Names of the lesions that are boxed.
    """

    classes: tuple[str, ...] = ()
    mask_classes: tuple[str, ...] = ()
    box_classes: tuple[str, ...] = ()
