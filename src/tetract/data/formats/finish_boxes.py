"""The end of every import of boxes: outlined images become rows, masks and a card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import numpy as np

from tetract.data.cells import EMPTY, BoxEntry, MaskCell, MaskSource
from tetract.data.finish_import import ImportOptions, ImportReport, Skipped, finish_at
from tetract.data.formats.box_choices import BoxChoices, open_choice
from tetract.data.formats.fit_boxes import fit_boxes
from tetract.data.formats.mask_files import MaskFiles
from tetract.data.formats.outlined import Draw, Mended, Outlined, OutlinedImage
from tetract.data.formats.renames import LEFT_OUT
from tetract.data.import_place import import_place
from tetract.data.table import Row
from tetract.errors import InputError, LabelError, ReadError
from tetract.io.pictures.image_head import read_image_head

_TOLD: Final = {
    "W_BOX_CLIPPED": "boxes left their image by less than half and were cut at its edge",
    "W_BOX_TWICE": "boxes were exact copies of another and were left out",
    "W_CROWD": "outlines around several lesions are kept as one lesion each",
}


def finish_boxes(
    folder: Path,
    found: Sequence[OutlinedImage | Skipped],
    names: Sequence[str],
    choices: BoxChoices,
    options: ImportOptions,
    *,
    origin: str,
) -> ImportReport:
    """Write a dataset folder of outlined images.

    An image whose own size differs from the one its outlines refer to, or with a box that lies
    mostly outside of it, is skipped and told.

    Args:
        folder: The dataset folder to write.
        found: One entry per image of the foreign data set.
        names: Foreign class names in channel order.
        choices: What a person said.
        options: Seed, shares, overwriting.
        origin: Name of the foreign file or folder, for messages.

    Raises:
        LabelError: ``E_RENAME`` or ``E_CLASS_NAME``.
        InputError: ``E_CHOICE_OPEN`` for crowds without an answer, ``E_PATIENT_PATTERN``, and
            what ``finish_at`` refuses.
    """
    classes = choices.renames.of(list(names), origin)
    _check_crowds(found, choices, origin)
    with import_place(folder) as place:
        work = _Work(MaskFiles(place=place), found, classes, choices)
        outcomes = [_tried(work, image) for image in found]
        rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
        choices.patients.check_met(rows, origin)
        told = tuple(
            f"{code} {choices.name}: {count} {_TOLD[code]}"
            for code, count in sorted(work.mended.counts.items())
        )
        kept = tuple(dict.fromkeys(name for name in classes.values() if name != LEFT_OUT))
        card = choices.card(rows, box_classes=kept, mask_classes=work.mask_classes, notes=told)
        return finish_at(place, card, outcomes, options, origin=origin, warnings=told)


class _Work:
    """One import under way."""

    def __init__(
        self,
        files: MaskFiles,
        found: Sequence[OutlinedImage | Skipped],
        classes: Mapping[str, str],
        choices: BoxChoices,
    ) -> None:
        self._files = files
        self._classes = classes
        self._choices = choices
        self.mended = Mended()
        drawn = {
            classes[lesion.label]
            for image in found
            if isinstance(image, OutlinedImage)
            for lesion in image.outlined or ()
            if lesion.draw is not None
        }
        in_order = dict.fromkeys(classes.values())
        self.mask_classes = tuple(n for n in in_order if n in drawn and n != LEFT_OUT)

    def row(self, image: OutlinedImage) -> Row:
        """The row of one image; its masks are written.

        Raises:
            InputError: Whatever is wrong with this image.
        """
        _check_head(image, self._choices)
        lesions = None if image.outlined is None else self._lesions(image, image.outlined)
        return Row(
            image=image.path.absolute(),
            source=self._choices.name,
            patient=self._choices.patients.of(image.name),
            split=image.split,
            mask=None if lesions is None else self._mask(image, lesions),
            boxes=None if lesions is None or self._vague(lesions) else _entries(lesions),
            number=image.number,
        )

    def _lesions(
        self, image: OutlinedImage, outlined: tuple[Outlined, ...]
    ) -> tuple[Outlined, ...]:
        named = (replace(lesion, label=self._classes[lesion.label]) for lesion in outlined)
        kept = tuple(lesion for lesion in named if lesion.label != LEFT_OUT)
        fitted = fit_boxes(kept, image.canvas, image.path.name, self.mended)
        for lesion in fitted:
            if lesion.crowd and self._choices.crowd == "lesion":
                self.mended.add("W_CROWD")
        return fitted

    def _vague(self, lesions: Sequence[Outlined]) -> bool:
        """Whether some lesions were not told apart, so that the boxes are not all of them."""
        return self._choices.crowd == "unknown" and any(lesion.crowd for lesion in lesions)

    def _mask(self, image: OutlinedImage, lesions: tuple[Outlined, ...]) -> MaskCell | None:
        cell: dict[str, MaskSource | Literal["empty"]] = {}
        for name in self.mask_classes:
            mine = [lesion for lesion in lesions if lesion.label == name]
            drawn = [lesion.draw for lesion in mine if lesion.draw is not None]
            if not mine:
                cell[name] = EMPTY
            elif len(drawn) == len(mine) and not self._vague(mine):
                cell[name] = MaskSource(path=self._written(image, name, drawn))
        return cell or None

    def _written(self, image: OutlinedImage, name: str, drawn: Sequence[Draw]) -> Path:
        union = np.zeros(image.canvas, dtype=bool)
        for draw in drawn:  # one at a time: many lesions on a large picture do not fit memory
            union |= draw()
        stem = re.sub(r"[^A-Za-z0-9_-]+", "_", image.path.stem)[:60]
        return self._files.write_picture(f"{stem}-{name}", union.astype(np.uint8))


def _tried(work: _Work, image: OutlinedImage | Skipped) -> Row | Skipped:
    if isinstance(image, Skipped):
        return image
    try:
        return work.row(image)
    except InputError as error:
        return Skipped(number=image.number, reason=str(error), declared=False)


def _entries(lesions: Sequence[Outlined]) -> tuple[BoxEntry, ...]:
    return tuple(BoxEntry(label=lesion.label, xyxy=lesion.xyxy) for lesion in lesions)


def _check_head(image: OutlinedImage, choices: BoxChoices) -> None:
    if not image.path.is_file():
        raise ReadError("E_MISSING_IMAGE", "image file does not exist", where=image.path.name)
    head = read_image_head(image.path)
    if head.canvas != image.canvas:
        raise LabelError(
            "E_SHAPE_MISMATCH",
            "the image has another size than its annotation says",
            where=image.path.name,
            expected=f"{image.canvas[1]} x {image.canvas[0]} px",
            found=f"{head.canvas[1]} x {head.canvas[0]} px",
            fix="Give the images that were annotated",
        )
    if head.is_picture == choices.hu_known:
        kinds = {True: "grey values of a picture", False: "Hounsfield units"}
        raise LabelError(
            "E_HU_CARD",
            "the file's values are not what was said of this data set",
            where=image.path.name,
            expected=kinds[not choices.hu_known],
            found=kinds[head.is_picture],
            fix="Say --hu or --no-hu, and import pictures and CT files apart",
        )


def _check_crowds(
    found: Sequence[OutlinedImage | Skipped], choices: BoxChoices, origin: str
) -> None:
    crowds = sum(
        lesion.crowd
        for image in found
        if isinstance(image, OutlinedImage)
        for lesion in image.outlined or ()
    )
    if crowds and choices.crowd is None:
        raise open_choice(
            "how many lesions an outline with iscrowd=1 holds",
            "--crowd unknown (boxes and that mask of such an image are unknown) or --crowd lesion",
            where=origin,
            found=f"{crowds} such outlines",
        )
