"""Which slices bear a lesion, by what their sources said: masks, boxes, class."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from tetract.evaluate.collect import Collected
from tetract.evaluate.signals import ANATOMY

_Key = tuple[int, int]


def lesion_present(
    collected: Collected, healthy: tuple[str, ...]
) -> tuple[Bool[np.ndarray, " N"], Bool[np.ndarray, " N"]]:
    """For each of ``collected.signals``: whether a lesion is there, and whether that is known.

    A mask or a box that was drawn is a lesion. That there is none is known where all kinds of
    lesions were looked for, in masks or in boxes, or where the class is a healthy one. A class
    of disease alone says nothing about a single slice.
    """
    space = collected.label_space
    lesions = np.array([name not in ANATOMY for name in space.mask_classes], dtype=np.bool_)
    absent = np.array([name in healthy for name in space.classes], dtype=np.bool_)
    yes, no = set[_Key](), set[_Key]()

    def note(key: _Key, *, found: bool, all_looked: bool) -> None:
        if found:
            yes.add(key)
        elif all_looked:
            no.add(key)

    for row in collected.segmentation:
        drawn = (row.true_positive + row.false_negative)[lesions & row.annotated]
        note(
            (row.identity.row, row.identity.slice_index),
            found=bool(drawn.any()),
            all_looked=bool(lesions.any()) and bool(row.annotated[lesions].all()),
        )
    for row in collected.detection:
        note(
            (row.identity.row, row.identity.slice_index),
            found=len(row.truth_labels) > 0,
            all_looked=bool(row.annotated.all()),
        )
    for row in collected.classification:
        if not row.candidates[~absent].any():
            no.add((row.identity.row, row.identity.slice_index))
    keys = [(row.identity.row, row.identity.slice_index) for row in collected.signals]
    truth = np.array([key in yes for key in keys], dtype=np.bool_)
    known = np.array([key in yes or key in no for key in keys], dtype=np.bool_)
    return truth, known
