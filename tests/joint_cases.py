"""Small problems for tests of balancing: losses as numbers, and a real tiny network."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from makers import full_batch, make_batch, make_boxes, make_network
from tetract.data.batches import StepBatches
from tetract.joint import Balance, JointConfig, TaskLosses
from tetract.model import Network
from tetract.train import Job, OptimiserConfig, Progress, RunConfig, Teacher, fit
from tetract.types import Task
from tetract.types.batch import Batch

C, S, R, D = Task


def never() -> Mapping[Task, float]:
    raise AssertionError("this method has no business running the batches again")


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def task_losses(**losses: torch.Tensor) -> TaskLosses:
    return TaskLosses(parts={Task(name): {"part": loss} for name, loss in losses.items()})


def small_network(*tasks: Task, norm: str = "group", **changes: object) -> Network:
    """A third of a million weights in the encoder."""
    return make_network(*tasks, encoder={"name": "tu-test_resnet", "norm": norm}, **changes)


def partial_batches() -> list[Batch]:
    """All four tasks; three of them, each with a row or two; then only one."""
    return [
        full_batch(),
        make_batch(label={0: [1]}, boxes={2: make_boxes((8, 8, 28, 28), masks=True)}, seed=1),
        make_batch(masks={1: [0, 1]}, reconstruct=False, seed=2),
        full_batch(),
    ]


class GivenBatches(StepBatches):
    """Hands out batches from a list, as if they had been sampled from a table."""

    def __init__(self, batches: list[Batch]) -> None:
        self.batches = batches
        rows = [
            SimpleNamespace(number=place + 2, image=Path(f"/secret/ct_{place}.png"))
            for place in range(8)
        ]
        self.dataset = cast("Any", SimpleNamespace(folder=SimpleNamespace(rows=rows)))

    def __getitem__(self, index: int) -> Batch:
        return self.batches[index % len(self.batches)]


def train_network(
    folder: Path,
    batches: list[Batch] | None = None,
    *,
    network: Network | None = None,
    joint: Mapping[str, Any] | None = None,
    run: Mapping[str, Any] | None = None,
    optimiser: Mapping[str, Any] | None = None,
    validate: Callable[[], Mapping[str, float | None]] = dict,
    resume: bool = False,
    teacher: Teacher | None = None,
) -> tuple[Network, Progress]:
    """Two steps (or as ``run`` says) of the real training loop; nothing is validated."""
    network = network or small_network()
    folder.mkdir(parents=True, exist_ok=True)
    settings = RunConfig.model_validate(
        {"steps": 2, "validate_every": 100, "device": "cpu", "precision": "32", **(run or {})}
    )
    job = Job(
        network=network,
        batches=GivenBatches(batches or partial_batches()),
        validate=lambda _network: validate(),
        balance=Balance(JointConfig.model_validate(joint or {}), network.tasks),
        optimiser=OptimiserConfig.model_validate(optimiser or {}),
        run=settings,
        folder=folder,
        version="0",
        dataset={},
        teacher=teacher,
        resume=resume,
        show_progress=False,
    )
    return network, fit(job)


@contextmanager
def gradients_of_steps(network: Network) -> Generator[list[dict[str, torch.Tensor]]]:
    """What the optimiser saw at each step, by the name of the weight."""
    seen: list[dict[str, torch.Tensor]] = []

    def note(*_: object) -> None:
        named = network.named_parameters()
        seen.append({name: p.grad.clone() for name, p in named if p.grad is not None})

    handle = register_optimizer_step_post_hook(note)
    try:
        yield seen
    finally:
        handle.remove()


def weights_of(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)
