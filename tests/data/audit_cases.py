"""Pictures that resemble chest CT enough to be confused, and data sets made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from dataset_maker import a_card, a_source
from scipy import ndimage

from tetract.data import DatasetFolder, Row, Split, open_dataset, write_dataset
from tetract.io import write_png


def a_picture(patient: int, side: int = 256) -> np.ndarray:
    """A body with two lungs, alike in everybody, and vessels that are the patient's own."""
    rng = np.random.default_rng(patient)
    row, column = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    grey = np.where((row / 0.7) ** 2 + (column / 0.9) ** 2 < 1, 0.75, 0.05)
    for centre in (-0.4, 0.4):
        grey[(row / 0.5) ** 2 + ((column - centre) / 0.3) ** 2 < 1] = 0.2
    texture = ndimage.gaussian_filter(rng.standard_normal((side, side)), side / 80)
    grey = grey + 0.6 * (texture / texture.std()) * 0.15 * (grey > 0.1)
    return np.clip(np.rint(grey * 255), 0, 255).astype(np.uint8)


def a_copy(picture: np.ndarray) -> np.ndarray:
    """The same picture in the way it comes back from a figure: cut, smaller, brighter."""
    height, width = picture.shape
    part = picture[height // 25 :, width // 33 : -width // 50].astype(np.float64)
    smaller = ndimage.zoom(part, 0.7, order=1)
    return np.clip(smaller * 0.85 + 25, 0, 255).astype(np.uint8)


def write_set(
    folder: Path, pictures: list[tuple[np.ndarray, str | None, str]], **card: object
) -> DatasetFolder:
    """A data set of (picture, patient, split)."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for number, (picture, patient, split) in enumerate(pictures):
        image = folder / f"picture{number}.png"
        write_png(image, picture)
        rows.append(Row(image=image, source="site", patient=patient, split=Split(split)))
    write_dataset(folder, a_card(a_source(hu_known=False, **card)), rows)
    return open_dataset(folder)
