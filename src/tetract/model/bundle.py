"""A model on disk: ``model.safetensors`` beside ``model.json``. Nothing in it can run code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from tetract.errors import BundleError
from tetract.io import atomic_write_bytes, atomic_write_text
from tetract.model.network import Network
from tetract.model.spec import NetworkSpec

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
SCHEMA = "tetract.model/1"


class Description(BaseModel):
    """What ``model.json`` holds.

    Attributes:
        format: Version of this layout.
        tetract: Version of the package that wrote it.
        spec: How to build the network.
        weights_sha256: Digest of ``model.safetensors``; loading fails where it differs.
        step: Optimiser steps taken.
        metrics: Validation figures at that step, None where undefined.
        dataset: Name and split hash of the data it was trained on.
        notes: Plain sentences that must travel with the weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str = SCHEMA
    tetract: str
    spec: NetworkSpec
    weights_sha256: str
    step: int = 0
    metrics: dict[str, float | None] = {}
    dataset: dict[str, str] = {}
    notes: tuple[str, ...] = ("Research use only. Not a medical device.",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A loaded model: the network in evaluation mode and its description."""

    network: Network
    description: Description

    @property
    def identity(self) -> str:
        """Tasks, encoder and the first digits of the weights' digest."""
        spec = self.description.spec
        letters = "".join(task.value[0].upper() for task in spec.tasks)
        return f"{letters}-{spec.encoder.name}-{self.description.weights_sha256[:12]}"


def save_bundle(
    folder: Path,
    network: Network,
    *,
    version: str,
    step: int = 0,
    metrics: Mapping[str, float | None] | None = None,
    dataset: Mapping[str, str] | None = None,
) -> Bundle:
    """Write ``network`` into ``folder``; each file appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: t.detach().contiguous().cpu() for name, t in network.state_dict().items()}
    payload = save(state)
    description = Description(
        tetract=version,
        spec=network.spec,
        weights_sha256=hashlib.sha256(payload).hexdigest(),
        step=step,
        metrics=dict(metrics or {}),
        dataset=dict(dataset or {}),
    )
    # The digest ties the two files together: an interrupt between them is noticed on loading.
    atomic_write_bytes(folder / WEIGHTS, payload)
    atomic_write_text(folder / DESCRIPTION, description.model_dump_json(indent=2) + "\n")
    return Bundle(network=network, description=description)


def load_bundle(path: Path) -> Bundle:
    """Read a model folder, or a run folder (its best model, else its last).

    Raises:
        BundleError: ``E_NO_MODEL``, ``E_BAD_MODEL`` or ``E_MODEL_DIGEST``.
    """
    folder = find_bundle(path)
    description = _read_description(folder / DESCRIPTION)
    state = read_weights(folder, description)
    network = Network(description.spec)
    missing, unexpected = network.load_state_dict(state, strict=False)
    if missing or unexpected:
        raise BundleError(
            "E_BAD_MODEL",
            "weights do not belong to the network that model.json describes",
            where=folder.name,
            found=f"{len(missing)} tensors missing, {len(unexpected)} left over",
            fix="Save the model again, or use the TetraCT version that wrote it "
            f"({description.tetract})",
        )
    return Bundle(network=network.eval(), description=description)


def find_bundle(path: Path) -> Path:
    """The model folder that ``path`` means.

    Raises:
        BundleError: ``E_NO_MODEL`` where there is none.
    """
    for folder in (path, path / "best", path / "last"):
        if (folder / DESCRIPTION).is_file():
            return folder
    raise BundleError(
        "E_NO_MODEL",
        "no model here",
        where=path.name,
        expected=f"a folder with {DESCRIPTION} and {WEIGHTS}, or a run folder",
        found="nothing of the kind" if path.exists() else "no such path",
        fix="Give the folder that `tetract train` wrote",
    )


def _read_description(file: Path) -> Description:
    try:
        return Description.model_validate_json(file.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError, json.JSONDecodeError) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise BundleError(
            "E_BAD_MODEL",
            "model.json cannot be understood",
            where=file.parent.name,
            expected=SCHEMA,
            found=first,
            fix="Save the model again with this version of TetraCT",
        ) from error


def read_weights(folder: Path, description: Description) -> dict[str, Tensor]:
    """The tensors of a model folder, checked against their digest.

    Raises:
        BundleError: ``E_MODEL_DIGEST`` or ``E_BAD_MODEL``.
    """
    file = folder / WEIGHTS
    payload = file.read_bytes() if file.is_file() else b""
    digest = hashlib.sha256(payload).hexdigest()
    if digest != description.weights_sha256:
        raise BundleError(
            "E_MODEL_DIGEST",
            "weights are damaged or belong to another model.json",
            where=f"{folder.name}/{WEIGHTS}",
            expected=f"sha256 {description.weights_sha256[:12]}...",
            found=f"sha256 {digest[:12]}..." if payload else "no such file",
            fix="Copy the model again, or use the run's other checkpoint",
        )
    try:
        return load(payload)
    except SafetensorError as error:
        raise BundleError(
            "E_BAD_MODEL", "weights are not in safetensors format", where=folder.name
        ) from error


def load_description(path: Path) -> Description:
    """``model.json`` of a model or run folder, without its weights."""
    return _read_description(find_bundle(path) / DESCRIPTION)


def to_device(network: Network, device: torch.device) -> Network:
    """The network on ``device``, in the layout in which its convolutions run fastest there."""
    return network.to(device).to(memory_format=torch.channels_last)
