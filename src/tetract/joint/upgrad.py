"""``upgrad``: no task's loss rises to first order (Quinton & Rey 2024, arXiv 2406.16232)."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import torch
from jaxtyping import Float64
from torch import Tensor

from tetract.errors import MachineError

Mix = Callable[[Tensor, torch.Generator], Tensor]


def make_upgrad() -> Mix:
    """A function from the inner products of the task gradients to the share of each.

    TorchJD projects each gradient onto the cone of directions that no task objects to, and takes
    the mean; times the number of tasks it is a sum, as for the other methods.

    Raises:
        MachineError: ``E_NO_TORCHJD`` where TorchJD, or the solver it needs, is not installed.
    """
    try:
        weigh: Callable[[Tensor], Tensor] = import_module("torchjd.aggregation").UPGradWeighting()
    except (ImportError, AttributeError) as error:
        raise MachineError(
            "E_NO_TORCHJD",
            "joint.method=upgrad needs TorchJD with its quadprog solver",
            where="joint.method",
            found=type(error).__name__,
            fix="Install tetract with the extra upgrad, or use joint.method=pcgrad",
        ) from error

    def upgrad(
        products: Float64[Tensor, "K K"],
        _generator: torch.Generator,
    ) -> Float64[Tensor, " K"]:
        # TorchJD takes products below 1e-4 for zero, whatever their unit; only ratios matter here.
        scale = products.diagonal().sum()
        return len(products) * weigh(products / scale if scale > 0 else products)

    return upgrad
