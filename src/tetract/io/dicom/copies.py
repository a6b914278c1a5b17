"""Several images at one position: exact copies, or acquisitions to choose from."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np

from tetract.errors import GeometryError, ReadError
from tetract.io.dicom.content import slice_contents
from tetract.io.dicom.geometry import SAME_POSITION_MM, along_normal_mm
from tetract.io.dicom.slice import CtSlice
from tetract.io.options import ReadOptions


def chosen_acquisition(
    slices: list[CtSlice], options: ReadOptions, where: str
) -> tuple[list[CtSlice], tuple[str, ...]]:
    """The slices of the acquisition that was asked for, or all of them.

    Raises:
        ReadError: ``E_ACQUISITION_UNKNOWN`` listing those that there are.
    """
    wanted = options.acquisition
    if wanted is None:
        return slices, ()
    taken = [image for image in slices if image.acquisition == wanted]
    if not taken:
        raise ReadError(
            "E_ACQUISITION_UNKNOWN",
            "no slice has that acquisition number",
            where=where,
            expected=_listed(slices) or "a series whose slices have acquisition numbers",
            found=str(wanted),
            fix="Give one of the listed numbers, or none",
        )
    if len(taken) == len(slices):
        return slices, ()
    note = f"W_ACQUISITION {where}: {len(taken)} of {len(slices)} slices, acquisition {wanted}"
    return taken, (note,)


def without_copies(ordered: list[CtSlice], where: str) -> tuple[list[CtSlice], tuple[str, ...]]:
    """Keep one of several slices at one position if their pixels are equal, else refuse.

    Raises:
        GeometryError: ``E_DUPLICATE_POSITIONS``.
    """
    kept: list[CtSlice] = []
    copies = 0
    positions = along_normal_mm(ordered)
    for image, position in zip(ordered, positions, strict=True):
        before = kept[-1] if kept else None
        if before is None or abs(position - float(before.position @ ordered[0].normal)) >= (
            SAME_POSITION_MM
        ):
            kept.append(image)
            continue
        if not _is_copy(before, image):
            shared = int((np.abs(positions - position) < SAME_POSITION_MM).sum())
            raise _duplicates(ordered, (before, image), shared, where)
        copies += 1
    if not copies:
        return kept, ()
    return kept, (f"W_DUPLICATE_DROPPED {where}: {copies} exact copies of slices were ignored",)


def _duplicates(
    ordered: list[CtSlice], pair: tuple[CtSlice, CtSlice], shared: int, where: str
) -> GeometryError:
    several = len({image.acquisition for image in ordered} - {None}) > 1
    return GeometryError(
        "E_DUPLICATE_POSITIONS",
        "different images lie at one position (phases, or several acquisitions)",
        where=where,
        expected="one image per position",
        found=f"{shared} at z={pair[1].position[2]:.3f}: {pair[0].name}, {pair[1].name}",
        fix=f"Pick one with --acquisition: {_listed(ordered)}"
        if several
        else "Give one phase or acquisition per folder",
    )


def _listed(slices: list[CtSlice]) -> str:
    counts = Counter(image.acquisition for image in slices if image.acquisition is not None)
    return ", ".join(f"{number} ({count} slices)" for number, count in sorted(counts.items()))


def _is_copy(one: CtSlice, other: CtSlice) -> bool:
    same_header = (
        one.pixels == other.pixels
        and (one.slope, one.intercept) == (other.slope, other.intercept)
        and bool(np.allclose(one.position, other.position, atol=SAME_POSITION_MM))
    )
    return same_header and _fingerprint(one) == _fingerprint(other)


def _fingerprint(image: CtSlice) -> str:
    return hashlib.sha256(next(slice_contents([image]))).hexdigest()
