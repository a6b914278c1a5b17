"""A run on disk: ``best/`` and ``last/`` models, and what resuming needs. No pickle."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load, save

from tetract.errors import BundleError, InputError, MachineError
from tetract.io import atomic_write_bytes, atomic_write_text
from tetract.joint import Balance, State
from tetract.model import Network
from tetract.model.bundle import load_description

OPTIMISER, PROGRESS = "optimiser.safetensors", "progress.json"
LEARNING = "learning.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands.

    Attributes:
        step: Optimiser steps taken.
        best_score: Best selection score so far, None before the first validation.
        best_step: Its step.
        stale: Validations since.
    """

    step: int = 0
    best_score: float | None = None
    best_step: int = 0
    stale: int = 0


@contextmanager
def run_folder(folder: Path, *, resume: bool) -> Generator[Path]:
    """Hold ``folder`` for one process.

    Raises:
        InputError: ``E_RUN_EXISTS`` when it holds a run and ``resume`` is False, or
            ``E_NOTHING_TO_RESUME`` the other way round.
        MachineError: ``E_RUN_LOCKED`` when another process trains in it.
    """
    started = (folder / "recipe.yaml").exists()
    if started and not resume:
        raise InputError(
            "E_RUN_EXISTS",
            "this folder already holds a run",
            where=folder.name,
            fix="Choose another run.folder, or add --resume to go on with it",
        )
    if resume and not (folder / "last" / PROGRESS).exists():
        raise InputError(
            "E_NOTHING_TO_RESUME",
            "no interrupted run here",
            where=folder.name,
            expected=f"last/{PROGRESS}",
            fix="Start it without --resume",
        )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise MachineError(
                "E_RUN_LOCKED",
                "another process is training in this folder",
                where=folder.name,
                fix="Wait for it, stop it, or choose another run.folder",
            ) from error
        yield folder


def save_progress(
    folder: Path, progress: Progress, optimiser: torch.optim.Optimizer, balance: Balance
) -> None:
    """Write the states of optimiser and balancing, and progress, beside the model."""
    state: dict[str, torch.Tensor] = {}
    for index, entry in optimiser.state_dict()["state"].items():
        for name, value in entry.items():
            state[f"{index}.{name}"] = torch.as_tensor(value).detach().contiguous().cpu()
    payload = save(state)
    atomic_write_bytes(folder / OPTIMISER, payload)
    document = {
        "format": "tetract.progress/1",
        "step": progress.step,
        "best_score": progress.best_score,
        "best_step": progress.best_step,
        "stale": progress.stale,
        "optimiser_sha256": hashlib.sha256(payload).hexdigest(),
        "joint": {"method": balance.config.method, "state": balance.weighting.state},
    }
    atomic_write_text(folder / PROGRESS, json.dumps(document, indent=2) + "\n")


def load_progress(folder: Path, optimiser: torch.optim.Optimizer) -> Progress:
    """Restore ``optimiser`` and return where the run stood.

    Raises:
        BundleError: ``E_MODEL_DIGEST`` when the files of ``folder`` do not belong together.
    """
    document: Mapping[str, Any] = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
    payload = (folder / OPTIMISER).read_bytes()
    if hashlib.sha256(payload).hexdigest() != document["optimiser_sha256"]:
        raise BundleError(
            "E_MODEL_DIGEST",
            "optimiser state is damaged or belongs to another step",
            where=f"{folder.name}/{OPTIMISER}",
            fix="Start again from best/ with run.init_from",
        )
    entries: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in load(payload).items():
        index, name = key.split(".", 1)
        entries.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": entries})
    return Progress(
        step=document["step"],
        best_score=document["best_score"],
        best_step=document["best_step"],
        stale=document["stale"],
    )


def load_balance(folder: Path, method: str) -> State:
    """What the balancing of the run in ``folder`` had learnt.

    Args:
        folder: Its ``last/``.
        method: The ``joint.method`` that is to go on. A run that says none had ``fixed``.

    Raises:
        BundleError: ``E_OTHER_METHOD`` where the run balanced in another way.
    """
    document: Mapping[str, Any] = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
    saved = document.get("joint", {"method": "fixed", "state": {}})
    if saved["method"] != method:
        raise BundleError(
            "E_OTHER_METHOD",
            "the interrupted run balanced its tasks in another way",
            where="joint.method",
            expected=saved["method"],
            found=method,
            fix="Resume with the recipe.yaml of its run folder, or start a run of your own from "
            "its weights with run.init_from",
        )
    return {name: dict(values) for name, values in saved["state"].items()}


def save_learning(folder: Path, network: Network, averaged: Network | None) -> None:
    """Write the weights that learn beside the model, where that is their average."""
    if averaged is None:
        return
    state = {name: t.detach().contiguous().cpu() for name, t in network.state_dict().items()}
    # The name of the model's own file ties the two together.
    digest = load_description(folder).weights_sha256
    atomic_write_bytes(folder / LEARNING, save(state, metadata={"average": digest}))


def load_learning(folder: Path, network: Network, averaged: Network | None) -> None:
    """Take the average from ``network``, which holds the saved model, and then its own weights.

    Raises:
        BundleError: ``E_OTHER_METHOD`` where only one of the run and the recipe averages weights,
            ``E_MODEL_DIGEST`` where the two files are of different steps.
    """
    file = folder / LEARNING
    if file.exists() != (averaged is not None):
        kind = {True: "a running average of the weights", False: "the weights themselves"}
        raise BundleError(
            "E_OTHER_METHOD",
            "the interrupted run kept its weights in another way",
            where="run.average",
            expected=kind[file.exists()],
            found=kind[averaged is not None],
            fix="Resume with the recipe.yaml of its run folder",
        )
    if averaged is None:
        return
    with safe_open(file, framework="pt") as opened:
        belongs = (opened.metadata() or {}).get("average")
        state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
    if belongs != load_description(folder).weights_sha256:
        raise BundleError(
            "E_MODEL_DIGEST",
            "the weights that learn belong to another step than their average",
            where=f"{folder.name}/{LEARNING}",
            fix="Start again from best/ with run.init_from",
        )
    averaged.load_state_dict(network.state_dict())
    network.load_state_dict(state)


def saved_step(folder: Path) -> int:
    """Optimiser steps that the run in ``folder`` has taken."""
    document: Mapping[str, Any] = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
    return int(document["step"])
