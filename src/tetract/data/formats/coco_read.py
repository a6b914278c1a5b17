"""COCO JSON becomes a dataset folder (format: cocodataset.org, "Data format", object detection)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from tetract.data.cells import Split, parse_split
from tetract.data.finish_import import ImportOptions, ImportReport, Skipped
from tetract.data.formats.box_choices import BoxChoices, open_choice
from tetract.data.formats.coco_file import CocoAnnotation, CocoFile, CocoImage, load_coco
from tetract.data.formats.finish_boxes import finish_boxes
from tetract.data.formats.inside import inside
from tetract.data.formats.outline_pixels import draw_polygons, extent
from tetract.data.formats.outlined import Corners, Draw, Outlined, OutlinedImage
from tetract.data.formats.rle import decode_runs
from tetract.data.lesions import tight_boxes
from tetract.errors import InputError, LabelError

Reading = Literal["xywh", "xyxy"]

# A box may miss its outline by this much: outlines are rounded, and some tools count pixels
# inclusively. A wrong convention misses by far more.
_MISSED_PX = 1.5
_MISSED_SHARE = 0.1
_ROUNDING_PX = 1.0


def import_coco(
    files: Sequence[Path],
    images: Path,
    folder: Path,
    choices: BoxChoices,
    options: ImportOptions,
    *,
    splits: Mapping[str, Split] | None = None,
    reading: Reading | None = None,
) -> ImportReport:
    """Make a dataset folder of COCO JSON files and their images.

    Images stay where they are; outlines become PNG label maps under ``masks``, one per image and
    class. An image that is listed without annotation is a looked-at negative.

    Args:
        files: One file per published split, or one for all.
        images: Folder that ``file_name`` starts from.
        folder: The dataset folder to write.
        choices: What a person said.
        options: Seed, shares, overwriting.
        splits: Name of a file to its split.
        reading: What ``bbox`` means: ``xywh`` as the format has it, ``xyxy`` as some tools write
            it; None: xywh, and a file whose boxes look like corners is refused.

    Raises:
        InputError: ``E_BAD_COCO`` with all faults of a file, ``E_BOX_CONVENTION``,
            ``E_CHOICE_OPEN`` and what ``finish_boxes`` refuses. Nothing is written then.
    """
    found: list[OutlinedImage | Skipped] = []
    names: dict[str, None] = {}
    splits = splits or {}
    unmet = sorted(set(splits) - {path.name for path in files})
    if unmet:
        raise open_choice("which file is meant by --split", "the base name of one", found=unmet[0])
    for path in files:
        coco = load_coco(path)
        if reading is None:
            _check_convention(coco, path.name)
        names |= dict.fromkeys(coco.categories)
        reader = _Reader(coco, images, choices, reading or "xywh")
        split = splits.get(path.name, Split.UNASSIGNED)
        found += [reader.image(key, image, split, path.name) for key, image in coco.images.items()]
    origin = files[0].name
    return finish_boxes(folder, found, list(names), choices, options, origin=origin)


def parse_file_splits(texts: Sequence[str]) -> dict[str, Split]:
    """Splits of files written as ``FILE=train``.

    Raises:
        LabelError: ``E_SPLIT_WORD``.
    """
    return {text.rpartition("=")[0]: parse_split(text.rpartition("=")[2]) for text in texts}


class _Reader:
    """The images of one file."""

    def __init__(self, coco: CocoFile, root: Path, choices: BoxChoices, reading: Reading) -> None:
        self._root = root
        self._choices = choices
        self._reading: Reading = reading
        self._of: defaultdict[Hashable, list[CocoAnnotation]] = defaultdict(list)
        for annotation in coco.annotations:
            self._of[annotation.image].append(annotation)

    def image(
        self, key: Hashable, image: CocoImage, split: Split, where: str
    ) -> OutlinedImage | Skipped:
        """One image with its outlines, or why it cannot be used."""
        mine = self._of.get(key, [])
        try:
            path = inside(self._root, image.name, where)
            lesions = tuple(self._lesion(a, image.canvas, path.name) for a in mine)
        except InputError as error:
            return Skipped(number=image.number, reason=str(error), declared=False)
        return OutlinedImage(
            number=image.number,
            path=path,
            name=image.name,
            canvas=image.canvas,
            outlined=lesions if mine else self._choices.silence("empty"),
            split=split,
        )

    def _lesion(self, found: CocoAnnotation, canvas: tuple[int, int], where: str) -> Outlined:
        xyxy = _corners(found.bbox, self._reading)
        seen = _extent(found, canvas)
        if seen is not None and _share_inside(xyxy, canvas) >= 0.5 and not _agree(xyxy, seen):
            raise LabelError(
                "E_OUTLINE_MISMATCH",
                "a bbox and the segmentation beside it are not around the same thing",
                where=where,
                expected="a box around " + _told(seen),
                found=_told(xyxy),
                fix="Correct one of them, or leave the segmentation out",
            )
        return Outlined(
            label=found.category, xyxy=xyxy, draw=_draw(found, canvas), crowd=found.crowd
        )


def _corners(bbox: Corners, reading: Reading) -> Corners:
    x, y, width, height = bbox
    return bbox if reading == "xyxy" else (x, y, x + width, y + height)


def _draw(found: CocoAnnotation, canvas: tuple[int, int]) -> Draw | None:
    if found.runs is not None:
        return partial(decode_runs, found.runs, canvas)
    return partial(draw_polygons, found.polygons, canvas) if found.polygons else None


def _extent(found: CocoAnnotation, canvas: tuple[int, int]) -> Corners | None:
    if found.runs is not None:
        x0, y0, x1, y1 = tight_boxes(decode_runs(found.runs, canvas)[np.newaxis])[0].tolist()
        return x0, y0, x1, y1
    return extent(found.polygons) if found.polygons else None


def _share_inside(xyxy: Corners, canvas: tuple[int, int]) -> float:
    x0, y0, x1, y1 = xyxy
    width = min(x1, canvas[1]) - max(x0, 0)
    height = min(y1, canvas[0]) - max(y0, 0)
    area = (x1 - x0) * (y1 - y0)
    return max(width, 0) * max(height, 0) / area if area > 0 else 0.0


def _agree(xyxy: Corners, seen: Corners) -> bool:
    side = max(seen[2] - seen[0], seen[3] - seen[1])
    missed = max(abs(a - b) for a, b in zip(xyxy, seen, strict=True))
    return missed <= _MISSED_PX + _MISSED_SHARE * side


def _check_convention(coco: CocoFile, where: str) -> None:
    """Refuse boxes that leave their images as widths, and fit them as corners.

    Raises:
        LabelError: ``E_BOX_CONVENTION``.
    """
    far = [a for a in coco.annotations if _overhang(a, coco) > _ROUNDING_PX]
    as_corners = [a for a in coco.annotations if _fits_as_corners(a, coco)]
    if not far or len(as_corners) < len(coco.annotations):
        return
    raise LabelError(
        "E_BOX_CONVENTION",
        "bbox looks like two corners, where the format has a corner, a width and a height",
        where=where,
        expected="x y width height in px",
        found=f"{len(far)} boxes beyond their image as widths, all inside as corners",
        fix="Say --bbox xyxy if these are corners, --bbox xywh if not",
    )


def _overhang(found: CocoAnnotation, coco: CocoFile) -> float:
    height, width = coco.images[found.image].canvas
    x, y, w, h = found.bbox
    return max(x + w - width, y + h - height)


def _fits_as_corners(found: CocoAnnotation, coco: CocoFile) -> bool:
    height, width = coco.images[found.image].canvas
    x, y, x1, y1 = found.bbox
    return 0 <= x < x1 <= width + _ROUNDING_PX and 0 <= y < y1 <= height + _ROUNDING_PX


def _told(xyxy: Corners) -> str:
    return "x0={:g} y0={:g} x1={:g} y1={:g}".format(*xyxy)
