"""A file of weights as plain tensors; nothing in it can run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file
from torch import Tensor

from tetract.errors import BundleError

State = dict[str, Tensor]
_WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "encoder", "network")


def read_state(file: Path) -> State:
    """The tensors of a ``.safetensors`` file, or of one that ``torch.save`` wrote.

    Raises:
        BundleError: ``E_WEIGHTS_FILE`` where it is missing, damaged, or holds no tensors.
    """
    if not file.is_file():
        raise _unread(file, "no such file")
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        loaded: object = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader raises what it stumbles over
        raise _unread(file, type(error).__name__) from error
    return _tensors(loaded, file)


def check_sha256(file: Path, expected: str) -> None:
    """Refuse a file that is not the one that was tested.

    Raises:
        BundleError: ``E_WEIGHTS_DIGEST``.
    """
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected:
        raise BundleError(
            "E_WEIGHTS_DIGEST",
            "these are not the weights that were tested",
            where=file.name,
            expected=f"sha256 {expected[:12]}...",
            found=f"sha256 {found[:12]}...",
            fix="Install the version that docs/how-to/start-from-weights.md names",
        )


def _tensors(loaded: object, file: Path) -> State:
    while isinstance(loaded, dict):
        tree = cast("dict[str, object]", loaded)
        inner = next((tree[name] for name in _WRAPPERS if isinstance(tree.get(name), dict)), None)
        if inner is None:
            state = {str(k): v for k, v in tree.items() if isinstance(v, Tensor)}
            if state:
                return state
            break
        loaded = inner
    raise _unread(file, "no tensors by name")


def _unread(file: Path, found: str) -> BundleError:
    return BundleError(
        "E_WEIGHTS_FILE",
        "no weights can be read from this file",
        where=file.name,
        expected="a .safetensors file, or a state dict that torch.save wrote",
        found=found,
        fix="Save the state dict alone, with safetensors",
    )
