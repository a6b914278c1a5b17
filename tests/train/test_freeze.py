"""Weights carried from another run: an encoder held still, or learning slowly."""

from __future__ import annotations

from pathlib import Path

import pytest

from joint_cases import C, S, same, small_network, train_network, weights_of
from makers import make_batch
from tetract.joint import Balance, JointConfig
from tetract.model import Network
from tetract.train import OptimiserConfig, RunConfig
from tetract.train.module import JointModule
from tetract.types.batch import Batch


def batch() -> Batch:
    return make_batch(rows=2, label={0: [0]}, masks={1: [0, 1]})


def fresh() -> Network:
    return small_network(C, S, norm="batch")


@pytest.mark.parametrize("joint", [{}, {"method": "pcgrad", "log_gradients": True}], ids=str)
def test_a_frozen_encoder_keeps_weights_and_statistics(
    joint: dict[str, object], tmp_path: Path
) -> None:
    network = fresh()
    before = weights_of(network.encoder), weights_of(network.heads)
    # Validating after every step switches the network to evaluation and back.
    run = {"steps": 2, "freeze_encoder_steps": 2, "validate_every": 1}
    train_network(tmp_path, [batch()], network=network, joint=joint, run=run)
    assert same(weights_of(network.encoder), before[0])
    assert not same(weights_of(network.heads), before[1])


def test_the_encoder_learns_from_the_step_after(tmp_path: Path) -> None:
    network = fresh()
    before = weights_of(network.encoder)
    run = {"steps": 3, "freeze_encoder_steps": 2}
    train_network(tmp_path, [batch()], network=network, run=run)
    after = weights_of(network.encoder)
    for part in ("0.weight", "1.weight", "1.running_mean"):
        assert not same(
            {part: after[f"trunk.model.conv1.{part}"]}, {part: before[f"trunk.model.conv1.{part}"]}
        ), part
    # Statistics have followed one batch, not three.
    assert int(after["trunk.model.conv1.1.num_batches_tracked"]) == 1


def test_a_frozen_norm_stays_frozen_when_the_encoder_is_let_go(tmp_path: Path) -> None:
    network = small_network(C, S, norm="frozen")
    before = weights_of(network.encoder)
    run = {"steps": 2, "freeze_encoder_steps": 1}
    train_network(tmp_path, [batch()], network=network, run=run)
    after = weights_of(network.encoder)
    statistics = [name for name in after if "running" in name]
    assert statistics
    assert same({n: after[n] for n in statistics}, {n: before[n] for n in statistics})
    assert not same(after, before)


def test_without_freezing_the_encoder_learns_at_once(tmp_path: Path) -> None:
    network = fresh()
    before = weights_of(network.encoder)
    train_network(tmp_path, [batch()], network=network, run={"steps": 1})
    assert not same(weights_of(network.encoder), before)


def test_the_encoders_rate_is_a_multiple_of_the_heads() -> None:
    network = fresh()
    module = JointModule(
        network,
        Balance(JointConfig(), network.tasks),
        OptimiserConfig(rate=0.01, encoder_factor=0.1),
        RunConfig(),
    )
    encoder, heads = module.configure_optimizers().param_groups
    assert (encoder["peak"], heads["peak"]) == (pytest.approx(0.001), 0.01)
    assert {id(p) for p in encoder["params"]} == {id(p) for p in network.encoder.parameters()}
    assert {id(p) for p in heads["params"]} == {id(p) for p in network.heads.parameters()}


def test_an_encoder_rate_of_zero_keeps_weights_but_not_statistics(tmp_path: Path) -> None:
    network = fresh()
    before = weights_of(network.encoder)
    train_network(tmp_path, [batch()], network=network, optimiser={"encoder_factor": 0.0})
    after = weights_of(network.encoder)
    still = {name for name in after if same({name: after[name]}, {name: before[name]})}
    assert {name for name, _ in network.encoder.named_parameters()} <= still
    assert "trunk.model.conv1.1.running_mean" not in still
