"""A COCO JSON file as plain nouns, after every entry has been checked."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from tetract.data.formats.faults import Faults
from tetract.data.formats.json_file import load_json
from tetract.data.formats.outline_pixels import Points
from tetract.data.formats.plain_names import is_plain_name
from tetract.data.formats.rle import decode_runs, parse_counts

# The largest file of COCO itself has 450 MB.
MOST_BYTES: Final = 2**30
_SPLIT_IT: Final = "Split the file by its images, and give the parts as several FILES"
_FIX: Final = "Correct the file; nothing was written"
_MOST_POINTS: Final = 20_000
_FARTHEST_PX: Final = 1e6
_MOST_PIXELS: Final = 2**26
# LVIS says so of each image: a category that is in none of its lists was not looked for.
_FEDERATED: Final = ("neg_category_ids", "not_exhaustive_category_ids")


@dataclass(frozen=True, slots=True, kw_only=True)
class CocoImage:
    """One entry of ``images``.

    Attributes:
        number: Its place in the list, from 1.
        name: ``file_name``.
        canvas: ``(H, W)`` in px.
    """

    number: int
    name: str
    canvas: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CocoAnnotation:
    """One entry of ``annotations``.

    Attributes:
        image: Id of its image.
        category: Name of its category.
        bbox: Four finite numbers as written; the last two are above 0.
        polygons: Parts of one outline in px; empty where there are none.
        runs: Run lengths that fill the canvas of its image, or None.
        crowd: ``iscrowd``.
    """

    image: Hashable
    category: str
    bbox: tuple[float, float, float, float]
    polygons: tuple[Points, ...]
    runs: tuple[int, ...] | None
    crowd: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CocoFile:
    """What a file says.

    Attributes:
        categories: Names in the order of their ids in the file.
        images: Id to image, in the order of the file.
        annotations: In the order of the file.
    """

    categories: tuple[str, ...]
    images: dict[Hashable, CocoImage]
    annotations: tuple[CocoAnnotation, ...]


def load_coco(path: Path) -> CocoFile:
    """Read and check a COCO JSON file of instances.

    Raises:
        ReadError: ``E_NO_FILE`` or ``E_BAD_JSON``.
        InputError: ``E_BAD_COCO`` with all faults of the file.
    """
    content, faults = load_json(path, most_bytes=MOST_BYTES, cure=_SPLIT_IT), Faults()
    for key in ("images", "annotations", "categories"):
        if not isinstance(content.get(key), list):
            faults.add("no such list", key)
    if faults:
        raise faults.error("E_BAD_COCO", path.name, fix="Give a COCO file of instances")
    categories = _categories(content["categories"], faults)
    images = _images(content["images"], faults)
    annotations = _annotations(content["annotations"], categories, images, faults)
    if faults:
        raise faults.error("E_BAD_COCO", path.name, fix=_FIX)
    return CocoFile(categories=tuple(categories.values()), images=images, annotations=annotations)


def _categories(entries: list[Any], faults: Faults) -> dict[Hashable, str]:
    found: dict[Hashable, str] = {}
    for place, entry, key in _with_ids(entries, "categories", faults):
        name: Any = entry.get("name")
        if not is_plain_name(name):
            faults.add("category without a name", place)
        elif name in found.values():
            faults.add("two categories of one name", place)
        else:
            found[key] = name
    return found


def _images(entries: list[Any], faults: Faults) -> dict[Hashable, CocoImage]:
    found: dict[Hashable, CocoImage] = {}
    names: set[str] = set()
    for place, entry, key in _with_ids(entries, "images", faults):
        name: Any = entry.get("file_name")
        canvas = _canvas(entry.get("height"), entry.get("width"))
        if not is_plain_name(name):
            faults.add("image without file_name", place)
        elif name in names:
            faults.add("file_name stands twice", place)
        elif canvas is None:
            faults.add("width or height is no size in pixels", place)
        else:
            number = int(place[len("images[") : -1]) + 1
            found[key] = CocoImage(number=number, name=name, canvas=canvas)
            names.add(name)
        if any(mark in entry for mark in _FEDERATED):
            faults.add("only some categories were looked for on each image (LVIS)", place)
    return found


def _annotations(
    entries: list[Any],
    categories: dict[Hashable, str],
    images: dict[Hashable, CocoImage],
    faults: Faults,
) -> tuple[CocoAnnotation, ...]:
    found: list[CocoAnnotation] = []
    for place, entry, _ in _with_ids(entries, "annotations", faults):
        category = categories.get(_key(entry.get("category_id")))
        image = images.get(_key(entry.get("image_id")))
        if category is None:
            faults.add("category_id of no category", place)
        if image is None:
            faults.add("image_id of no image", place)
        bbox = _bbox(entry.get("bbox"), place, faults)
        crowd: Any = entry.get("iscrowd", 0)
        if crowd not in (0, 1):
            faults.add("iscrowd is neither 0 nor 1", place)
        if category is None or image is None or bbox is None:
            continue
        polygons, runs = _segmentation(entry.get("segmentation"), image, place, faults)
        found.append(
            CocoAnnotation(
                image=_key(entry.get("image_id")),
                category=category,
                bbox=bbox,
                polygons=polygons,
                runs=runs,
                crowd=bool(crowd),
            )
        )
    return tuple(found)


def _with_ids(
    entries: list[Any], name: str, faults: Faults
) -> list[tuple[str, dict[str, Any], Hashable]]:
    """Entries that are objects with an id of their own, each with its place."""
    found: list[tuple[str, dict[str, Any], Hashable]] = []
    seen: set[Hashable] = set()
    for index, entry in enumerate(entries):
        place = f"{name}[{index}]"
        key = _key(entry.get("id")) if isinstance(entry, dict) else None
        if key is None:
            faults.add("entry without an id", place)
        elif key in seen:
            faults.add("id stands twice", place)
        else:
            seen.add(key)
            found.append((place, entry, key))
    return found


def _key(value: object) -> Hashable | None:
    """An id: a whole number or a text."""
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _canvas(height: object, width: object) -> tuple[int, int] | None:
    if type(height) is not int or type(width) is not int:
        return None
    return (height, width) if min(height, width) > 0 and height * width <= _MOST_PIXELS else None


def _numbers(values: object) -> list[float] | None:
    """Finite numbers no farther than any image reaches, or None."""
    if not isinstance(values, list):
        return None
    for value in values:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        if not abs(value) <= _FARTHEST_PX:  # so that NaN is refused too
            return None
    return [float(value) for value in values]


def _bbox(value: object, place: str, faults: Faults) -> tuple[float, float, float, float] | None:
    numbers = _numbers(value)
    if numbers is None or len(numbers) != 4:
        faults.add("bbox is not four finite numbers x y width height in px", place)
        return None
    x, y, width, height = numbers
    if width <= 0 or height <= 0:
        faults.add("bbox without area: width and height must be above 0", place)
        return None
    return x, y, width, height


def _segmentation(
    value: Any, image: CocoImage, place: str, faults: Faults
) -> tuple[tuple[Points, ...], tuple[int, ...] | None]:
    if value is None or value == []:
        return (), None
    if isinstance(value, dict):
        return (), _runs(value, image, place, faults)
    parts = [_numbers(part) for part in value] if isinstance(value, list) else [None]
    polygons: list[Points] = []
    for part in parts:
        if part is None:
            faults.add("segmentation is no list of polygons with finite numbers", place)
        elif len(part) < 6 or len(part) % 2:
            faults.add("polygon with fewer than 3 points or an odd number of values", place)
        elif len(part) > 2 * _MOST_POINTS:
            faults.add(f"polygon with more than {_MOST_POINTS} points", place)
        else:
            polygons.append(np.array(part, dtype=np.float64).reshape(-1, 2))
    return tuple(polygons), None


def _runs(
    value: dict[str, Any], image: CocoImage, place: str, faults: Faults
) -> tuple[int, ...] | None:
    if value.get("size") != list(image.canvas):
        faults.add("size of the RLE is not height and width of its image", place)
        return None
    try:
        counts = _counts(value.get("counts"))
        mask = decode_runs(counts, image.canvas)
    except ValueError:
        faults.add("counts of the RLE do not fill its image", place)
        return None
    if not mask.any():
        faults.add("segmentation without a pixel", place)
        return None
    return tuple(counts)


def _counts(value: Any) -> list[int]:
    if isinstance(value, str):
        return parse_counts(value)
    if not isinstance(value, list) or not all(type(count) is int for count in value):
        raise ValueError("counts are no whole numbers")
    return value
