"""ImageNet's weights by the encoders' own library, from its cache or from its server."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress

import segmentation_models_pytorch as smp
from huggingface_hub import constants, get_session
from torch import nn

from tetract.errors import MachineError, RecipeError, TetractError
from tetract.model.encoder import ALIASES, DEPTH
from tetract.model.pretrained.files import State

_ANSWER_SECONDS = 5.0


def read_imagenet(name: str) -> State:
    """The weights of the encoder ``name``; nothing is asked of the network where they are cached.

    Raises:
        RecipeError: ``E_WEIGHTS_UNFIT`` where there are none for this encoder.
        MachineError: ``E_WEIGHTS_ABSENT`` where they are not cached and the server is out of reach.
    """
    with suppress(MachineError), _cache_only():
        return _read(name)
    if not _is_server_there():
        # The library itself would try again and again for half a minute, and tell each time.
        raise _absent("no answer from its server")
    return _read(name)


def is_cached(name: str) -> bool:
    """Whether the weights are on this machine."""
    try:
        with _cache_only():
            _read(name)
    except TetractError:
        return False
    return True


def _read(name: str) -> State:
    library_name = ALIASES.get(name, name)
    try:
        trunk: nn.Module = smp.encoders.get_encoder(
            library_name,
            in_channels=3,
            depth=DEPTH,
            weights=True if library_name.startswith("tu-") else "imagenet",
        )
    except KeyError as error:
        raise RecipeError(
            "E_WEIGHTS_UNFIT",
            "there are no ImageNet weights for this encoder",
            where="encoder.weights",
            found=name,
            fix="Change encoder.name, or give a file",
        ) from error
    except Exception as error:  # the library's server is reached by several HTTP clients
        raise _absent(type(error).__name__) from error
    return trunk.state_dict()


@contextmanager
def _cache_only() -> Generator[None]:
    """The library's own switch HF_HUB_OFFLINE, which it reads from this variable once imported."""
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _is_server_there() -> bool:
    """Whether it answers at all, asked once and by the library's own client and proxies."""
    try:
        get_session().head(constants.ENDPOINT, timeout=_ANSWER_SECONDS)
    except Exception:  # noqa: BLE001 - whatever its HTTP client raises, nobody answered
        return False
    return True


def _absent(found: str) -> MachineError:
    return MachineError(
        "E_WEIGHTS_ABSENT",
        "ImageNet weights are neither in this machine's cache nor to be had from here",
        where="encoder.weights",
        found=found,
        fix="Go online once, or give a file",
    )
