"""A case: one slice that an evaluation shows, chosen by a rule, with pictures of what was said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tetract.types.task import Task


class Place(StrEnum):
    """Where a case stands among all slices of its task, by its figure."""

    BEST = "best"
    MEDIAN = "median"
    WORST = "worst"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A region drawn over a picture.

    Attributes:
        label: Name of its class; by it, its colour.
        path: SVG path data along pixel edges, in pixels of the picture; see ``report.trace``.
    """

    label: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A box drawn over a picture.

    Attributes:
        label: Name of its class; by it, its colour.
        xyxy_px: ``x0 y0 x1 y1`` in pixels of the picture, half-open.
        score: What the model gives it; None for a reference box.
    """

    label: str
    xyxy_px: tuple[float, float, float, float]
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One picture of a case: the slice, or a map of the same grid, and what is drawn over it.

    Attributes:
        name: Short and lower case, as in a file name: "image", "truth", "prediction", "residual",
            "grad_cam_covid"; unique within the case.
        title: Its heading.
        note: What is seen, with the scale and unit of its colours; one sentence.
        png: A PNG file's bytes, grey or RGB, of the model's grid or smaller.
        outlines: Regions over it.
        frames: Boxes over it.
    """

    name: str
    title: str
    note: str
    png: bytes
    outlines: tuple[Outline, ...] = ()
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One slice and its pictures. It names no patient: who it is, the data set's table knows.

    Further pictures are added with ``dataclasses.replace(case, layers=(*case.layers, mine))``.

    Attributes:
        task: The task it was chosen for.
        place: Best, median or worst.
        figure: Name of the number it was chosen by.
        value: That number.
        row: Row of the data set's table, from 0.
        slice_index: Position within its series, from 0.
        source: Its source.
        size_px: Height and width of the model's grid, which ``Layer`` coordinates are in.
        facts: What else is to be said, one short sentence each.
        layers: Its pictures, in the order to be shown.
    """

    task: Task
    place: Place
    figure: str
    value: float
    row: int
    slice_index: int
    source: str
    size_px: tuple[int, int]
    facts: tuple[str, ...]
    layers: tuple[Layer, ...]

    @property
    def name(self) -> str:
        """As in a file name, unique within an evaluation."""
        return f"{self.task}-{self.place}"
