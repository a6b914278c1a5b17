"""Annotations of arrays are promises that the tests hold every caller to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from tetract.types import MaskTarget
from tetract.types.batch import Features


def test_a_noun_of_the_right_shape_is_made() -> None:
    masks = MaskTarget(pixels=np.zeros((2, 4, 4), dtype=bool), annotated=np.ones(2, dtype=bool))
    assert masks.pixels.shape == (2, 4, 4)


def test_a_noun_of_the_wrong_rank_is_refused() -> None:
    with pytest.raises(TypeCheckError, match="pixels"):
        MaskTarget(pixels=np.zeros((4, 4), dtype=bool), annotated=np.ones(2, dtype=bool))


def test_two_arrays_that_disagree_on_a_named_axis_are_refused() -> None:
    with pytest.raises(TypeCheckError, match="annotated"):
        MaskTarget(pixels=np.zeros((2, 4, 4), dtype=bool), annotated=np.ones(3, dtype=bool))


def test_an_array_of_the_wrong_dtype_is_refused() -> None:
    with pytest.raises(TypeCheckError, match="pixels"):
        MaskTarget(pixels=np.zeros((2, 4, 4)), annotated=np.ones(2, dtype=bool))


def test_a_method_called_with_the_wrong_dtype_is_refused() -> None:
    features = Features(maps=(torch.zeros(2, 3, 4, 4),), strides=(2,))
    with pytest.raises(TypeCheckError, match="rows"):
        features.select(torch.zeros(1))
