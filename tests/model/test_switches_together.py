"""Every switch of the network at once, for every set of tasks."""

from __future__ import annotations

import itertools

import pytest
import torch

from makers import full_batch, make_network
from tetract.types import Task

SUBSETS = [s for n in range(1, 5) for s in itertools.combinations(Task, n)]
EVERYTHING = {
    "encoder": {"name": "tu-test_resnet", "fine_stem": 4},
    "neighbours": 1,
    "classification": {"label_smoothing": 0.1, "pooling": "attention"},
    "segmentation": {"widths": (32, 16, 16, 16, 8), "deep_supervision": 2},
    "detection": {
        "width": 16,
        "box_hidden": 32,
        "pyramid": "decoder",
        "context": "concat",
        "objectness": "focal",
        "matching": "adaptive",
        "head_norm": "group",
        "box_convs": 1,
    },
}


@pytest.mark.parametrize("tasks", SUBSETS, ids=lambda s: "".join(t.value[0] for t in s))
def test_every_subset_takes_a_step_with_all_switches_on(tasks: tuple[Task, ...]) -> None:
    network = make_network(*tasks, **EVERYTHING)
    batch = full_batch()
    object.__setattr__(batch, "image", batch.image.expand(-1, 3, -1, -1))
    losses = network.losses(batch, torch.Generator().manual_seed(0))
    torch.stack([losses.of(task) for task in tasks]).sum().backward()
    assert tuple(losses.parts) == tasks
    for part in (network.encoder, *network.heads.values()):
        grads = [p.grad for p in part.parameters() if p.grad is not None]
        assert any(bool((grad != 0).any()) for grad in grads)
        assert all(bool(grad.isfinite().all()) for grad in grads)
    said = network.eval().predict(batch.image)
    if said.reconstruction is not None:
        assert said.reconstruction.shape == (4, 1, 64, 64)
