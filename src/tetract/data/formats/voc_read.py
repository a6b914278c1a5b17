"""Pascal VOC XML files become a dataset folder, one file per image.

Format: Everingham et al., "The PASCAL Visual Object Classes Challenge 2012 Development Kit",
section 5.2. Named by SOP Instance UID they are how Lung-PET-CT-Dx publishes its boxes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tetract.data.cells import Split
from tetract.data.finish_import import ImportOptions, ImportReport, Skipped
from tetract.data.formats.box_choices import BoxChoices
from tetract.data.formats.faults import Faults
from tetract.data.formats.finish_boxes import finish_boxes
from tetract.data.formats.outlined import Corners, Outlined, OutlinedImage
from tetract.data.formats.text_lines import text_lines
from tetract.data.voc import find_voc, voc_root
from tetract.errors import InputError, LabelError, ReadError
from tetract.io import Kind, sniff
from tetract.io.dicom.instances import find_instances
from tetract.io.pictures.image_head import read_image_head

Convention = Literal["half-open", "inclusive", "from-1"]
Key = Literal["name", "uid"]

TAGS: Final = ("xmin", "ymin", "xmax", "ymax")
_SETS: Final = (Split.TRAIN, Split.VAL, Split.TEST, Split.UNASSIGNED)
_IMAGES: Final = (Kind.PNG, Kind.JPEG, Kind.TIFF, Kind.DICOM)
# What to add to xmin, ymin, xmax, ymax for half-open px from 0.
SHIFTS: Final[Mapping[Convention, Corners]] = {
    "half-open": (0.0, 0.0, 0.0, 0.0),
    "inclusive": (0.0, 0.0, 1.0, 1.0),
    "from-1": (-1.0, -1.0, 0.0, 0.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VocRules:
    """How a set of XML files is to be read.

    Attributes:
        key: Whether a file is named after its image, or after its SOP Instance UID (0008,0018).
        convention: ``half-open``: corners of the drawn rectangle; ``inclusive``: the first and the
            last pixel inside, counted from 0; ``from-1``: the same counted from 1, as in the VOC
            challenge.
        image_sets: Folder with ``train.txt``, ``val.txt`` and ``test.txt``, or None.
    """

    key: Key
    convention: Convention
    image_sets: Path | None = None


def import_voc(
    annotations: Path,
    images: Path,
    folder: Path,
    choices: BoxChoices,
    options: ImportOptions,
    *,
    rules: VocRules,
) -> ImportReport:
    """Make a dataset folder of Pascal VOC XML files and their images.

    A file without an object is a looked-at negative; an image without a file is unknown, unless
    ``choices.unannotated`` says otherwise.

    Args:
        annotations: Folder of XML files, searched at all depths.
        images: Folder of pictures or DICOM slices, searched at all depths.
        folder: The dataset folder to write.
        choices: What a person said.
        options: Seed, shares, overwriting.
        rules: What the files are named after and how corners are counted.

    Raises:
        ReadError: ``E_NO_FILE``, ``E_DUPLICATE_FILE``; ``E_EMPTY_DATASET`` without an XML file.
        InputError: What ``finish_boxes`` refuses. Nothing is written then.
    """
    files = find_voc(annotations)
    if not files:
        raise ReadError("E_EMPTY_DATASET", "no XML file was found", where=annotations.name)
    keyed, found = _by_uid(images) if rules.key == "uid" else _by_name(images)
    splits = _splits(rules.image_sets)
    names: set[str] = set()
    number = len(found)
    for key in sorted({*keyed, *files}, key=lambda key: (str(keyed.get(key, "")), key)):
        number += 1
        try:
            xml = files.get(key)
            image = _only_image(keyed.get(key, ()), xml)
            canvas, lesions = read_image_head(image).canvas, choices.silence("unknown")
            if xml is not None:
                canvas, lesions = _read(xml, canvas, rules.convention)
                names |= {lesion.label for lesion in lesions}
        except InputError as error:
            found.append(Skipped(number=number, reason=str(error), declared=False))
            continue
        found.append(
            OutlinedImage(
                number=number,
                path=image,
                name=image.relative_to(images).as_posix(),
                canvas=canvas,
                outlined=lesions,
                split=splits.get(key, Split.UNASSIGNED),
            )
        )
    return finish_boxes(folder, found, sorted(names), choices, options, origin=annotations.name)


def _by_uid(root: Path) -> tuple[dict[str, tuple[Path, ...]], list[OutlinedImage | Skipped]]:
    instances = find_instances(root)
    others: list[OutlinedImage | Skipped] = [
        Skipped(number=place, reason="not a CT slice", declared=True)
        for place, _ in enumerate(instances.others, 1)
    ]
    return instances.slices, others


def _by_name(root: Path) -> tuple[dict[str, tuple[Path, ...]], list[OutlinedImage | Skipped]]:
    if not root.is_dir():
        raise ReadError("E_NOT_FOUND", "no such folder", where=root.name)
    found: dict[str, tuple[Path, ...]] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and sniff(path) in _IMAGES:
            found[path.stem] = (*found.get(path.stem, ()), path)
    return found, []


def _only_image(images: tuple[Path, ...], xml: Path | None) -> Path:
    """The one image of a key.

    Raises:
        ReadError: ``E_MISSING_IMAGE`` or ``E_DUPLICATE_FILE``.
    """
    if len(images) == 1:
        return images[0]
    # A file named after a UID is told by its ending: UIDs stay out of reports.
    where = "" if xml is None else f"...{xml.name[-12:]}"
    if not images:
        raise ReadError(
            "E_MISSING_IMAGE",
            "no image belongs to this annotation",
            where=where,
            fix="Check --images and --key",
        )
    raise ReadError(
        "E_DUPLICATE_FILE",
        f"{len(images)} images have the same key",
        where=", ".join(path.name for path in images[:3]),
        fix="Keep one of them",
    )


def _read(
    path: Path, canvas: tuple[int, int], convention: Convention
) -> tuple[tuple[int, int], tuple[Outlined, ...]]:
    """The size that a file says its image has, and the lesions."""
    root, faults = voc_root(path), Faults()
    lesions: list[Outlined] = []
    for index, element in enumerate(root.iter("object")):
        place = f"object {index + 1}"
        label = (element.findtext("name") or "").strip()
        corners = _corners([element.findtext(f"bndbox/{tag}") or "" for tag in TAGS], convention)
        if not label:
            faults.add("object without a name", place)
        elif corners is None:
            faults.add("bndbox is not four finite numbers xmin ymin xmax ymax", place)
        elif corners[2] <= corners[0] or corners[3] <= corners[1]:
            faults.add("bndbox without area", place)
        else:
            lesions.append(Outlined(label=label, xyxy=corners))
    if faults:
        told = faults.error("E_BAD_XML", f"...{path.name[-12:]}", fix="Correct the annotation")
        raise LabelError(told.code, told.what, where=told.where, found=told.found, fix=told.fix)
    return _said_size(root.findtext("size/width"), root.findtext("size/height"), canvas), tuple(
        lesions
    )


def _corners(texts: list[str], convention: Convention) -> Corners | None:
    try:
        x0, y0, x1, y1 = (
            float(text) + shift for text, shift in zip(texts, SHIFTS[convention], strict=True)
        )
    except ValueError:
        return None
    sensible = all(math.isfinite(v) and abs(v) <= 1e6 for v in (x0, y0, x1, y1))
    return (x0, y0, x1, y1) if sensible else None


def _said_size(width: str | None, height: str | None, canvas: tuple[int, int]) -> tuple[int, int]:
    """The size in the file; some tools leave it out or write 0, then it is the image's own."""
    said = [int(text) for text in (height, width) if text and text.strip().isdecimal()]
    return (said[0], said[1]) if len(said) == 2 and min(said) > 0 else canvas


def _splits(folder: Path | None) -> dict[str, Split]:
    """Key to the split whose list names it.

    Raises:
        InputError: ``E_PATIENT_LEAK`` for a key in two lists; ``E_NO_FILE`` without any list.
    """
    found: dict[str, Split] = {}
    lists = [] if folder is None else [s for s in _SETS if (folder / f"{s}.txt").is_file()]
    if folder is not None and not lists:
        raise ReadError(
            "E_NO_FILE", "folder holds no train.txt, val.txt or test.txt", where=folder.name
        )
    for split in lists:
        lines = text_lines((folder or Path()) / f"{split}.txt", code="E_BAD_TABLE")
        for key in (line.split()[0] for line in lines if line.strip()):
            if found.setdefault(key, split) != split:
                raise LabelError(
                    "E_PATIENT_LEAK",
                    "an image is in the lists of two splits",
                    where=f"{split}.txt",
                    expected="one split per image",
                    found=f"also in {found[key]}.txt",
                )
    return found
