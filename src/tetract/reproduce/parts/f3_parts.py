"""Figure 3: the loss of detection with reconstruction, in its parts."""

from __future__ import annotations

from tetract.reproduce.arm import MODES, Chart, Part, paper_arm, plain_name
from tetract.reproduce.basis import Basis

COLUMNS = (
    ("anchors: lesion or not", "train/part/detection/rpn_objectness"),
    ("anchors: box", "train/part/detection/rpn_box"),
    ("regions: class", "train/part/detection/roi_class"),
    ("regions: box", "train/part/detection/roi_box"),
    ("regions: mask", "train/part/detection/roi_mask"),
    ("reconstruction", "train/loss/reconstruction"),
)


def part(basis: Basis) -> Part:
    """The parts of DR, whose sum hides which of them learns."""
    encoder = basis.profile.encoders[0]
    return Part(
        key="F3",
        title="The DR loss in its parts",
        about=f"Which part of detection with reconstruction is hard to learn? {encoder}; a running "
        "mean over the training step.",
        arms=tuple(paper_arm("DR", encoder, mode) for mode in MODES),
        table=False,
        charts=tuple(
            Chart(
                title=f"DR, {mode}",
                lines=tuple(
                    (words, plain_name("DR", encoder, mode), column) for words, column in COLUMNS
                ),
            )
            for mode in MODES
        ),
    )
