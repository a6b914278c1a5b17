"""Each method by losses against figures worked out by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from joint_cases import C, D, R, S, draws, never
from tetract.joint.adam import adam_step
from tetract.joint.dwa import Dwa, DwaConfig
from tetract.joint.famo import Famo, FamoConfig
from tetract.joint.fixed import Fixed
from tetract.joint.normalised import Normalised, NormalisedConfig
from tetract.joint.random_weights import RandomWeights
from tetract.joint.uncertainty import Uncertainty, UncertaintyConfig
from tetract.joint.uwso import Uwso, UwsoConfig
from tetract.joint.weighting import State, mean_losses
from tetract.types import Task


def test_fixed_leaves_every_loss_as_it_is() -> None:
    assert Fixed().factors({C: 3.0, D: 0.01}, draws()) == {C: 1.0, D: 1.0}


def test_normalised_divides_by_the_mean_of_the_first_losses_and_then_keeps_it() -> None:
    method = Normalised(NormalisedConfig(steps=2))
    seen: list[float] = []
    for loss in (4.0, 2.0, 1.0, 9.0):
        seen.append(method.factors({C: loss}, draws())[C] * loss)
        method.learn({C: loss}, never)
    assert seen == pytest.approx([1.0, 2 / 3, 1 / 3, 3.0])


def test_normalised_counts_the_steps_of_each_task_by_itself() -> None:
    method = Normalised(NormalisedConfig(steps=2))
    for losses in ({C: 4.0}, {C: 2.0}, {C: 1.0, S: 10.0}):
        method.learn(losses, never)
    assert method.factors({C: 1.0, S: 30.0}, draws()) == pytest.approx({C: 1 / 3, S: 1 / 20})


def test_normalised_gives_a_loss_of_zero_no_boundless_weight() -> None:
    assert Normalised(NormalisedConfig()).factors({C: 0.0}, draws()) == {C: pytest.approx(1e4)}


def test_random_factors_are_a_softmax_of_normal_draws_with_a_mean_of_one() -> None:
    expected = 3 * torch.randn(4, generator=draws(7))[[0, 1, 3]].softmax(dim=0)
    method = RandomWeights((C, S, D))
    found = method.factors({C: 1.0, S: 1.0, D: 1.0}, draws(7))
    assert list(found.values()) == pytest.approx(expected.tolist())
    assert sum(found.values()) == pytest.approx(3.0)


def test_a_random_factor_does_not_depend_on_who_else_has_a_row() -> None:
    method = RandomWeights((C, S, R, D))
    every = method.factors(dict.fromkeys(Task, 1.0), draws(3))
    assert method.factors({R: 5.0}, draws(3)) == {R: every[R]}
    assert method.factors({R: 5.0}, draws(4)) != {R: every[R]}


def test_uncertainty_starts_at_one_and_moves_against_its_slope() -> None:
    method = Uncertainty(UncertaintyConfig(rate=0.01), (C, S, R))
    assert method.factors({C: 2.0, S: 0.1}, draws()) == {C: 1.0, S: 1.0}
    # Slopes 1/2 - 2 < 0 and 1/2 - 0.1 > 0; Adam's first step has the length of its rate.
    method.learn({C: 2.0, S: 0.1}, never)
    expected = {C: math.exp(-0.01), S: math.exp(0.01), R: 1.0}
    assert method.factors(dict.fromkeys((C, S, R), 1.0), draws()) == pytest.approx(expected)


def test_uncertainty_comes_to_rest_at_one_over_twice_the_loss() -> None:
    method = Uncertainty(UncertaintyConfig(rate=0.02), (C, S))
    for _ in range(600):
        method.learn({C: 2.0, S: 0.1}, never)
    assert method.factors({C: 2.0, S: 0.1}, draws()) == pytest.approx({C: 0.25, S: 5.0}, rel=1e-2)


def test_uncertainty_of_a_loss_that_vanishes_stays_bounded() -> None:
    method = Uncertainty(UncertaintyConfig(rate=1.0), (C,))
    for _ in range(20):
        method.learn({C: 0.0}, never)
    assert method.factors({C: 0.0}, draws()) == {C: pytest.approx(math.exp(6.0))}


def test_uwso_is_the_softmax_of_the_inverse_losses() -> None:
    method = Uwso(UwsoConfig(temperature=1.0, memory=0.0), (C, S))
    # 1 / 0.5 = 2 and 1 / 1 = 1: shares e / (e + 1) and 1 / (e + 1) of 2.
    share = math.e / (math.e + 1)
    expected = {C: 2 * share, S: 2 * (1 - share)}
    assert method.factors({C: 0.5, S: 1.0}, draws()) == pytest.approx(expected)


def test_uwso_remembers_the_loss_of_a_task_without_rows() -> None:
    method = Uwso(UwsoConfig(temperature=1.0, memory=0.5), (C, S, D))
    method.learn({C: 0.5, S: 1.0}, never)
    # C runs at (0.5 + 1.5) / 2 = 1, S stays at 1, D has not been met: two equal shares.
    assert method.factors({C: 1.5}, draws()) == pytest.approx({C: 1.0})
    method.learn({C: 1.5}, never)
    assert method.state["mean"] == {C: 1.0, S: 1.0}


def test_uwso_bears_a_loss_of_zero() -> None:
    found = Uwso(UwsoConfig(), (C, S)).factors({C: 0.0, S: 1.0}, draws())
    assert found == pytest.approx({C: 2.0, S: 0.0})


def test_dwa_gives_more_to_the_task_that_falls_slowly() -> None:
    method = Dwa(DwaConfig(temperature=2.0, window=1), (C, S))
    both = {C: 4.0, S: 4.0}
    method.learn(both, never)
    assert method.factors(both, draws()) == {C: 1.0, S: 1.0}
    method.learn({C: 2.0, S: 4.0}, never)
    # Ratios 1/2 and 1; over T, 1/4 and 1/2; 2 / (1 + e^(1/4)) = 0.875647.
    assert method.factors(both, draws()) == pytest.approx({C: 0.875647, S: 1.124353}, abs=1e-6)


def test_dwa_averages_over_the_window_and_keeps_what_it_knows_of_an_absent_task() -> None:
    method = Dwa(DwaConfig(window=2), (C, S))
    for losses in ({C: 6.0, S: 1.0}, {C: 2.0}, {C: 1.0}, {C: 3.0}):
        method.learn(losses, never)
    assert method.state["before"] == {C: 4.0}
    assert method.state["last"] == {C: 2.0, S: 1.0}
    method.learn({S: 3.0}, never)
    method.learn({S: 1.0}, never)
    assert (method.state["before"], method.state["last"]) == ({C: 4.0, S: 1.0}, {C: 2.0, S: 2.0})


def test_famo_weighs_by_share_over_loss_with_a_mean_of_one() -> None:
    method = Famo(FamoConfig(), (C, S, D))
    # (1/2) / 1 and (1/2) / 4 in proportion 4 to 1; D has no row.
    assert method.factors({C: 1.0, S: 4.0}, draws()) == pytest.approx({C: 1.6, S: 0.4})


def test_famo_takes_weight_from_the_task_whose_log_loss_fell_faster() -> None:
    method = Famo(FamoConfig(rate=0.025, decay=0.0), (C, S, D))
    method.learn({C: 1.0, S: 4.0}, lambda: {C: 0.5, S: 4.0})
    assert method.state["logit"] == pytest.approx({C: -0.025, S: 0.025, D: 0.0})
    share = 1 / (1 + math.exp(0.05))
    assert method.factors({C: 1.0, S: 1.0}, draws())[C] == pytest.approx(2 * share)


def test_famo_is_the_algorithm_of_its_paper() -> None:
    """Against torch's own softmax, autograd and Adam, over steps with all tasks."""
    method = Famo(FamoConfig(rate=0.025, decay=0.001), (C, S, R))
    logits = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([logits], lr=0.025, weight_decay=0.001)
    values = torch.rand(12, 3, generator=draws(), dtype=torch.float64) + 0.1
    for before, after in pairwise(values):
        named = [dict(zip((C, S, R), row.tolist(), strict=True)) for row in (before, after)]
        method.learn(named[0], lambda now=named[1]: now)
        fell = (before + 1e-8).log() - (after + 1e-8).log()
        (logits.grad,) = torch.autograd.grad(logits.softmax(0), logits, grad_outputs=fell)
        adam.step()
    assert list(method.state["logit"].values()) == pytest.approx(logits.tolist(), abs=1e-12)


