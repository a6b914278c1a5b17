"""Rotation, zoom and shift of pixels, bilinear, about the centre of a square image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64
from torch.nn import functional as nn

from tetract.data.augment_draw import AugmentDraw

# Bilinear interpolation reaches one pixel beyond a mask; one more for rounding.
_REACH_PX = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedMask:
    """How much of each pixel a moved mask covers, where it covers any.

    Attributes:
        share: (h, w) float32 in [0, 1]; outside of it all is 0.
        window: Rows and columns of ``share`` in the image.
    """

    share: Float32[np.ndarray, "h w"]
    window: tuple[slice, slice]


class Warp:
    """One change of geometry, for all channels alike.

    Args:
        change: Its rotation, zoom and shift; flips are not looked at.
        side: Side of the image in pixels.
    """

    def __init__(self, change: AugmentDraw, side: int) -> None:
        self._change = change
        self._side = side
        self._grid = torch.from_numpy(_grid(change, side))

    def image(self, image: Float32[np.ndarray, "C S S"]) -> Float32[np.ndarray, "C S S"]:
        """The moved image; what comes in from outside is 0."""
        return _sampled(torch.from_numpy(image), self._grid).numpy()

    def masks(self, masks: Bool[np.ndarray, "M S S"]) -> Iterator[MovedMask | None]:
        """Each moved mask, computed only where it can be; None where nothing of it is in view."""
        for mask, window in zip(masks, self._windows(masks), strict=True):
            if window is None:
                yield None
                continue
            whole = torch.from_numpy(mask).float()[None]
            yield MovedMask(share=_sampled(whole, self._grid[window])[0].numpy(), window=window)

    def _windows(self, masks: Bool[np.ndarray, "M S S"]) -> list[tuple[slice, slice] | None]:
        """Rows and columns beyond which nothing of a moved mask can lie."""
        filled = np.stack([masks.any(axis=1), masks.any(axis=2)], axis=1)  # (M, 2, S) over x, y
        first = filled.argmax(axis=2) - _REACH_PX
        last = self._side - filled[..., ::-1].argmax(axis=2) + _REACH_PX
        moved = moved_corners(np.concatenate([first, last], axis=1), self._change, self._side)
        low, high = np.floor(moved[:, :2]), np.ceil(moved[:, 2:])
        edges = np.clip(np.concatenate([low, high], axis=1), 0, self._side).astype(int)
        is_seen = np.concatenate(
            [filled[:, 0].any(axis=1, keepdims=True), edges[:, :2] < edges[:, 2:]], axis=1
        )
        return [
            (slice(y0, y1), slice(x0, x1)) if all(seen) else None
            for (x0, y0, x1, y1), seen in zip(edges.tolist(), is_seen.tolist(), strict=True)
        ]


def moved_corners(
    xyxy: Float64[np.ndarray, "N 4"], change: AugmentDraw, side: int
) -> Float64[np.ndarray, "N 4"]:
    """Smallest upright boxes around the moved corners of boxes, in pixels, not clipped."""
    picks = xyxy[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]  # (N, 4, 2) of x, y
    down, right = change.shift_px
    centre = side / 2
    moved = (picks - centre) @ _rotation(change).T * change.scale + centre + (right, down)
    return np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1)


def _rotation(change: AugmentDraw) -> Float64[np.ndarray, "2 2"]:
    """Acts on (x, y) with y downwards, so a positive angle turns clockwise as displayed."""
    angle = np.deg2rad(change.rotation_deg)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _grid(change: AugmentDraw, side: int) -> Float32[np.ndarray, "S S 2"]:
    """Where each output pixel comes from, ``x y`` in units of half the side.

    By numpy: torch's ``affine_grid`` wakes all threads for a millisecond of work.
    """
    back = (_rotation(change).T / change.scale).astype(np.float32)
    centres = (2 * np.arange(side, dtype=np.float32) + 1) / side - 1
    down, right = (np.float32(2 * shift / side) for shift in change.shift_px)
    # x + iy, so that both are added in one pass.
    across = (back[0, 0] + 1j * back[1, 0]) * (centres - right)
    along = (back[0, 1] + 1j * back[1, 1]) * (centres - down)
    return (across + along[:, None]).view(np.float32).reshape(side, side, 2)


def _sampled(
    channels: Float32[torch.Tensor, "C S S"], grid: Float32[torch.Tensor, "h w 2"]
) -> Float32[torch.Tensor, "C h w"]:
    return nn.grid_sample(channels[None], grid[None], "bilinear", "zeros", align_corners=False)[0]
