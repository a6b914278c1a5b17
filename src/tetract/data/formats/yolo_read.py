"""YOLO text labels become a dataset folder (Ultralytics' "detect" and "segment")."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from tetract.data.finish_import import ImportOptions, ImportReport, Skipped
from tetract.data.formats.box_choices import BoxChoices, open_choice
from tetract.data.formats.finish_boxes import finish_boxes
from tetract.data.formats.outline_pixels import draw_polygons, extent
from tetract.data.formats.outlined import Outlined, OutlinedImage
from tetract.data.formats.yolo_lines import YoloLine, read_yolo_lines
from tetract.data.formats.yolo_set import YoloImage, YoloSet, read_yolo_set
from tetract.errors import InputError
from tetract.io.pictures.image_head import read_image_head

FourCorners = Literal["mask", "box"]
_Read = tuple[int, YoloImage, tuple[YoloLine, ...] | None]


def import_yolo(
    data: Path,
    folder: Path,
    choices: BoxChoices,
    options: ImportOptions,
    *,
    labels: Path | None = None,
    four_corners: FourCorners | None = None,
) -> ImportReport:
    """Make a dataset folder of a YOLO data set, boxes and outlines.

    An image with an empty label file is a looked-at negative; one without a label file is
    unknown, unless ``choices.unannotated`` says otherwise.

    Args:
        data: ``data.yaml`` or a list of classes.
        folder: The dataset folder to write.
        choices: What a person said.
        options: ``images`` is the folder that paths start from.
        labels: Folder of label files where they do not lie as usual.
        four_corners: What outlines mean when all of them have four corners: the lesion itself
            (``mask``) or a rotated box around it (``box``).

    Raises:
        InputError: ``E_BAD_YOLO``, ``E_CHOICE_OPEN``, ``E_EMPTY_DATASET`` and what
            ``finish_boxes`` refuses. Nothing is written then.
    """
    whole = read_yolo_set(data, options.images, labels)
    if not any(image.labels.is_file() for image in whole.images):
        raise InputError(
            "E_EMPTY_DATASET",
            "no image has a label file",
            where=data.name,
            expected=f"for example {whole.images[0].labels.name} in folder "
            f"{whole.images[0].labels.parent.name}",
            fix="Give the folder of the labels with --labels",
        )
    read = [_tried(number, image, whole) for number, image in enumerate(whole.images, 1)]
    as_box = _check_corners(read, four_corners, data.name) == "box"
    found = [
        entry if isinstance(entry, Skipped) else _outlined(entry, whole, choices, as_box=as_box)
        for entry in read
    ]
    found += [
        Skipped(
            number=len(whole.images) + place,
            reason=f"E_MISSING_IMAGE {path.name}: label file without an image.",
            declared=False,
        )
        for place, path in enumerate(whole.orphans(), 1)
    ]
    return finish_boxes(folder, found, whole.names, choices, options, origin=data.name)


def _tried(number: int, image: YoloImage, whole: YoloSet) -> _Read | Skipped:
    try:
        if not image.labels.is_file():
            return number, image, None
        return number, image, read_yolo_lines(image.labels, len(whole.names))
    except InputError as error:
        return Skipped(number=number, reason=str(error), declared=False)


def _check_corners(
    read: list[_Read | Skipped], said: FourCorners | None, where: str
) -> FourCorners | None:
    """Refuse to guess between outlines and rotated boxes, which are written alike.

    Raises:
        InputError: ``E_CHOICE_OPEN``.
    """
    sizes = [
        len(line.points)
        for entry in read
        if not isinstance(entry, Skipped)
        for line in entry[2] or ()
        if line.points is not None
    ]
    if said is None and sizes and set(sizes) == {4}:
        raise open_choice(
            "whether outlines of four corners are lesions or rotated boxes",
            "--four-corners mask or --four-corners box",
            where=where,
            found=f"{len(sizes)} outlines, all of four corners",
        )
    return said


def _outlined(
    entry: _Read, whole: YoloSet, choices: BoxChoices, *, as_box: bool
) -> OutlinedImage | Skipped:
    number, image, lines = entry
    try:
        canvas = read_image_head(image.path).canvas
    except InputError as error:
        return Skipped(number=number, reason=str(error), declared=False)
    lesions = (
        None
        if lines is None
        else tuple(_lesion(line, whole, canvas, as_box=as_box) for line in lines)
    )
    return OutlinedImage(
        number=number,
        path=image.path,
        name=image.name,
        canvas=canvas,
        outlined=choices.silence("unknown") if lesions is None else lesions,
        split=image.split,
    )


def _lesion(line: YoloLine, whole: YoloSet, canvas: tuple[int, int], *, as_box: bool) -> Outlined:
    label = whole.names[line.index]
    height, width = canvas
    if line.box is not None:
        x, y, w, h = line.box
        left, top = (x - w / 2) * width, (y - h / 2) * height
        return Outlined(label=label, xyxy=(left, top, left + w * width, top + h * height))
    points = np.asarray(line.points) * np.array([width, height], dtype=np.float64)
    draw = partial(draw_polygons, (points,), canvas)
    return Outlined(label=label, xyxy=extent((points,)), draw=None if as_box else draw)
