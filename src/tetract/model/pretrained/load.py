"""``encoder.weights``: read, fitted to the trunk, loaded, and told."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from tetract.errors import BundleError, RecipeError
from tetract.model.known_weights import KNOWN_WEIGHTS
from tetract.model.network import Network
from tetract.model.pretrained.files import State, read_state
from tetract.model.pretrained.fit import first_conv, renamed
from tetract.model.pretrained.imagenet import is_cached, read_imagenet
from tetract.model.pretrained.packages import is_installed, read_astra, read_hed, read_lite0
from tetract.model.transfer import PartReport

_LEAST_SHARE = 0.5  # of the convolutions: fewer are another network's


def load_pretrained(network: Network) -> tuple[PartReport, ...]:
    """Give the trunk the weights that its spec names; nothing where it names none.

    Raises:
        RecipeError: ``E_WEIGHTS_UNFIT`` for an encoder that these weights are not for.
        BundleError: ``E_WEIGHTS_FILE``, ``E_WEIGHTS_DIGEST``; ``E_WEIGHTS_UNFIT`` when less than
            half of the convolutions fit.
        MachineError: ``E_WEIGHTS_ABSENT`` where they are not on this machine and cannot be had.
    """
    weights = network.spec.encoder.weights
    if weights is None:
        return ()
    trunk = network.encoder.trunk
    target = trunk.state_dict()
    found = _adapted(renamed(_read(network), target), target)
    fitting = {n: t for n, t in found.items() if n in target and t.shape == target[n].shape}
    _check_enough(weights, fitting, target)
    trunk.load_state_dict({**target, **fitting})
    mismatched = tuple(
        f"{name} {tuple(found[name].shape)} -> {tuple(target[name].shape)}"
        for name in target
        if name in found and name not in fitting
    )
    report = PartReport(
        part="encoder",
        loaded=len(fitting),
        missing=tuple(name for name in target if name not in found),
        mismatched=mismatched,
        notes=_notes(network, found, target),
    )
    return (report,)


def is_at_hand(weights: str, encoder: str) -> bool:
    """Whether weights known by name are on this machine; no network is asked."""
    return is_cached(encoder) if weights == "imagenet" else is_installed(weights)


def _read(network: Network) -> State:
    config = network.spec.encoder
    weights = str(config.weights)
    known = KNOWN_WEIGHTS.get(weights)
    if known is None:
        return read_state(Path(weights))
    if known.encoders and config.name not in known.encoders:
        raise RecipeError(
            "E_WEIGHTS_UNFIT",
            "these weights are for another encoder",
            where="encoder.weights",
            expected=" or ".join(known.encoders),
            found=config.name,
            fix="Change encoder.name, or encoder.weights",
        )
    if weights == "hed":
        return read_hed(config.name)
    if weights == "astra":
        return read_astra(config.name, network.spec.image_channels)
    return read_lite0() if weights == "lite0" else read_imagenet(config.name)


def _adapted(found: State, target: State) -> State:
    first = next(name for name, value in target.items() if value.dim() == 4)
    kernel = found.get(first)
    if kernel is None or kernel.dim() != 4:
        return found
    return {**found, first: first_conv(kernel, target[first].shape[1])}


def _check_enough(weights: str, fitting: State, target: State) -> None:
    kernels = [name for name, value in target.items() if value.dim() == 4]
    there = [name for name in kernels if name in fitting]
    if len(there) < _LEAST_SHARE * len(kernels) or kernels[0] not in fitting:
        raise BundleError(
            "E_WEIGHTS_UNFIT",
            "these weights are another network's",
            where=f"encoder.weights: {Path(weights).name}",
            expected=f"the first and at least half of {len(kernels)} convolutions",
            found=f"{len(there)} of the same name and shape",
            fix="Give weights of the encoder that encoder.name says",
        )


def _notes(network: Network, found: State, target: dict[str, Tensor]) -> tuple[str, ...]:
    spec = network.spec
    notes: list[str] = []
    had = any(name.endswith("running_mean") for name in found)
    has = any(name.endswith("running_mean") for name in target)
    if had and not has:
        notes.append(
            "W_WEIGHTS_NORM: these weights were trained with BatchNorm and meet GroupNorm; "
            "encoder.norm=batch or frozen keeps what they compute"
        )
    if has and not had:
        notes.append(
            "W_WEIGHTS_NORM: these weights come without the statistics that BatchNorm needs; with "
            "encoder.norm=frozen they must be estimated first (run.reestimate_norm)"
        )
    known = KNOWN_WEIGHTS.get(str(spec.encoder.weights))
    if known is not None and known.window_hu not in {None, spec.window_hu}:
        low, high = known.window_hu or (0.0, 0.0)
        notes.append(
            f"W_WEIGHTS_WINDOW: these weights were trained on {low:g} to {high:g} HU and meet "
            f"{spec.window_hu[0]:g} to {spec.window_hu[1]:g}; "
            f"data.window_hu=[{low:g},{high:g}] is theirs"
        )
    return tuple(notes)
