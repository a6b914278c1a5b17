"""The encoder held still for the first steps, so that fresh heads do not undo carried weights."""

from __future__ import annotations

from tetract.model import Encoder


def hold_encoder(encoder: Encoder, *, held: bool) -> None:
    """Hold ``encoder`` still, or let it learn.

    Held, no weight gets a gradient (so AdamW decays none either), and it runs as in evaluation:
    BatchNorm reads its statistics and leaves them as they are. To be called before every step,
    since a validation in between switches the whole network back to training.
    """
    encoder.requires_grad_(not held)
    encoder.train(not held)
