"""When a colour picture is really a grey one."""

from __future__ import annotations

import numpy as np
from jaxtyping import Integer, UInt8

from tetract.errors import ReadError

# Chroma of re-encoded JPEG and of scanned figures stays below this many levels of 255.
TINT_LEVELS = 32
# Arrows and letters drawn on a slice cover less than this; an overlay or a photograph, more.
COLOURED_SHARE = 0.05
# ITU-R BT.601 luma, as in JPEG itself.
_LUMA = np.array([0.299, 0.587, 0.114])


def check_opaque(alpha: Integer[np.ndarray, "H W"], where: str) -> None:
    """Refuse pixels that let something shine through: their grey value is not known.

    Raises:
        ReadError: ``E_ALPHA``.
    """
    if int(alpha.min(initial=255)) < 255:
        raise ReadError(
            "E_ALPHA",
            "the picture is partly transparent, so its grey values are not defined",
            where=where,
            expected="alpha 255 everywhere",
            found=f"{float((alpha < 255).mean()):.1%} of pixels below",
            fix="Export the picture without transparency",
        )


def grey_of(
    rgb: UInt8[np.ndarray, "H W 3"], where: str
) -> tuple[UInt8[np.ndarray, "H W"], tuple[str, ...]]:
    """The grey picture behind three channels, with a warning where they differ a little.

    Grey: the three channels are equal. Near grey: at most 5 % of pixels differ by more than 32
    levels between channels (JPEG chroma noise, a faint tint, drawn arrows); these become luma.

    Raises:
        ReadError: ``E_COLOUR`` for anything more colourful.
    """
    if np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 1], rgb[..., 2]):
        return rgb[..., 0].copy(), ()
    difference = rgb.max(axis=-1) - rgb.min(axis=-1)
    share = float((difference > TINT_LEVELS).mean())
    if share > COLOURED_SHARE:
        raise ReadError(
            "E_COLOUR",
            "this is a colour picture, not a CT slice in grey",
            where=where,
            expected=f"at most {COLOURED_SHARE:.0%} of pixels with a colour",
            found=f"{share:.1%}",
            fix="Give the grey slice without overlay",
        )
    grey = np.rint(rgb @ _LUMA).astype(np.uint8)
    return grey, (
        f"W_NEAR_GREY {where}: channels differ by up to {int(difference.max())} of 255 levels"
        f" ({share:.1%} of pixels are coloured); luma was taken",
    )
