"""Foreign tensors brought under the trunk's names and shapes."""

from __future__ import annotations

from collections import Counter

from torch import Tensor

from tetract.model.pretrained.files import State


def renamed(state: State, trunk: State) -> State:
    """The state under the trunk's names: whichever prefix makes most of them fit is changed.

    Args:
        state: As its file names it: ``module.encoder.layer1...``, ``backbone.layer1...``.
        trunk: The trunk's own state; timm's trunks have ``model.`` before every name.
    """
    fitting = Counter(
        (theirs.removesuffix(bare), ours)
        for ours in ("", "model.")
        for bare in (name.removeprefix(ours) for name in trunk if name.startswith(ours))
        for theirs in state
        if theirs == bare or theirs.endswith(f".{bare}")
    )
    if not fitting:
        return {}
    prefix, ours = max(fitting, key=lambda pair: (fitting[pair], -len(pair[0])))
    return {
        ours + name.removeprefix(prefix): value
        for name, value in state.items()
        if name.startswith(prefix)
    }


def first_conv(kernel: Tensor, channels: int) -> Tensor:
    """A kernel for three colours made one for ``channels`` of grey.

    One channel: the sum over colours, which is exact for a grey picture in all three. Other
    numbers: each channel gets the sum's share.
    """
    if kernel.shape[1] == channels:
        return kernel
    return kernel.sum(dim=1, keepdim=True).repeat(1, channels, 1, 1) / channels
