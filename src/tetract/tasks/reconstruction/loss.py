"""Absolute error, on hidden or damaged pixels where there are any."""

from __future__ import annotations

from torch import Tensor

from tetract.tasks.reconstruction.head import ReconstructionHead, ReconstructionOutput
from tetract.types.batch import Batch


def reconstruction_loss(
    head: ReconstructionHead,  # noqa: ARG001  the four rooms share one signature
    output: ReconstructionOutput,
    batch: Batch,
) -> dict[str, Tensor]:
    """Mean absolute error in model units ([0, 1] over the window).

    The slice itself is asked for, not its neighbours. Only hidden or damaged pixels count when
    ``batch.hidden`` is given: others could be copied.

    Returns:
        ``{"l1": scalar}``.
    """
    error = (output.image - batch.centre).abs()
    if batch.hidden is None:
        return {"l1": error.mean()}
    hidden = batch.hidden.expand_as(error)
    return {"l1": error[hidden].mean()}
