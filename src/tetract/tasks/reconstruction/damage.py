"""Slices damaged in a way that only anatomy can mend: noise, grey values, order, missing parts.

Denoising is Vincent et al. 2008 (doi 10.1145/1390156.1390294), the other four are Models Genesis
(Zhou et al. 2019, arXiv 1908.06912), here without inverting grey values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

# Models Genesis' own chances and sizes, as shares of the side where they are sizes.
_GREY_CHANCE: Final = 0.9
_SHUFFLE_CHANCE: Final = 0.5
_PAINT_CHANCE: Final = 0.9
_OUTPAINT_CHANCE: Final = 0.8
_WINDOWS: Final = 100
_LARGEST_WINDOW: Final = 1 / 10
_BOXES: Final = 5
_IN_SIDE: Final = (1 / 6, 1 / 3)
_OUT_SIDE: Final = (3 / 7, 4 / 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """Slices to mend.

    Attributes:
        image: What the encoder is shown.
        changed: Pixels whose truth it must infer; at least one in each row.
    """

    image: Float[Tensor, "B C H W"]
    changed: Bool[Tensor, "B 1 H W"]


def add_noise(image: Float[Tensor, "B C H W"], std: float, generator: torch.Generator) -> Damaged:
    """Gaussian noise everywhere.

    Args:
        image: In [0, 1].
        std: Standard deviation in model units.
        generator: On the CPU.
    """
    noise = torch.randn(image.shape, generator=generator).to(image.device) * std
    changed = torch.ones_like(image[:, :1], dtype=torch.bool)
    return Damaged(image=(image + noise).clamp(0.0, 1.0), changed=changed)


def confuse(image: Float[Tensor, "B C H W"], generator: torch.Generator) -> Damaged:
    """Models Genesis: other grey values, shuffled places, and painted parts, each by chance.

    Args:
        image: In [0, 1].
        generator: On the CPU.
    """
    rows = [_confused(row, generator) for row in image]
    return Damaged(
        image=torch.stack([shown for shown, _ in rows]),
        changed=torch.stack([changed for _, changed in rows]),
    )


_Row = tuple[Float[Tensor, "C H W"], Bool[Tensor, "1 H W"]]


def _confused(row: Float[Tensor, "C H W"], generator: torch.Generator) -> _Row:
    chances: list[float] = torch.rand(4, generator=generator).tolist()
    changed = torch.zeros_like(row[:1], dtype=torch.bool)
    shown = row.clone()
    if chances[1] < _SHUFFLE_CHANCE:
        shown, changed = _shuffled(shown, changed, generator)
    if chances[0] < _GREY_CHANCE:
        shown = _other_greys(shown, generator)
        changed = torch.ones_like(changed)
    # A row that nothing else has changed is painted: each must have something to mend.
    if chances[2] < _PAINT_CHANCE or not bool(changed.any()):
        paint = _painted_around if chances[3] < _OUTPAINT_CHANCE else _painted_inside
        shown, changed = paint(shown, changed, generator)
    return shown, changed


def _other_greys(
    shown: Float[Tensor, "C H W"], generator: torch.Generator
) -> Float[Tensor, "C H W"]:
    """A rising Bezier curve from (0, 0) to (1, 1) with two drawn points between."""
    x, y = torch.rand(2, 2, generator=generator).sort(dim=1).values.to(shown.device)
    t = torch.linspace(0, 1, 256, device=shown.device)
    rise = [3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3]
    along, up = (rise[0] * p[0] + rise[1] * p[1] + rise[2] for p in (x, y))
    upper = torch.searchsorted(along, shown.flatten().contiguous()).clamp(1, 255)
    low, high = along[upper - 1], along[upper]
    share = ((shown.flatten() - low) / (high - low).clamp_min(1e-6)).clamp(0, 1)
    return torch.lerp(up[upper - 1], up[upper], share).reshape(shown.shape)


def _shuffled(
    shown: Float[Tensor, "C H W"], changed: Bool[Tensor, "1 H W"], generator: torch.Generator
) -> _Row:
    """The pixels of small windows in another order."""
    height, width = shown.shape[-2:]
    for _ in range(_WINDOWS):
        window = _window((height, width), (0.0, _LARGEST_WINDOW), generator)
        pixels = shown[:, *window]
        order = torch.randperm(pixels[0].numel(), generator=generator).to(shown.device)
        shown[:, *window] = pixels.flatten(1)[:, order].reshape(pixels.shape)
        changed[:, *window] = True
    return shown, changed


def _painted_inside(
    shown: Float[Tensor, "C H W"], changed: Bool[Tensor, "1 H W"], generator: torch.Generator
) -> _Row:
    """One to five boxes of one grey value each."""
    for _ in range(int(torch.randint(1, _BOXES + 1, (), generator=generator))):
        window = _window(tuple(shown.shape[-2:]), _IN_SIDE, generator)
        shown[:, *window] = float(torch.rand((), generator=generator))
        changed[:, *window] = True
    return shown, changed


def _painted_around(
    shown: Float[Tensor, "C H W"], changed: Bool[Tensor, "1 H W"], generator: torch.Generator
) -> _Row:
    """Noise everywhere but in one to five boxes."""
    kept = torch.zeros_like(changed)
    for _ in range(int(torch.randint(1, _BOXES + 1, (), generator=generator))):
        kept[:, *_window(tuple(shown.shape[-2:]), _OUT_SIDE, generator)] = True
    noise = torch.rand(shown.shape, generator=generator).to(shown.device)
    return torch.where(kept, shown, noise), changed | ~kept


def _window(
    size: tuple[int, ...], sides: tuple[float, float], generator: torch.Generator
) -> tuple[slice, slice]:
    """A drawn box whose sides are shares of the slice's, at least one pixel."""
    parts: list[slice] = []
    for length in size:
        side_share, place = torch.rand(2, generator=generator).tolist()
        side = max(1, round(length * (sides[0] + side_share * (sides[1] - sides[0]))))
        start = int(place * (length - side + 1))
        parts.append(slice(start, start + side))
    return parts[0], parts[1]
