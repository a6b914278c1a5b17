"""The teacher in the training loop: nothing when it is silent, only where it speaks, resumed."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from teacher_cases import BARE, NODULE_MASK, RELATIONS, clear, labels, said

from joint_cases import C, D, R, S, partial_batches, same, small_network, train_network, weights_of
from makers import make_batch
from tetract.model import Network
from tetract.model.bundle import load_description, read_weights
from tetract.tasks.segmentation import SegmentationHead, segmentation_loss
from tetract.train.teacher import Teacher, TeacherConfig
from tetract.types import Task
from tetract.types.predictions import Predictions

RUN = {"steps": 4, "validate_every": 2, "average": 0.9}
TALKATIVE = {"weight": 1.0, "start": 0.0, "ramp": 0.5, "lesion": 0.51, "background": 0.5}
SILENT = {"weight": 1.0, "start": 0.0, "lesion": 1.0, "background": 0.0}
# Nothing to agree with, so that a network of random weights speaks.
ALONE = replace(RELATIONS, tasks=frozenset({C, S}), lesions=(), free={})


def fresh(*tasks: Task) -> Network:
    return small_network(*(tasks or (C, S, R)))


def teacher(**config: object) -> Teacher:
    return Teacher(TeacherConfig.model_validate(config), ALONE)


def trained(folder: Path, **more: object) -> Network:
    settings = {"run": RUN, "network": fresh(), **more}
    return train_network(folder, partial_batches(), **cast("dict[str, Any]", settings))[0]


def logged(folder: Path, name: str) -> list[float]:
    with next(folder.glob("logs*/metrics.csv")).open() as stream:
        return [float(row[name]) for row in csv.DictReader(stream) if row.get(name)]


def test_a_teacher_that_is_sure_of_nothing_changes_no_bit(tmp_path: Path) -> None:
    plain = trained(tmp_path / "plain")
    silent = trained(tmp_path / "silent", teacher=teacher(**SILENT))
    assert same(weights_of(silent), weights_of(plain))
    assert set(logged(tmp_path / "silent", "train/pseudo/segmentation")) == {0.0}


def test_before_its_start_it_is_not_asked(tmp_path: Path) -> None:
    plain = trained(tmp_path / "plain")
    late = trained(tmp_path / "late", teacher=teacher(**{**TALKATIVE, "start": 0.99}))
    assert same(weights_of(late), weights_of(plain))


@pytest.mark.parametrize(
    ("method", "accumulate"), [("fixed", 1), ("fixed", 2), ("famo", 1), ("pcgrad", 2)]
)
def test_what_it_is_sure_of_teaches_with_every_way_of_balancing(
    method: str, accumulate: int, tmp_path: Path
) -> None:
    changes = {"joint": {"method": method}, "run": {**RUN, "accumulate": accumulate}}
    plain = trained(tmp_path / "plain", **changes)
    taught = trained(tmp_path / "taught", teacher=teacher(**TALKATIVE), **changes)
    assert not same(weights_of(taught), weights_of(plain))
    assert all(bool(w.isfinite().all()) for w in weights_of(taught).values())
    assert max(logged(tmp_path / "taught", "train/pseudo/segmentation")) > 0
    assert logged(tmp_path / "taught", "train/part/segmentation/pseudo_dice")


def test_pseudo_labels_reach_their_own_heads_only() -> None:
    made = labels(said())
    assert made is not None
    network = fresh(C, S, R, D)
    losses = network.losses(made, torch.Generator().manual_seed(0))
    assert set(losses.parts) == {S, D}
    (losses.of(S) + losses.of(D)).backward()
    assert all(p.grad is None for t in (C, R) for p in network.heads[t.value].parameters())
    assert any(p.grad is not None for p in network.heads[S.value].parameters())


@pytest.mark.parametrize(
    "loss", ["dice_bce", "generalized_dice", "focal", "focal_tversky", "lovasz", "dice_boundary"]
)
def test_a_pixel_that_nobody_can_tell_has_no_gradient(loss: str) -> None:
    made = labels(said())
    assert made is not None
    assert made.masks_unknown is not None
    head = cast("SegmentationHead", fresh(S).heads[S.value])
    head.loss = cast("Any", loss)
    output = head(fresh(S).encoder(made.image))
    logits = output.logits.detach().requires_grad_()
    parts = segmentation_loss(head, replace(output, logits=logits), made)
    torch.stack(list(parts.values())).sum().backward()
    unknown = made.masks_unknown[0, NODULE_MASK]
    assert logits.grad is not None
    assert bool((logits.grad[0, NODULE_MASK][unknown] == 0).all())
    assert bool((logits.grad[0, NODULE_MASK][~unknown] != 0).any())
    assert bool((logits.grad[0, 1 - NODULE_MASK] == 0).all())


def test_it_looks_at_the_plain_view_and_the_student_at_the_other() -> None:
    seen: list[torch.Tensor] = []

    class Listening(Network):
        def predict(
            self, image: torch.Tensor, tasks: tuple[Task, ...] | None = None
        ) -> Predictions:
            assert tasks == (C, S, D)
            seen.append(image)
            return said()

    network = Listening(fresh(C, S, D).spec)
    batch = replace(BARE, plain=BARE.image + 1.0)
    made, _ = Teacher(TeacherConfig(weight=1.0), RELATIONS).label(network, batch)
    assert torch.equal(seen[0], BARE.image + 1.0)
    assert made is not None
    assert torch.equal(made.image, BARE.image)


@pytest.mark.slow
def test_an_interrupted_run_goes_on_to_the_very_same_weights(tmp_path: Path) -> None:
    taught = {"teacher": teacher(**TALKATIVE)}
    whole = trained(tmp_path / "whole", **taught)

    def stop() -> Mapping[str, float | None]:
        os.kill(os.getpid(), signal.SIGTERM)
        return {}

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "broken", validate=stop, **taught)
    last = tmp_path / "broken" / "last"
    network = fresh()
    network.load_state_dict(read_weights(last, load_description(last)))
    resumed = trained(tmp_path / "broken", network=network, resume=True, **taught)
    assert same(weights_of(resumed), weights_of(whole))


@pytest.mark.parametrize("mode", ["masked", "denoising", "genesis", "plain"])
def test_rows_with_pseudo_labels_teach_no_reconstruction(mode: str) -> None:
    network = small_network(C, S, R, reconstruction={"widths": (8,) * 5, "mode": mode})
    made = labels(said((0.02, 0.95, 0.03), clear(0.5), ()), make_batch(rows=1))
    assert made is not None
    assert set(network.losses(made, torch.Generator().manual_seed(0)).parts) == {C}
