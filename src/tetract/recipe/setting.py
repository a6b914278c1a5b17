"""What must be known of an evaluation before its rows may stand beside those of another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Final

from tetract.data import DatasetFolder
from tetract.data.cells import EMPTY, MaskCell
from tetract.data.dataset import SliceDataset
from tetract.evaluate.result import Hiding, Setting
from tetract.recipe.schema import Recipe

# What a card says about the cells of its rows.
_HOW_TO_READ: Final = (
    *("name", "mask_classes", "box_classes", "boxes_complete"),
    *("normal_class", "normal_means_lesion_free"),
)


def setting_of(recipe: Recipe, dataset: SliceDataset) -> Setting:
    """How the slices of a split are measured and scored under a recipe."""
    low, high = recipe.data.window_hu
    hidden = recipe.reconstruction
    sources = dataset.folder.card.sources
    return Setting(
        hiding=Hiding(patch_px=hidden.patch_px, fraction=hidden.hidden_fraction, seed=0),
        hu_window_width=high - low,
        hu_window_low=low,
        hu_sources=tuple(source.name for source in sources if source.hu_known),
        healthy=tuple(sorted({one.normal_class for one in sources if one.normal_class})),
        grid_px=recipe.data.image_px,
        split=dataset.split,
        cases=_hash_cases(dataset.folder),
        labels=_hash_labels(dataset.folder, dataset.split),
        seed=recipe.run.seed,
        arm=_hash_arm(recipe),
    )


def _hash_cases(folder: DatasetFolder) -> str:
    """Which slices, in which order, and who is in which split; not where the files lie."""
    lines = (f"{r.source}\t{r.group}\t{r.split}\t{r.image.name}\t{r.slice}" for r in folder.rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _hash_labels(folder: DatasetFolder, split: str) -> str:
    """What the rows of the split are labelled with, and how their cards say to read it.

    Mask files are known by name and size, so that no file is read for it.
    """
    rows = [row for row in folder.rows if row.split == split]
    said = [
        [
            None if row.label is None else sorted(row.label),
            None if row.mask is None else sorted(_mask_words(row.mask)),
            None if row.boxes is None else sorted(f"{b.label} {b.xyxy}" for b in row.boxes),
        ]
        for row in rows
    ]
    read = [{key: getattr(one, key) for key in _HOW_TO_READ} for one in folder.card.sources]
    return hashlib.sha256(json.dumps([said, read]).encode()).hexdigest()


def _mask_words(cell: MaskCell) -> Iterator[str]:
    for name, found in cell.items():
        if found == EMPTY:
            yield f"{name}={EMPTY}"
        else:
            size = found.path.stat().st_size if found.path.exists() else -1
            yield f"{name}={found.path.name}#{found.value} {size}"


def _hash_arm(recipe: Recipe) -> str:
    """The experiment without its seed and without the places it reads and writes."""
    said = recipe.model_dump(mode="json")
    said.pop("name")
    for key in ("folder", "cache_dir", "cache_gb"):
        said["data"].pop(key, None)
    for key in ("folder", "seed"):
        said["run"].pop(key)
    said["run"]["init_from"] = said["run"]["init_from"] is not None
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
