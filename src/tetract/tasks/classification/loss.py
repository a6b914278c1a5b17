"""Cross-entropy that accepts a set of candidate classes."""

from __future__ import annotations

from torch import Tensor

from tetract.tasks.classification.head import ClassificationHead, ClassificationOutput
from tetract.types.batch import Batch


def classification_loss(
    head: ClassificationHead,
    output: ClassificationOutput,
    batch: Batch,
) -> dict[str, Tensor]:
    """Minus the log of the probability that the class is one of the row's candidates.

    With one candidate this is cross-entropy. "Not COVID" pushes COVID down and leaves the other
    classes free among themselves (superset learning, Cour et al. 2011, JMLR 12).

    With label smoothing a share of the loss is the cross-entropy to all classes alike, which for
    one candidate is the usual smoothing.

    Returns:
        ``{"cross_entropy": scalar}``, the mean over the rows of ``batch``.
    """
    log_probabilities = output.logits.log_softmax(dim=1)  # (B, K)
    possible = log_probabilities.masked_fill(~batch.label, float("-inf"))
    asked = -possible.logsumexp(dim=1)
    even = -log_probabilities.mean(dim=1)
    return {"cross_entropy": ((1.0 - head.smoothing) * asked + head.smoothing * even).mean()}
