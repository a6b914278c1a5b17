"""How table rows become samples: the ``data`` part of a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tetract.data.neighbours import Neighbours

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]
Column = Literal["class", "mask", "boxes"]
"""Of the table, holding labels."""


class PasteConfig(BaseModel):
    """Lesions copied from slices that show them into the lungs of others.

    Attributes:
        share: Probability that a training row gets lesions, where it may (``data/paste.py`` says
            when its labels stay true); 0 copies none.
        most: Largest number of lesions a row gets.
        lungs: Mask classes whose union is where lesions may lie.
        estimate_lungs: Whether lungs are estimated from grey values where no mask tells them.
        feather_px: Width of the soft edge outside a lesion, in pixels; 0 cuts hard.
        gap_px: Least distance to another lesion or box, in pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: Probability = 0.0
    most: int = Field(default=2, ge=1, le=8)
    lungs: tuple[str, ...] = Field(default=("lung",), min_length=1)
    estimate_lungs: bool = False
    feather_px: float = Field(default=2.0, ge=0.0, le=16.0)
    gap_px: int = Field(default=2, ge=1, le=32)


class AugmentConfig(BaseModel):
    """Random changes of a training sample; ``enabled: false`` shows it as it is.

    Attributes:
        enabled: Whether training samples are changed at all. Validation and test never are.
        flip_x: Probability of swapping left and right.
        flip_y: Probability of swapping front and back.
        geometry: Probability of rotating, zooming and shifting together.
        rotation_deg: Largest rotation either way, in degrees.
        scale: Smallest and largest zoom; above 1 the patient grows.
        shift: Largest shift either way, as a fraction of the image side.
        intensity: Probability of changing gamma, contrast and brightness together.
        gamma: Smallest and largest exponent on the [0, 1] image.
        contrast: Smallest and largest factor on the distance from 0.5.
        brightness: Largest offset either way, in model units (1 is the whole window).
        noise: Probability of adding Gaussian noise.
        noise_std: Largest standard deviation, in model units.
        blur: Probability of a Gaussian blur.
        blur_px: Largest standard deviation of the blur, in pixels.
        quarter_turns: Probability of one of the eight turns and mirrorings of a square, for slices
            of other sources that lie another way.
        rewindow: Probability of showing a slice through another window, as other hospitals
            export theirs; only where its Hounsfield units are known.
        low_hu: Range of that window's lower edge, in HU; ``data.window_hu`` still bounds what is
            seen.
        high_hu: Range of its upper edge, in HU.
        coarse: Probability of showing a slice as if reconstructed with larger pixels.
        coarse_factor: Smallest and largest side of those, in pixels.
        paste: Copies lesions into other slices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    flip_x: Probability = 0.5
    flip_y: Probability = 0.0
    geometry: Probability = 0.7
    rotation_deg: float = Field(default=10.0, ge=0.0, le=45.0)
    scale: tuple[float, float] = (0.8, 1.25)
    shift: float = Field(default=0.06, ge=0.0, le=0.5)
    intensity: Probability = 0.5
    gamma: tuple[float, float] = (0.75, 1.35)
    contrast: tuple[float, float] = (0.85, 1.15)
    brightness: float = Field(default=0.05, ge=0.0, le=0.5)
    noise: Probability = 0.3
    noise_std: float = Field(default=0.03, ge=0.0, le=0.5)
    blur: Probability = 0.15
    blur_px: float = Field(default=0.8, ge=0.0, le=5.0)
    quarter_turns: Probability = 0.0
    rewindow: Probability = 0.0
    low_hu: tuple[float, float] = (-1350.0, -900.0)
    high_hu: tuple[float, float] = (0.0, 400.0)
    coarse: Probability = 0.0
    coarse_factor: tuple[float, float] = (1.0, 2.0)
    paste: PasteConfig = PasteConfig()

    @model_validator(mode="after")
    def _ranges_run_upwards(self) -> AugmentConfig:
        for name in ("scale", "gamma", "contrast", "coarse_factor"):
            low, high = getattr(self, name)
            if not 0.0 < low <= high:
                raise ValueError(f"{name} must be two numbers with 0 < low <= high")
        if self.coarse_factor[0] < 1.0:
            raise ValueError("coarse_factor cannot be finer than the slice: 1 <= low <= high")
        edges = (*self.low_hu, *self.high_hu)
        if list(edges) != sorted(edges) or self.low_hu[1] == self.high_hu[0]:
            raise ValueError("low_hu and high_hu must rise, in HU, and low_hu end below high_hu")
        return self


class DataConfig(BaseModel):
    """The data set and how it is shown to the model.

    Attributes:
        folder: Data set folder holding ``dataset.yaml`` and ``table.csv``.
        image_px: Side of the square image in pixels, a multiple of 32 (the encoder's stride).
        neighbours: Slices on either side that the network sees as channels beside each slice; 0:
            none. Where there are none, at the ends of a volume and for pictures, slices repeat.
        neighbour_mm: Their distance in mm where the spacing is known, rounded to whole slices;
            null: the next slice.
        window_hu: Lower and upper HU that become 0 and 1. Pictures without HU are scaled by
            their bit depth instead.
        derive_boxes: Whether masks of a box class also give boxes and instance masks.
        min_lesion_px: Derived boxes whose lesion covers fewer model pixels than this are left
            out, by the same rule in training and in testing.
        merge: New lesion name -> the data set's names it replaces, for masks, boxes and classes;
            ``docs/explanation/partial-labels.md`` says when a merged class counts as annotated.
        augment: Random changes of training samples.
        crop_px: Side in pixels of the window that training sees of a slice, a multiple of 32; null:
            the whole slice. Validation, test and prediction always see all of it.
        crop_at_lesion: Probability that such a window is chosen around a lesion, if there is one.
        positive_fraction: Share of rows with a lesion among those drawn for a task that has both.
        source_balance: How often a task draws from each of its sources. sqrt: by the square root
            of their size; proportional: by their size, as if they were one; equal: alike.
        class_balance: Whether classification draws every class of a source equally often; rows
            with several candidate classes form classes of their own.
        label_share: Column of the table (class, mask, boxes) -> share of its labelled training
            patients whose labels are used, above 0; the slices of the others stay, unlabelled. In
            each source, at least one patient of each kind; a share holds all smaller ones.
        fold: Which fold of ``folds.json`` (``tetract data split --folds``) to use instead of the
            table's own split, from 0; null: the table's.
        allow_leaks: Whether to train although ``tetract data audit`` found pictures that lie in
            two splits; every report then warns.
        skip_unreadable: Whether slices that cannot be read are left out and listed with the
            results, instead of stopping the run.
        cache: Whether prepared slices stay in memory (image_px^2 * 2 bytes for an image).
        cache_dir: Folder where prepared slices are kept on disk for this and later runs, instead of
            in memory. It holds images of patients, without names.
        cache_gb: Bound on that folder in GiB; the least recently used slices go first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    image_px: int = Field(default=256, ge=32, le=2048, multiple_of=32)
    window_hu: tuple[float, float] = (-1350.0, 150.0)
    neighbours: int = Field(default=0, ge=0, le=3)
    neighbour_mm: float | None = Field(default=None, gt=0.0, le=50.0)
    derive_boxes: bool = True
    min_lesion_px: int = Field(default=4, ge=1)
    merge: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    augment: AugmentConfig = AugmentConfig()
    crop_px: int | None = Field(default=None, ge=64, multiple_of=32)
    crop_at_lesion: Probability = 0.5
    positive_fraction: Probability = 0.5
    source_balance: Literal["sqrt", "proportional", "equal"] = "sqrt"
    class_balance: bool = False
    label_share: dict[Column, Share] = Field(default_factory=dict)
    allow_leaks: bool = False
    fold: int | None = Field(default=None, ge=0)
    skip_unreadable: bool = False
    cache: bool = True
    cache_dir: Path | None = None
    cache_gb: float = Field(default=50.0, gt=0.0)

    @property
    def around(self) -> Neighbours:
        """The two settings of neighbours together."""
        return Neighbours(each_side=self.neighbours, distance_mm=self.neighbour_mm)

    @model_validator(mode="after")
    def _is_consistent(self) -> DataConfig:
        low, high = self.window_hu
        if not low < high:
            raise ValueError(f"window_hu must rise: found {low:g} to {high:g} HU")
        if self.crop_px is not None and self.crop_px > self.image_px:
            raise ValueError(
                f"crop_px must not exceed image_px: found {self.crop_px} and {self.image_px} px"
            )
        members = [name for names in self.merge.values() for name in names]
        twice = sorted({name for name in members if members.count(name) > 1})
        if twice:
            raise ValueError(f"merge lists a class twice: {', '.join(twice)}")
        if not all(self.merge.values()):
            raise ValueError("merge: each new class needs at least one member")
        return self
