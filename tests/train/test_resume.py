"""What a method has learnt survives an interrupt, bit for bit."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from joint_cases import C, R, S, partial_batches, same, small_network, train_network, weights_of
from tetract.errors import BundleError
from tetract.model import Network
from tetract.model.bundle import load_description, read_weights
from tetract.train.checkpoint import PROGRESS

pytestmark = pytest.mark.slow

METHODS: dict[str, dict[str, object]] = {
    "fixed": {},
    "normalised": {"normalised": {"steps": 3}},
    "random": {},
    "uncertainty": {"uncertainty": {"rate": 0.5}},
    "uwso": {"uwso": {"temperature": 1.0}},
    "dwa": {"dwa": {"window": 1}},
    "famo": {"famo": {"rate": 0.5}},
    "pcgrad": {},
}
STEPS = {"steps": 4, "validate_every": 2}


def fresh() -> Network:
    return small_network(C, S, R)


def interrupted(folder: Path, joint: Mapping[str, object], **run: object) -> None:
    """Stopped by SIGTERM at the end of its second step."""

    def stop() -> dict[str, float | None]:
        os.kill(os.getpid(), signal.SIGTERM)
        return {}

    with pytest.raises(KeyboardInterrupt):
        train_network(folder, network=fresh(), joint=joint, run={**STEPS, **run}, validate=stop)


def resumed(folder: Path, joint: Mapping[str, object], **run: object) -> Network:
    network = fresh()
    network.load_state_dict(read_weights(folder / "last", load_description(folder / "last")))
    train_network(folder, network=network, joint=joint, run={**STEPS, **run}, resume=True)
    return network


@pytest.mark.parametrize("method", METHODS)
def test_an_interrupted_run_goes_on_to_the_very_same_weights(method: str, tmp_path: Path) -> None:
    joint = {"method": method, **METHODS[method]}
    whole, _ = train_network(tmp_path / "whole", network=fresh(), joint=joint, run=STEPS)
    interrupted(tmp_path / "broken", joint)
    document = json.loads((tmp_path / "broken" / "last" / PROGRESS).read_text())
    assert document["step"] == 2
    assert bool(document["joint"]["state"]) == (method not in {"fixed", "random", "pcgrad"})
    assert same(weights_of(resumed(tmp_path / "broken", joint)), weights_of(whole))


def test_a_run_with_accumulation_and_a_frozen_start_does_too(tmp_path: Path) -> None:
    joint, more = {"method": "dwa", "dwa": {"window": 1}}, {"accumulate": 2}
    more["freeze_encoder_steps"] = 3
    whole, _ = train_network(
        tmp_path / "whole",
        partial_batches(),
        network=fresh(),
        joint=joint,
        run={**STEPS, **more},
    )
    interrupted(tmp_path / "broken", joint, **more)
    assert same(weights_of(resumed(tmp_path / "broken", joint, **more)), weights_of(whole))


def test_a_run_does_not_go_on_by_another_method(tmp_path: Path) -> None:
    interrupted(tmp_path, {"method": "dwa"})
    with pytest.raises(BundleError, match=r"E_OTHER_METHOD .*expected dwa, found famo"):
        resumed(tmp_path, {"method": "famo"})


def test_a_run_from_before_there_were_methods_goes_on_as_fixed(tmp_path: Path) -> None:
    interrupted(tmp_path, {})
    file = tmp_path / "last" / PROGRESS
    document = json.loads(file.read_text())
    del document["joint"]
    file.write_text(json.dumps(document))
    resumed(tmp_path, {})
    assert json.loads(file.read_text())["step"] == 4
