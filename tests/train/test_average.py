"""A running average of the weights: by hand, kept from spoilt steps, resumed to the bit."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from joint_cases import C, S, partial_batches, same, small_network, train_network, weights_of
from tetract.errors import BundleError
from tetract.model import Network
from tetract.model.bundle import load_description, read_weights
from tetract.train.average import average_of, follow

STEPS = {"steps": 4, "validate_every": 2}


def fresh() -> Network:
    return small_network(C, S, norm="batch")


def saved(folder: Path) -> Mapping[str, object]:
    return read_weights(folder / "last", load_description(folder / "last"))


def interrupted(folder: Path, **run: object) -> None:
    def stop() -> dict[str, float | None]:
        os.kill(os.getpid(), signal.SIGTERM)
        return {}

    with pytest.raises(KeyboardInterrupt):
        train_network(folder, network=fresh(), run={**STEPS, **run}, validate=stop)


def resumed(folder: Path, **run: object) -> Network:
    network = fresh()
    network.load_state_dict(saved(folder))
    train_network(folder, network=network, run={**STEPS, **run}, resume=True)
    return network


def test_the_average_by_hand() -> None:
    network = fresh()
    averaged = average_of(network)
    weight, mine = next(network.parameters()), next(averaged.parameters())
    weight.data.fill_(1.0)
    mine.data.fill_(0.0)
    follow(averaged, network, decay=0.9, step=1)  # 2 / 11 stays
    assert mine.flatten()[0].item() == pytest.approx(9 / 11)
    follow(averaged, network, decay=0.1, step=100)
    assert mine.flatten()[0].item() == pytest.approx(1 - 0.1 * 2 / 11)


def test_the_average_is_validated_and_saved_and_the_weights_go_on(tmp_path: Path) -> None:
    network, _ = train_network(tmp_path, network=fresh(), run={"steps": 2, "average": 0.9})
    plain, _ = train_network(tmp_path / "plain", network=fresh(), run={"steps": 2})
    assert same(weights_of(network), weights_of(plain))
    assert not same(saved(tmp_path), weights_of(network))
    buffers = [name for name, _ in network.named_buffers()]
    assert same(
        {n: saved(tmp_path)[n] for n in buffers}, {n: plain.state_dict()[n] for n in buffers}
    )


@pytest.mark.slow
def test_an_interrupted_average_goes_on_to_the_very_same_weights(tmp_path: Path) -> None:
    run = {"average": 0.9}
    whole, _ = train_network(
        tmp_path / "whole", partial_batches(), network=fresh(), run={**STEPS, **run}
    )
    interrupted(tmp_path / "broken", **run)
    assert same(weights_of(resumed(tmp_path / "broken", **run)), weights_of(whole))
    assert same(saved(tmp_path / "broken"), saved(tmp_path / "whole"))


@pytest.mark.slow
@pytest.mark.parametrize(("first", "then"), [(0.9, 0.0), (0.0, 0.9)])
def test_an_average_is_not_taken_for_weights_or_the_other_way_round(
    first: float, then: float, tmp_path: Path
) -> None:
    interrupted(tmp_path, average=first)
    with pytest.raises(BundleError, match=r"E_OTHER_METHOD .*run\.average"):
        resumed(tmp_path, average=then)
