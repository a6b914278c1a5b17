"""Weights carried from one run into another: any part to any task subset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from tetract.errors import BundleError
from tetract.model.bundle import find_bundle, load_description, read_weights
from tetract.model.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class PartReport:
    """What became of one part (the encoder or one head) of the new network.

    Attributes:
        part: ``encoder`` or the task's name.
        loaded: Tensors copied.
        missing: Names that the old run does not have; they keep their fresh values.
        mismatched: Names whose shapes differ, with both shapes.
        notes: What must be known about how they fit, each beginning with a ``W_`` code.
    """

    part: str
    loaded: int
    missing: tuple[str, ...]
    mismatched: tuple[str, ...]
    notes: tuple[str, ...] = ()


def load_weights_from(network: Network, path: Path) -> tuple[PartReport, ...]:
    """Copy every tensor that has the same name and shape, and say what was and was not.

    Raises:
        BundleError: ``E_NOTHING_LOADED`` when no tensor fits: the user meant something else.
    """
    old = read_weights(find_bundle(path), load_description(path))
    new = network.state_dict()
    fitting = {name: t for name, t in old.items() if name in new and t.shape == new[name].shape}
    if not fitting:
        raise BundleError(
            "E_NOTHING_LOADED",
            "no tensor of this run fits the new network",
            where=path.name,
            expected=f"an encoder {network.spec.encoder.name}",
            found=f"an encoder {load_description(path).spec.encoder.name}",
            fix="Use the same encoder and norm as the run that weights come from",
        )
    network.load_state_dict({**new, **fitting})
    return tuple(_report(part, names, old, new) for part, names in _by_part(new).items())


def _by_part(state: dict[str, Tensor]) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    for name in state:
        first, second = name.split(".")[:2]
        parts.setdefault(second if first == "heads" else first, []).append(name)
    return parts


def _report(
    part: str, names: list[str], old: dict[str, Tensor], new: dict[str, Tensor]
) -> PartReport:
    missing = tuple(name for name in names if name not in old)
    mismatched = tuple(
        f"{name} {tuple(old[name].shape)} -> {tuple(new[name].shape)}"
        for name in names
        if name in old and old[name].shape != new[name].shape
    )
    loaded = len(names) - len(missing) - len(mismatched)
    return PartReport(part=part, loaded=loaded, missing=missing, mismatched=mismatched)
