"""Several batches per optimiser step."""

from __future__ import annotations

from pathlib import Path

import torch

from joint_cases import C, S, gradients_of_steps, small_network, train_network
from makers import make_batch
from tetract.model import Network
from tetract.model.bundle import to_device
from tetract.types.batch import Batch

FIRST = make_batch(rows=2, label={0: [0], 1: [1]}, seed=1)
SECOND = make_batch(rows=2, masks={0: [0, 1]}, seed=2)


def fresh() -> Network:
    return small_network(C, S, classification={"dropout": 0.0})


def gradient(batch: Batch) -> dict[str, torch.Tensor]:
    network = to_device(fresh(), torch.device("cpu"))  # in the layout that training uses
    losses = network.losses(batch, torch.Generator())
    for task in losses.parts:
        losses.of(task).backward()
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad
        for name, p in network.named_parameters()
    }


def seen_by_the_optimiser(folder: Path, method: str) -> list[dict[str, torch.Tensor]]:
    network = fresh()
    with gradients_of_steps(network) as steps:
        train_network(
            folder,
            [FIRST, SECOND],
            network=network,
            joint={"method": method},
            run={"steps": 1, "accumulate": 2},
            optimiser={"clip_norm": 1e9},
        )
    return steps


def check_is_mean(steps: list[dict[str, torch.Tensor]]) -> None:
    one, other = gradient(FIRST), gradient(SECOND)
    assert len(steps) == 1
    assert len(steps[0]) > 30
    for name, found in steps[0].items():
        torch.testing.assert_close(found, (one[name] + other[name]) / 2, rtol=1e-4, atol=1e-6)


def test_the_step_follows_the_mean_gradient_of_its_batches(tmp_path: Path) -> None:
    check_is_mean(seen_by_the_optimiser(tmp_path, "fixed"))


def test_gradients_are_mixed_batch_by_batch(tmp_path: Path) -> None:
    # Each batch teaches one task, so there is nothing to take away in either.
    check_is_mean(seen_by_the_optimiser(tmp_path, "pcgrad"))


def test_steps_and_validations_count_optimiser_steps(tmp_path: Path) -> None:
    validated: list[int] = []

    def validate() -> dict[str, float | None]:
        validated.append(1)
        return {}

    _, progress = train_network(
        tmp_path,
        [FIRST, SECOND, FIRST],
        network=fresh(),
        run={"steps": 4, "accumulate": 3, "validate_every": 2},
        validate=validate,
    )
    assert (progress.step, len(validated)) == (4, 2)