def test_famo_learns_nothing_from_a_loss_that_is_no_number() -> None:
    method = Famo(FamoConfig(), (C, S))
    method.learn({C: 1.0}, lambda: {C: math.nan})
    assert method.state == {"logit": {C: 0.0, S: 0.0}}


def test_our_adam_is_torchs_for_each_task_by_itself() -> None:
    state: State = {"value": {C: 0.0, S: 1.0}}
    tensors = {C: torch.zeros(1, dtype=torch.float64), S: torch.ones(1, dtype=torch.float64)}
    for tensor in tensors.values():
        tensor.requires_grad_()
    adam = torch.optim.Adam(tensors.values(), lr=0.1)
    for gradients in ({C: 0.3, S: -2.0}, {C: -0.1}, {C: 5.0}, {S: 0.2}):
        adam_step(state, "value", gradients, rate=0.1)
        for task, tensor in tensors.items():
            present = task in gradients
            tensor.grad = torch.full_like(tensor, gradients[task]) if present else None
        adam.step()
    expected = {task: float(tensor.detach()) for task, tensor in tensors.items()}
    assert state["value"] == pytest.approx(expected, abs=1e-12)


def test_a_steps_loss_is_the_mean_over_the_batches_that_had_a_row() -> None:
    assert mean_losses([{C: 1.0, S: 4.0}, {C: 3.0}]) == {C: 2.0, S: 4.0}
    assert mean_losses([]) == {}
