"""Prepared slices on disk, by what made them: files, settings and code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tetract.data.cache.content_hash import ContentHashes
from tetract.data.cache.entry import Prepared, decode, encode
from tetract.data.cache.folder import CacheFolder
from tetract.data.card import SourceCard
from tetract.data.cells import MaskSource
from tetract.data.config import DataConfig
from tetract.data.table import Row
from tetract.types import LabelSpace
from tetract.types.batch import Identity

_GIB = 2**30
# Whole rooms: a list of the modules that matter would miss one some day.
_ROOMS = ("data", "io", "types")
_LIBRARIES = ("numpy", "torch", "scipy", "pydicom", "nibabel", "pillow")


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceKey:
    """Where a slice lies in the cache.

    Attributes:
        name: SHA-256 of everything that its numbers depend on.
        paths: The files it was made from.
    """

    name: str
    paths: tuple[Path, ...]


class SliceCache:
    """Prepared slices of one data set, shared with every other run that prepares them alike.

    Args:
        config: Holds ``cache_dir``, ``cache_gb`` and the settings that slices depend on.
        space: Names behind the channels.
        lesions: Names of the card's lesions, which decide what *normal* excludes.

    Raises:
        MachineError: When the folder cannot be made.
    """

    def __init__(self, config: DataConfig, space: LabelSpace, lesions: tuple[str, ...]) -> None:
        if config.cache_dir is None:
            raise ValueError("cache_dir is not set")
        self.hits = 0
        self.misses = 0
        self._verified: set[tuple[str, int]] = set()
        self._folder = CacheFolder(config.cache_dir, int(config.cache_gb * _GIB))
        self._hashes = ContentHashes(self._folder)
        wanted = {
            "image_px",
            "window_hu",
            "neighbours",
            "neighbour_mm",
            "derive_boxes",
            "min_lesion_px",
            "merge",
        }
        self._settings = {
            "code": code_version(),
            "config": config.model_dump(mode="json", include=wanted),
            "space": [space.classes, space.mask_classes, space.box_classes],
            "lesions": sorted(lesions),
        }

    def key(self, row: Row, index: int | None, source: SourceCard) -> SliceKey | None:
        """The key of slice ``index`` of a row, or None where a file of it cannot be read."""
        try:
            return self._key(row, index, source)
        except OSError:  # the reader will say what is wrong
            return None

    def load(self, key: SliceKey, identity: Identity) -> Prepared | None:
        """The slice, or None where it is not there whole."""
        name = f"{key.name}.slice"
        content = self._folder.find(name)
        found = None
        if content is not None:
            # Files are replaced whole, never changed: what was whole once is whole still.
            seen = (name, len(content))
            found = decode(key.name, content, identity, verified=seen in self._verified)
            if found is None:
                self._folder.drop(name)
            else:
                self._verified.add(seen)
        self.hits += found is not None
        self.misses += found is None
        return found

    def save(self, key: SliceKey, prepared: Prepared) -> bool:
        """Keep a slice; False where there is no room, or a file changed while it was read."""
        if not all(self._hashes.is_unchanged(path) for path in key.paths):
            return False
        return self._folder.keep(f"{key.name}.slice", encode(key.name, prepared))

    def _key(self, row: Row, index: int | None, source: SourceCard) -> SliceKey:
        masks = {
            name: cell
            for name, cell in sorted((row.mask or {}).items())
            if isinstance(cell, MaskSource)
        }
        paths = (row.image, *(mask.path for mask in masks.values()))
        parts: Mapping[str, object] = {
            "settings": self._settings,
            "source": source.model_dump(mode="json"),
            "image": self._hashes.of(row.image).sha256,
            "slice": [row.slice, index],
            "label": None if row.label is None else sorted(row.label),
            "empty": None if row.mask is None else sorted(set(row.mask) - set(masks)),
            "masks": [
                [name, self._hashes.of(mask.path).sha256, mask.value]
                for name, mask in masks.items()
            ],
            "boxes": None if row.boxes is None else [[b.label, *b.xyxy] for b in row.boxes],
        }
        text = json.dumps(parts, sort_keys=True)
        return SliceKey(name=hashlib.sha256(text.encode()).hexdigest(), paths=paths)


@cache
def code_version() -> str:
    """Hash of the code between a file and a prepared slice, and of the libraries' versions.

    Taken from the source itself: a number kept by hand would be forgotten once.
    """
    package = Path(__file__).parents[2]
    files = [file for room in _ROOMS for file in (package / room).rglob("*.py")]
    whole = hashlib.sha256()
    for file in sorted(files):
        whole.update(f"{file.relative_to(package).as_posix()}\n".encode())
        whole.update(hashlib.sha256(file.read_bytes()).digest())
    for name in _LIBRARIES:
        whole.update(f"{name} {_version(name)}\n".encode())
    return whole.hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
