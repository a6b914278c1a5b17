"""What the heads are built of."""

from tetract.layers.blocks import ConvNormAct, Norm, group_norm
from tetract.layers.pyramid import Pyramid, build_pyramid
from tetract.layers.unet import UNetDecoder, step_channels, used_widths

__all__ = [
    "ConvNormAct",
    "Norm",
    "Pyramid",
    "UNetDecoder",
    "build_pyramid",
    "group_norm",
    "step_channels",
    "used_widths",
]
