"""A real tiny network, partial labels, the real loop: two steps by each method."""

from __future__ import annotations

import gc
import signal
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
import torch

from joint_cases import C, S, gradients_of_steps, same, small_network, train_network, weights_of
from makers import full_batch, make_batch
from tetract.joint.balance import MIXES, WEIGHTINGS
from tetract.joint.config import Method
from tetract.joint.fixed import Fixed
from tetract.joint.weighting import Losses
from tetract.types import Task

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _torchjd(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in where the extra is not installed: the plain mean."""

    class UPGradWeighting:
        def __call__(self, products: torch.Tensor) -> torch.Tensor:
            return torch.full((len(products),), 1 / len(products), dtype=products.dtype)

    fake = ModuleType("torchjd.aggregation")
    fake.__dict__["UPGradWeighting"] = UPGradWeighting
    monkeypatch.setitem(sys.modules, "torchjd", ModuleType("torchjd"))
    monkeypatch.setitem(sys.modules, "torchjd.aggregation", fake)


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name.split(".")[1] for name in after if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize("method", get_args(Method))
def test_each_method_trains_where_a_step_lacks_tasks(method: str, tmp_path: Path) -> None:
    network = small_network()
    before = weights_of(network)
    train_network(tmp_path, network=network, joint={"method": method})
    after = weights_of(network)
    assert all(bool(value.isfinite().all()) for value in after.values())
    assert moved(before, after) == {task.value for task in Task} | {"trunk"}


def test_nothing_of_a_training_is_left_when_it_has_ended(tmp_path: Path) -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    network = weakref.ref(train_network(tmp_path)[0])
    gc.collect()
    assert network() is None
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize("method", get_args(Method))
def test_each_method_leaves_the_head_of_an_absent_task_alone(method: str, tmp_path: Path) -> None:
    network = small_network(C, S)
    before = weights_of(network)
    masks_only = make_batch(rows=2, masks={0: [0, 1], 1: [0]})
    train_network(tmp_path, [masks_only], network=network, joint={"method": method})
    assert moved(before, weights_of(network)) == {"trunk", "segmentation"}


# One for each way through the step: by the sum, with a second forward pass, task by task.
@pytest.mark.parametrize("method", ["uncertainty", "famo", "pcgrad"])
def test_methods_train_in_bf16_and_with_accumulation(method: str, tmp_path: Path) -> None:
    network = small_network(C, S)
    before = weights_of(network)
    batches = [make_batch(rows=2, label={0: [0]}, masks={1: [0, 1]}), make_batch(rows=2)]
    _, progress = train_network(
        tmp_path,
        batches,
        network=network,
        joint={"method": method},
        run={"steps": 1, "accumulate": 2, "precision": "bf16"},
    )
    after = weights_of(network)
    assert progress.step == 1
    assert all(bool(value.isfinite().all()) for value in after.values())
    assert moved(before, after) == {"trunk", "classification", "segmentation"}


def test_gradients_that_are_all_taken_whole_add_up_to_that_of_the_sum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole(products: torch.Tensor, _draws: torch.Generator) -> torch.Tensor:
        return torch.ones(len(products), dtype=products.dtype)

    monkeypatch.setitem(MIXES, "pcgrad", lambda: whole)
    seen: list[dict[str, torch.Tensor]] = []
    for method in ("fixed", "pcgrad"):
        network = small_network()
        with gradients_of_steps(network) as steps:
            joint = {"method": method, "classification": 0.5}
            train_network(tmp_path / method, network=network, joint=joint, run={"steps": 1})
        seen += steps
    assert seen[0].keys() == seen[1].keys()
    for name, value in seen[0].items():
        torch.testing.assert_close(seen[1][name], value, rtol=1e-3, atol=1e-5)


def test_a_method_learns_once_per_step_from_all_its_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[Task]] = []

    class Listening(Fixed):
        def learn(self, _losses: Losses, _again: Callable[[], Losses]) -> None:
            assert set(_again()) == set(_losses)
            seen.append(set(_losses))

    monkeypatch.setitem(WEIGHTINGS, "fixed", lambda _config, _tasks: Listening())
    batches = [make_batch(label={0: [0]}), make_batch(masks={0: [0]}), make_batch(label={0: [1]})]
    train_network(tmp_path, batches, network=small_network(C, S), run={"steps": 3, "accumulate": 2})
    assert seen == [{C, S}, {C}, {C, S}]


def test_running_the_batches_again_leaves_running_statistics_alone(tmp_path: Path) -> None:
    after = [
        weights_of(
            train_network(
                tmp_path / method,
                [full_batch()],
                network=small_network(C, S, norm="batch"),
                joint={"method": method, "classification": 0.0},
                run={"steps": 1},
            )[0]
        )
        for method in ("fixed", "famo")
    ]
    # With one active task both take the same step; only famo looks again after it.
    assert same(*after)
