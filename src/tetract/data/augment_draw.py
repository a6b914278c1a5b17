"""What to change in a sample, drawn before anything is changed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from tetract.data.config import AugmentConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentDraw:
    """One drawn change; the defaults change nothing.

    Attributes:
        flip_x: Swap left and right.
        flip_y: Swap top and bottom.
        rotation_deg: Clockwise as displayed, about the centre.
        scale: Zoom about the centre.
        shift_px: Shift ``(down, right)`` in pixels.
        gamma: Exponent.
        contrast: Factor on the distance from 0.5.
        brightness: Offset in model units.
        noise_std: Standard deviation of Gaussian noise in model units.
        noise_seed: Seed of that noise.
        blur_px: Standard deviation of a Gaussian blur in pixels.
    """

    flip_x: bool = False
    flip_y: bool = False
    rotation_deg: float = 0.0
    scale: float = 1.0
    shift_px: tuple[float, float] = (0.0, 0.0)
    gamma: float = 1.0
    contrast: float = 1.0
    brightness: float = 0.0
    noise_std: float = 0.0
    noise_seed: int = 0
    blur_px: float = 0.0

    @property
    def flips_only(self) -> bool:
        """Whether pixels keep their values and only swap places."""
        return (self.rotation_deg, self.scale, self.shift_px) == (0.0, 1.0, (0.0, 0.0))

    def without_affine(self) -> AugmentDraw:
        """The same draw without rotation, zoom and shift."""
        return replace(self, rotation_deg=0.0, scale=1.0, shift_px=(0.0, 0.0))

    def without_greys(self) -> AugmentDraw:
        """The same draw without any change of grey values."""
        return AugmentDraw(
            flip_x=self.flip_x,
            flip_y=self.flip_y,
            rotation_deg=self.rotation_deg,
            scale=self.scale,
            shift_px=self.shift_px,
        )


def draw(config: AugmentConfig, rng: np.random.Generator, size: int) -> AugmentDraw:
    """Draw a change.

    Args:
        config: Ranges and probabilities.
        rng: Source of randomness; each call takes the same number of values from it.
        size: Side of the image in pixels.
    """
    # All at once and then in plain numbers: a call of numpy takes longer than the rest together.
    happens, places = np.split(rng.random(16), [6])
    if not config.enabled:
        return AugmentDraw()
    flip_x, flip_y, geometry, intensity, noise, blur = happens.tolist()
    turn, zoom, down, right, gamma, contrast, brightness, std, seed, width = places.tolist()
    reach = config.shift * size
    moves = geometry < config.geometry
    greys = intensity < config.intensity
    return AugmentDraw(
        flip_x=flip_x < config.flip_x,
        flip_y=flip_y < config.flip_y,
        rotation_deg=_between(-config.rotation_deg, config.rotation_deg, turn) if moves else 0.0,
        scale=_between_logs(*config.scale, zoom) if moves else 1.0,
        shift_px=(_between(-reach, reach, down), _between(-reach, reach, right))
        if moves
        else (0.0, 0.0),
        gamma=_between_logs(*config.gamma, gamma) if greys else 1.0,
        contrast=_between(*config.contrast, contrast) if greys else 1.0,
        brightness=_between(-config.brightness, config.brightness, brightness) if greys else 0.0,
        noise_std=std * config.noise_std if noise < config.noise else 0.0,
        noise_seed=int(seed * 2**32),
        blur_px=width * config.blur_px if blur < config.blur else 0.0,
    )


def _between(low: float, high: float, place: float) -> float:
    return low + (high - low) * place


def _between_logs(low: float, high: float, place: float) -> float:
    return math.exp(_between(math.log(low), math.log(high), place))
