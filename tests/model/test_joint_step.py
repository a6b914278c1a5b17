"""The joint step on rows that carry different labels."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from makers import full_batch, make_batch, make_boxes, make_network
from tetract.joint import JointConfig, weighted_sum
from tetract.model import Network
from tetract.model.showing import show
from tetract.tasks.classification import ClassificationConfig
from tetract.types import Task
from tetract.types.batch import Batch, BoxRow

SUBSETS = [s for n in range(1, 5) for s in itertools.combinations(Task, n)]


def step(network: Network, batch: Batch, **weights: float) -> dict[Task, dict[str, torch.Tensor]]:
    network.zero_grad()
    torch.manual_seed(0)
    losses = network.losses(batch, torch.Generator().manual_seed(0))
    total = weighted_sum(losses, JointConfig(**weights))
    if total is not None:
        total.backward()
    return {task: dict(parts) for task, parts in losses.parts.items()}


def moved(module: torch.nn.Module) -> bool:
    return any(p.grad is not None and bool((p.grad != 0).any()) for p in module.parameters())


def untouched(module: torch.nn.Module) -> bool:
    return all(p.grad is None for p in module.parameters())


@pytest.mark.parametrize("tasks", SUBSETS, ids=lambda s: "".join(t.value[0] for t in s))
def test_every_subset_builds_and_has_one_finite_loss_per_task(tasks: tuple[Task, ...]) -> None:
    parts = step(make_network(*tasks), full_batch())
    assert tuple(parts) == tasks
    for named in parts.values():
        assert all(torch.isfinite(part) for part in named.values())


@pytest.mark.parametrize("task", Task)
def test_a_loss_alone_moves_the_encoder_and_its_own_head_only(task: Task) -> None:
    network = make_network()
    weights = dict.fromkeys((t.value for t in Task), 0.0) | {task.value: 1.0}
    step(network, full_batch(), **weights)
    assert moved(network.encoder)
    for other in Task:
        head = network.heads[other.value]
        assert moved(head) if other is task else untouched(head)


@pytest.mark.parametrize("absent", Task)
def test_a_task_without_rows_adds_exactly_zero_gradient(absent: Task) -> None:
    network = make_network()
    batch = full_batch()
    labelled = batch.labelled.clone()
    labelled[:, list(Task).index(absent)] = False
    object.__setattr__(batch, "labelled", labelled)
    parts = step(network, batch)
    with_head = [p.grad for p in network.encoder.parameters()]
    assert absent not in parts
    assert untouched(network.heads[absent.value])
    step(network, batch, **{absent.value: 0.0})
    without = [p.grad for p in network.encoder.parameters()]
    for one, other in zip(with_head, without, strict=True):
        assert (one is None and other is None) or torch.equal(one, other)


def test_a_class_reads_the_masks_without_bending_them() -> None:
    network = make_network(Task.CLASSIFICATION, Task.SEGMENTATION)
    losses = network.losses(make_batch(label={0: [0], 1: [1]}), torch.Generator())
    losses.of(Task.CLASSIFICATION).backward()
    arm = network.heads["segmentation"]
    assert untouched(arm)
    image = make_batch().image
    before = network.predict(image).class_probabilities
    with torch.no_grad():
        for p in arm.parameters():
            p.mul_(1.5)
    assert not torch.equal(before, network.predict(image).class_probabilities)


def test_the_paper_classifies_from_the_encoder_alone() -> None:
    spec = make_network(Task.CLASSIFICATION, Task.SEGMENTATION).spec
    paper = ClassificationConfig(read_segmentation=False)
    network = Network(spec.model_copy(update={"classification": paper})).eval()
    with torch.no_grad():
        before = network.predict(make_batch().image).class_probabilities
        for p in network.heads["segmentation"].parameters():
            p.zero_()
        assert torch.equal(before, network.predict(make_batch().image).class_probabilities)


def test_asked_for_one_task_it_answers_that_one() -> None:
    network = make_network(*Task).eval()
    image = make_batch().image
    whole, one = network.predict(image), network.predict(image, (Task.CLASSIFICATION,))
    assert torch.equal(whole.class_probabilities, one.class_probabilities)
    assert (one.mask_probabilities, one.reconstruction, one.boxes) == (None, None, None)


def test_a_batch_that_teaches_nothing_gives_no_loss() -> None:
    network = make_network(Task.CLASSIFICATION, Task.DETECTION)
    losses = network.losses(make_batch(), torch.Generator())
    assert losses.parts == {}
    assert weighted_sum(losses, JointConfig()) is None


def test_box_only_rows_train_boxes_and_not_masks() -> None:
    batch = make_batch(boxes={0: make_boxes((8, 8, 24, 24), masks=False)})
    parts = step(make_network(Task.DETECTION), batch)[Task.DETECTION]
    assert "roi_mask" not in parts
    assert float(parts["rpn_box"].detach()) > 0


def test_rows_with_instance_masks_train_masks() -> None:
    batch = make_batch(boxes={0: make_boxes((8, 8, 24, 24), masks=True)})
    network = make_network(Task.DETECTION)
    parts = step(network, batch)[Task.DETECTION]
    assert float(parts["roi_mask"].detach()) > 0
    assert moved(network.heads["detection"].get_submodule("mask_layers"))


def test_empty_rows_train_as_negatives() -> None:
    network = make_network(Task.DETECTION)
    parts = step(network, make_batch(boxes={0: make_boxes(masks=False)}))[Task.DETECTION]
    assert float(parts["rpn_objectness"].detach()) > 0
    assert float(parts["rpn_box"].detach()) == 0
    assert moved(network.heads["detection"].get_submodule("propose"))


def test_background_of_an_unannotated_lesion_class_is_not_pushed_to_background() -> None:
    """With infection not looked for, predicting infection on background costs nothing."""
    network = make_network(Task.DETECTION)
    head = network.heads["detection"]
    with torch.no_grad():
        bias = head.get_submodule("regions.box_predictor.cls_score").bias
        bias.copy_(torch.tensor([0.0, 0.0, 50.0]))
    parts = step(network, make_batch(boxes={0: make_boxes(masks=False)}))[Task.DETECTION]
    assert float(parts["roi_class"].detach()) == pytest.approx(0.0, abs=1e-4)


def test_incomplete_boxes_teach_the_lesion_and_no_background() -> None:
    network = make_network(Task.DETECTION)
    row = make_boxes((8, 8, 28, 28), masks=False)
    partial = replace(row, annotated=torch.zeros_like(row.annotated))

    def objectness_bias(boxes: BoxRow) -> torch.Tensor:
        step(network, make_batch(boxes={0: boxes}))
        grad = network.heads["detection"].propose.head.cls_logits.bias.grad
        assert grad is not None
        return grad

    # Without a negative anchor, nothing pushes the score of any anchor down.
    assert bool((objectness_bias(partial) <= 0).all())
    assert bool((objectness_bias(row) > 0).any())


def test_an_unannotated_mask_channel_teaches_nothing() -> None:
    network = make_network(Task.SEGMENTATION)
    step(network, make_batch(masks={0: [0]}))
    grad = network.heads["segmentation"].get_submodule("project").weight.grad
    assert bool((grad[0] != 0).any())
    assert bool((grad[1] == 0).all())


def test_hidden_rows_teach_reconstruction_only_and_others_see_whole_slices() -> None:
    batch = full_batch()
    network = make_network()
    shown = show(batch, tuple(Task), network.spec.reconstruction, torch.Generator().manual_seed(0))
    hidden = shown.batch.hidden
    assert hidden is not None
    for row in range(len(shown.image)):
        tasks = [t for t, on in zip(Task, shown.batch.labelled[row].tolist(), strict=True) if on]
        if hidden[row].any():
            assert tasks == [Task.RECONSTRUCTION]
        else:
            assert Task.RECONSTRUCTION not in tasks
            assert torch.equal(shown.image[row], shown.batch.image[row])


def test_predictions_do_not_depend_on_the_other_rows_of_the_batch() -> None:
    network = make_network().eval()
    image = full_batch().image
    together = network.predict(image)
    for row in range(len(image)):
        alone = network.predict(image[row : row + 1])
        torch.testing.assert_close(
            alone.class_probabilities[0], together.class_probabilities[row], rtol=1e-4, atol=1e-5
        )
        torch.testing.assert_close(
            alone.mask_probabilities[0], together.mask_probabilities[row], rtol=1e-4, atol=1e-5
        )
        torch.testing.assert_close(
            alone.boxes[0].xyxy, together.boxes[row].xyxy, rtol=1e-3, atol=1e-2
        )


@pytest.mark.slow
def test_one_batch_can_be_learnt_by_heart_in_all_four_tasks() -> None:
    network = make_network()
    network.train()
    batch = full_batch()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    first: dict[Task, float] = {}
    for index in range(30):
        optimiser.zero_grad()
        torch.manual_seed(index)
        losses = network.losses(batch, torch.Generator().manual_seed(0))
        total = weighted_sum(losses, JointConfig())
        assert total is not None
        total.backward()
        optimiser.step()
        if index == 0:
            first = {t: float(losses.of(t).detach()) for t in losses.parts}
    for task, start in first.items():
        assert float(losses.of(task).detach()) < 0.8 * start, task
