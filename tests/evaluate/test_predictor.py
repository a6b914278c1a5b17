from __future__ import annotations

from evaluation_cases import Oracle

from tetract.evaluate.collect import Predictor
from tetract.model import Network, NetworkSpec
from tetract.types import Task


def test_the_network_is_a_predictor() -> None:
    assert isinstance(Network(NetworkSpec(tasks=(Task.RECONSTRUCTION,))), Predictor)


def test_a_stand_in_is_a_predictor() -> None:
    assert isinstance(Oracle(), Predictor)
