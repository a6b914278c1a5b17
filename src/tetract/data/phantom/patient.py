"""Phantom patients: small synthetic chest CTs whose truth is exact for all four tasks.

They show that a pipeline works. They are not evidence about patients: see
``docs/explanation/phantom.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Int16, UInt8
from scipy import ndimage

from tetract.data.phantom.anatomy import draw_anatomy
from tetract.data.phantom.grid import Grid, paint
from tetract.data.phantom.lesions import (
    LesionRanges,
    Lesions,
    draw_glass,
    draw_nodules,
    no_lesions,
)
from tetract.data.phantom.scanner import SCANNERS, Scanner, scan
from tetract.data.phantom.vessels import draw_vessels
from tetract.errors import InputError
from tetract.types import Boxes, Provenance, Volume

SPLITS = ("train", "val", "test")


class Finding(StrEnum):
    """What a patient has, and what a slice shows."""

    NORMAL = "normal"
    NODULE = "nodule"
    GROUND_GLASS = "ground_glass"


LESIONS = (Finding.NODULE, Finding.GROUND_GLASS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomConfig:
    """A cohort, and how hard it is.

    Attributes:
        patients: Number of patients in train, val and test.
        slices: Least and most slices of a patient.
        size_px: Rows and columns of a slice; the field of view stays the same.
        slice_mm: Distance between slices.
        seed: Everything follows from this and the patient's number.
        scanners: Dealt evenly over the kinds of patients.
        lesions: Sizes, densities and rules of the lesions.
        vessels: Factor on the vessels' radii; less makes nodules easier to tell from them.
        noise: Factor on every scanner's noise.
    """

    patients: tuple[int, int, int] = (24, 6, 12)
    slices: tuple[int, int] = (8, 12)
    size_px: int = 128
    slice_mm: float = 5.0
    seed: int = 0
    scanners: tuple[Scanner, ...] = SCANNERS
    lesions: LesionRanges = field(default_factory=LesionRanges)
    vessels: float = 1.0
    noise: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn.

        Raises:
            InputError: ``E_PHANTOM`` naming the setting.
        """
        rules = (
            (min(self.patients) >= 0 and sum(self.patients) > 0, "patients", "at least one"),
            (6 <= self.slices[0] <= self.slices[1], "slices", "6 <= least <= most"),
            (self.size_px >= 64, "size_px", "at least 64 px"),
            (self.slice_mm > 0, "slice_mm", "more than 0 mm"),
            (len(self.scanners) > 0, "scanners", "at least one"),
        )
        for is_fine, name, expected in rules:
            if not is_fine:
                raise InputError(
                    "E_PHANTOM",
                    "this phantom cohort cannot be drawn",
                    where=name,
                    expected=expected,
                    found=str(getattr(self, name)),
                )

    @property
    def total(self) -> int:
        """Number of patients in all splits."""
        return sum(self.patients)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A patient's place in the cohort, fixed before anything is drawn.

    Attributes:
        split: ``train``, ``val``, ``test``, or ``unseen`` beyond the cohort.
        kind: What the patient has.
        scanner: Where the patient is scanned.
    """

    split: str
    kind: Finding
    scanner: Scanner


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomPatient:
    """One patient and the whole truth. Slices run from foot to head, as ``tetract.io`` reads them.

    Attributes:
        name: ``p000``, ``p001``, ...
        role: Split, kind and scanner.
        volume: The scan, int16 HU, with its geometry.
        clean_hu: (D, H, W) int16, the same scan without noise: what reconstruction can at best
            be compared with.
        lung: (D, H, W) bool, lung fields with the vessels and lesions in them.
        instances: (D, H, W) uint8, 0 or the number of the lesion a voxel belongs to.
        classes: What each slice shows.
    """

    name: str
    role: Role
    volume: Volume
    clean_hu: Int16[np.ndarray, "D H W"]
    lung: Bool[np.ndarray, "D H W"]
    instances: UInt8[np.ndarray, "D H W"]
    classes: tuple[Finding, ...]

    def mask(self, finding: Finding) -> Bool[np.ndarray, "D H W"]:
        """The lesions of one kind."""
        is_own = self.role.kind is finding and finding in LESIONS
        return (self.instances > 0) & is_own

    def lesion_ids(self, index: int) -> tuple[int, ...]:
        """Numbers of the lesions on slice ``index``, in the order of ``boxes``."""
        return tuple(int(i) for i in np.unique(self.instances[index]) if i)

    def boxes(self, index: int) -> Boxes:
        """Boxes and instance masks of slice ``index``; labels index ``LESIONS``."""
        plane = self.instances[index]
        ids = self.lesion_ids(index)
        found = ndimage.find_objects(plane)
        corners = [(found[i - 1][1], found[i - 1][0]) for i in ids]
        xyxy = [(x.start, y.start, x.stop, y.stop) for x, y in corners]
        label = LESIONS.index(self.role.kind) if ids else 0
        return Boxes(
            xyxy=np.asarray(xyxy, np.float32).reshape(-1, 4),
            labels=np.full(len(ids), label, np.int64),
            masks=np.asarray([plane == i for i in ids], bool).reshape(-1, *plane.shape),
            canvas=(plane.shape[0], plane.shape[1]),
        )


def plan_roles(config: PhantomConfig) -> tuple[Role, ...]:
    """Deal kinds and scanners to the patients of each split.

    Every kind meets every scanner equally often, up to one patient: any run of three pairs on the
    diagonals of the kind-by-scanner table holds each kind and each scanner once.
    """
    kinds, scanners = list(Finding), config.scanners
    pairs = [
        (kind, scanners[(row + turn) % len(scanners)])
        for turn in range(len(scanners))
        for row, kind in enumerate(kinds)
    ]
    roles: list[Role] = []
    for number, (split, count) in enumerate(zip(SPLITS, config.patients, strict=True)):
        # A stream apart from the patients' own, so that one more patient changes nobody else.
        rng = np.random.default_rng(np.random.SeedSequence([config.seed, 1_000_003, number]))
        for pick in rng.permutation(count):
            kind, scanner = pairs[pick % len(pairs)]
            roles.append(Role(split=split, kind=kind, scanner=scanner))
    return tuple(roles)


def make_patient(config: PhantomConfig, index: int) -> PhantomPatient:
    """Draw patient ``index``; the same config and index give the same bytes.

    Args:
        config: The cohort.
        index: 0 to ``config.total - 1``; ``config.total`` and above give patients of no split,
            with nodules, for prediction.

    Raises:
        InputError: ``E_PHANTOM`` when no lesion found room, which takes extreme settings.
    """
    roles = plan_roles(config)
    unseen = Role(split="unseen", kind=Finding.NODULE, scanner=config.scanners[0])
    role = roles[index] if index < len(roles) else unseen
    rng = np.random.default_rng(np.random.SeedSequence([config.seed, index]))
    grid = _draw_grid(rng, config, role.scanner)
    anatomy = draw_anatomy(rng, grid)
    lesions = _draw_lesions(rng, grid, anatomy.lung, config, role)
    vessels = draw_vessels(rng, grid, anatomy.build.centre, config.vessels) * anatomy.lung
    hu = anatomy.hu
    if role.kind is Finding.GROUND_GLASS:  # haze lies behind the vessels, nodules in front
        hu = paint(hu, lesions.amount, lesions.value_hu)
    hu = paint(hu, vessels, rng.uniform(20, 55))
    if role.kind is Finding.NODULE:
        hu = paint(hu, lesions.amount, lesions.value_hu)
    scanner = _with_noise(role.scanner, config.noise)
    noisy, clean = scan(rng, grid, anatomy, hu, scanner)
    shows = [bool(plane.any()) for plane in lesions.instances]
    name = f"p{index:03d}"
    return PhantomPatient(
        name=name,
        role=role,
        volume=Volume(
            values=noisy,
            hu_known=True,
            geometry=grid.geometry,
            provenance=Provenance(
                reader="dicom",
                name=name,
                slice_names=tuple(f"{number:03d}" for number in range(grid.shape[0])),
            ),
        ),
        clean_hu=clean,
        lung=anatomy.lung,
        instances=lesions.instances,
        classes=tuple(role.kind if shown else Finding.NORMAL for shown in shows),
    )


def _draw_grid(rng: np.random.Generator, config: PhantomConfig, scanner: Scanner) -> Grid:
    depth = int(rng.integers(config.slices[0], config.slices[1] + 1))
    middle = rng.uniform(-52, 38)  # of the slab, in mm above the tracheal bifurcation
    bottom = middle - (depth - 1) / 2 * config.slice_mm
    return Grid(
        shape=(depth, config.size_px, config.size_px),
        pixel_mm=scanner.field_mm / config.size_px,
        slice_mm=config.slice_mm,
        bottom_mm=round(2 * bottom) / 2,
    )


def _draw_lesions(
    rng: np.random.Generator,
    grid: Grid,
    lung: Bool[np.ndarray, "D H W"],
    config: PhantomConfig,
    role: Role,
) -> Lesions:
    draws = {Finding.NODULE: draw_nodules, Finding.GROUND_GLASS: draw_glass}
    if role.kind not in draws:
        return no_lesions(grid)
    lesions = draws[role.kind](rng, grid, lung, config.lesions)
    if not lesions.instances.any():
        raise InputError(
            "E_PHANTOM",
            "no lesion found room in this patient",
            where=f"{role.kind} seed {config.seed}",
            expected="lesions smaller than the lung, and enough slices",
            fix="Use smaller radii, more slices or another seed",
        )
    return lesions


def _with_noise(scanner: Scanner, factor: float) -> Scanner:
    return replace(scanner, noise_hu=scanner.noise_hu * factor)
