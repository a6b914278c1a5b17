"""Which images a YOLO data set has, what its classes are called and where its labels lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from tetract.data.cells import Split
from tetract.data.formats.inside import inside
from tetract.data.formats.plain_names import is_plain_name
from tetract.data.formats.text_lines import text_lines
from tetract.data.yaml_model import load_yaml_model
from tetract.errors import InputError, ReadError

_MOST_BYTES: Final = 2**22
_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})
_YAML: Final = frozenset({".yaml", ".yml"})
_IMAGES, _LABELS = "images", "labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class YoloImage:
    """One image.

    Attributes:
        path: Its file.
        name: Its path below the root, with ``/``.
        split: The split it is listed under.
        labels: Where its label file belongs, whether or not there is one.
    """

    path: Path
    name: str
    split: Split
    labels: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class YoloSet:
    """The whole data set.

    Attributes:
        names: Class names by index.
        images: In the order of splits, then of names.
    """

    names: tuple[str, ...]
    images: tuple[YoloImage, ...]

    def orphans(self) -> list[Path]:
        """Label files in folders of labels that belong to no image."""
        wanted = {image.labels for image in self.images}
        folders = {path.parent for path in wanted} - {image.path.parent for image in self.images}
        return sorted(p for folder in folders for p in folder.glob("*.txt") if p not in wanted)


class _DataYaml(BaseModel):
    """The keys of ``data.yaml`` that we use; other programs add many of their own."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    names: dict[int, str]
    nc: int | None = None
    path: str = "."
    train: tuple[str, ...] = ()
    val: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    unassigned: tuple[str, ...] = ()
    kpt_shape: Any = None

    @field_validator("names", mode="before")
    @classmethod
    def _numbered(cls, value: Any) -> Any:
        return dict(enumerate(value)) if isinstance(value, list) else value

    @field_validator("names")
    @classmethod
    def _without_gaps(cls, value: dict[int, str]) -> dict[int, str]:
        if not value or sorted(value) != list(range(len(value))):
            raise ValueError("must number the classes from 0 without a gap")
        if len(set(value.values())) != len(value):
            raise ValueError("names two classes alike")
        return value

    @field_validator("train", "val", "test", "unassigned", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return () if value is None else (value,) if isinstance(value, str) else value

    @field_validator("kpt_shape")
    @classmethod
    def _no_pose(cls, value: Any) -> Any:
        if value is not None:
            raise ValueError("says that the labels are key points, which are not read")
        return value

    @model_validator(mode="after")
    def _as_many(self) -> _DataYaml:
        if self.nc is not None and self.nc != len(self.names):
            raise ValueError(f"nc says {self.nc} classes, names lists {len(self.names)}")
        return self


def read_yolo_set(data: Path, images: Path | None, labels: Path | None) -> YoloSet:
    """Find the images of a YOLO data set.

    Args:
        data: ``data.yaml``, or a text file with one class name per line.
        images: Folder that paths start from; None: what ``path`` in ``data.yaml`` says, or the
            folder of ``data``.
        labels: Folder of the label files, laid out as the images are below their root; None: the
            last folder ``images`` in a path becomes ``labels``, else labels lie beside the image.

    Raises:
        ReadError: ``E_NO_FILE``; ``E_PATH_ESCAPE`` for a path out of the root.
        InputError: ``E_BAD_YOLO``; ``E_EMPTY_DATASET`` when there is no image.
    """
    if data.is_file() and data.stat().st_size > _MOST_BYTES:
        raise InputError("E_BAD_YOLO", "the file is too large to list classes", where=data.name)
    if data.suffix.lower() in _YAML:
        said = load_yaml_model(data, _DataYaml, code="E_BAD_YOLO", page="how-to/import-yolo.md")
        names = tuple(said.names[index] for index in range(len(said.names)))
        root = images or _place(data.parent, said.path, data.name)
        listed = {split: getattr(said, split.value) for split in Split}
    else:
        names, root, listed = _class_names(data), images or data.parent, {Split.UNASSIGNED: (".",)}
    # An image of two splits stays in both, and is refused where splits are checked.
    found = dict.fromkeys(
        (path, split)
        for split, entries in listed.items()
        for entry in entries
        for path in _images(root, entry, data.name)
    )
    if not found:
        raise InputError(
            "E_EMPTY_DATASET",
            "no image was found",
            where=data.name,
            fix="Check the paths in it, or give their folder with --images",
        )
    return YoloSet(
        names=names,
        images=tuple(_image(path, root, labels, split) for path, split in found),
    )


def _class_names(path: Path) -> tuple[str, ...]:
    lines = text_lines(path, code="E_BAD_YOLO")
    names = tuple(line.strip() for line in lines if line.strip())
    if not names or len(set(names)) != len(names):
        raise InputError(
            "E_BAD_YOLO",
            "not a list of classes",
            where=path.name,
            expected="one name per line, each once",
        )
    return names


def _images(root: Path, entry: str, where: str) -> Iterator[Path]:
    place = _place(root, entry, where)
    if place.is_dir():
        yield from (p for p in sorted(place.rglob("*")) if p.suffix.lower() in _SUFFIXES)
        return
    if not place.is_file() or place.suffix.lower() != ".txt":
        raise ReadError(
            "E_NO_FILE",
            "a folder of images, or a .txt list of them, does not exist",
            where=f"{where}, {place.name}",
            fix="Check the paths, and give the folder they start from with --images",
        )
    for line in text_lines(place, code="E_BAD_YOLO"):
        if line.strip():
            yield _place(root, line.strip(), place.name)


def _place(root: Path, text: str, where: str) -> Path:
    if not is_plain_name(text):
        raise InputError("E_BAD_YOLO", "a path that no file can have", where=where)
    return inside(root, text, where)


def _image(path: Path, root: Path, labels: Path | None, split: Split) -> YoloImage:
    below = path.relative_to(root)
    return YoloImage(
        path=path,
        name=below.as_posix(),
        split=split,
        labels=_label_file(path, root) if labels is None else (labels / below).with_suffix(".txt"),
    )


def _label_file(path: Path, root: Path) -> Path:
    # Only folders from the root on: what lies above it is not part of the data set.
    top = root.parent if root.name == _IMAGES else root
    parts = list(path.relative_to(top).parts)
    folders = parts[:-1]
    if _IMAGES in folders:
        last = len(folders) - 1 - folders[::-1].index(_IMAGES)
        parts[last] = _LABELS
    return top.joinpath(*parts).with_suffix(".txt")
