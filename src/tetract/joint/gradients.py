"""Each task's own gradient: compared on the shared weights, and put together there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn import Parameter

from tetract.types import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGradients:
    """The gradients of the unweighted task losses of one batch.

    Compared on weights and not on feature maps: with partial labels the maps of two tasks belong
    to different slices.

    Attributes:
        tasks: Whose they are.
        shared: Per task, one gradient per shared weight, None where the task does not reach it.
        own: The same for the weights that are not shared.
    """

    tasks: tuple[Task, ...]
    shared: tuple[tuple[Tensor | None, ...], ...]
    own: tuple[tuple[Tensor | None, ...], ...]

    def products(self) -> Float64[Tensor, "K K"]:
        """Inner product of each pair on the shared weights, on the CPU."""
        table = torch.zeros(len(self.tasks), len(self.tasks), dtype=torch.float64)
        for row in range(len(self.tasks)):
            for column in range(row, len(self.tasks)):
                product = _product(self.shared[row], self.shared[column])
                table[row, column] = table[column, row] = product
        return table


def task_gradients(
    losses: Mapping[Task, Float[Tensor, ""]],
    shared: Sequence[Parameter],
    own: Sequence[Parameter] = (),
    *,
    keep_graph: bool,
) -> TaskGradients:
    """One backward pass per task; no ``grad`` of any weight is touched.

    Args:
        losses: Unweighted.
        shared: Weights that every task reaches: the encoder's.
        own: Weights of the heads, or nothing where only the shared ones matter.
        keep_graph: Whether the graph is needed again afterwards.
    """
    weights, count = [*shared, *own], len(shared)
    rows: list[tuple[Tensor | None, ...]] = [(None,) * len(weights)] * len(losses)
    for place, loss in enumerate(losses.values()):
        # A loss that no weight leads to, the encoder being held still, has no gradient.
        if loss.requires_grad:
            keep = keep_graph or place < len(losses) - 1
            rows[place] = torch.autograd.grad(loss, weights, retain_graph=keep, allow_unused=True)
    return TaskGradients(
        tasks=tuple(losses),
        shared=tuple(row[:count] for row in rows),
        own=tuple(row[count:] for row in rows),
    )


@torch.no_grad()
def add_gradients(
    parameters: Sequence[Parameter],
    gradients: Sequence[Sequence[Tensor | None]],
    factors: Sequence[float],
) -> None:
    """Add the weighted sum of the rows of ``gradients`` to the parameters' ``grad``."""
    for index, parameter in enumerate(parameters):
        for row, factor in zip(gradients, factors, strict=True):
            gradient = row[index]
            if gradient is None:
                continue
            if parameter.grad is None:
                parameter.grad = factor * gradient
            else:
                parameter.grad.add_(gradient, alpha=factor)


def compared(tasks: Sequence[Task], products: Float64[Tensor, "K K"]) -> dict[str, float]:
    """Norm of each task's gradient and cosine of each pair; no cosine where a norm is zero."""
    norms = products.diagonal().sqrt()
    said = {f"norm/{task.value}": float(norms[row]) for row, task in enumerate(tasks)}
    for one, other in combinations(range(len(tasks)), 2):
        length = float(norms[one] * norms[other])
        if length > 0:
            name = f"cosine/{tasks[one].value}_{tasks[other].value}"
            said[name] = float(products[one, other]) / length
    return said


def _product(one: Sequence[Tensor | None], other: Sequence[Tensor | None]) -> float:
    terms = [
        (left * right).sum(dtype=torch.float64)
        for left, right in zip(one, other, strict=True)
        if left is not None and right is not None
    ]
    return float(torch.stack(terms).sum()) if terms else 0.0
