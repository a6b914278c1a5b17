"""From task losses to a gradient: two quadratic problems that share one weight."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from joint_cases import C, S, draws, task_losses
from tetract.errors import RecipeError
from tetract.joint import Balance, JointConfig, add_gradients, task_gradients
from tetract.types import Task


def slope_at_zero(joint: dict[str, Any]) -> float:
    """Of (x - 1)^2 and 4 (x + 1)^2 in x = 0: losses 1 and 4, slopes -2 and 8."""
    shared = torch.nn.Parameter(torch.zeros(1))
    losses = task_losses(
        classification=(shared - 1).square().sum(), segmentation=4 * (shared + 1).square().sum()
    )
    balance = Balance(JointConfig.model_validate(joint), (C, S))
    combined = balance.combine(losses, balance.read(losses), draws())
    assert combined is not None
    if balance.mix is None:
        combined.total.backward()
    else:
        gradients = task_gradients(combined.losses, [shared], keep_graph=False)
        shares = balance.shares(gradients, combined.weights, draws())
        add_gradients([shared], gradients.shared, shares)
    assert shared.grad is not None
    return float(shared.grad)


@pytest.mark.parametrize(
    ("joint", "expected"),
    [
        ({}, -2 + 8),
        ({"segmentation": 0.0}, -2),
        ({"classification": 0.0}, 8),
        ({"classification": 2.5, "segmentation": 0.125}, -5 + 1),
        ({"method": "normalised"}, -2 + 8 / 4),
        ({"method": "normalised", "segmentation": 3.0}, -2 + 3 * 8 / 4),
        ({"method": "uncertainty"}, -2 + 8),
        # Inverse losses 1 and 1/4: shares 0.679179 and 0.320821 of 2.
        ({"method": "uwso", "uwso": {"temperature": 1.0}}, -2 * 1.358358 + 8 * 0.641642),
        ({"method": "dwa"}, -2 + 8),
        # 1 / 1 to 1 / 4, scaled to a mean of 1.
        ({"method": "famo"}, -2 * 1.6 + 8 * 0.4),
        ({"method": "famo", "classification": 2.0}, -4 * 1.6 + 8 * 0.4),
        # Each is wholly against the other: nothing is left of either.
        ({"method": "pcgrad"}, 0),
        ({"method": "pcgrad", "segmentation": 0.0}, -2),
    ],
    ids=str,
)
def test_the_slope_is_the_one_worked_out_by_hand(joint: dict[str, Any], expected: float) -> None:
    assert slope_at_zero(joint) == pytest.approx(expected, abs=1e-5)


def test_random_weights_move_the_slope_between_the_two_tasks() -> None:
    first, second = 2 * torch.randn(4, generator=draws())[:2].softmax(dim=0)
    assert slope_at_zero({"method": "random"}) == pytest.approx(float(-2 * first + 8 * second))


def test_a_task_of_weight_zero_is_left_out_by_every_method() -> None:
    config = JointConfig(method="dwa", segmentation=0.0)
    balance = Balance(config, (C, S))
    losses = task_losses(classification=torch.tensor(1.0), segmentation=torch.tensor(torch.nan))
    assert balance.active == (C,)
    assert balance.read(losses) == {C: 1.0}
    combined = balance.combine(losses, {C: 1.0}, draws())
    assert combined is not None
    assert float(combined.total) == 1.0


def test_a_batch_without_an_active_task_gives_nothing_to_minimise() -> None:
    balance = Balance(JointConfig(segmentation=0.0), (C, S))
    losses = task_losses(segmentation=torch.tensor(1.0))
    assert balance.combine(losses, balance.read(losses), draws()) is None


def test_weights_that_are_all_zero_are_refused() -> None:
    config = JointConfig(classification=0.0, segmentation=0.0)
    with pytest.raises(RecipeError, match=r"E_NO_WEIGHT joint: .*classification, segmentation"):
        Balance(config, (C, S))


@pytest.mark.parametrize("weight", [-0.1, float("inf"), float("nan")])
@pytest.mark.parametrize("task", Task)
def test_a_weight_is_a_finite_number_that_is_not_negative(task: Task, weight: float) -> None:
    with pytest.raises(ValidationError):
        JointConfig.model_validate({task.value: weight})


@pytest.mark.parametrize(("given", "every"), [(False, 0), (True, 1), (25, 25)])
def test_gradients_are_logged_never_always_or_now_and_then(given: object, every: int) -> None:
    assert JointConfig.model_validate({"log_gradients": given}).log_gradients == every
