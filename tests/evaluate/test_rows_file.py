"""What stands behind an evaluation survives the trip to disk, and names no patient."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest
from evaluation_cases import Oracle, make_batch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from identities import somebody
from tetract.errors import InputError
from tetract.evaluate.collect import Collected, collect
from tetract.evaluate.result import Hiding, Setting
from tetract.evaluate.rows_codec import decode, encode
from tetract.evaluate.rows_file import ROWS_NAME, read_rows, write_rows
from tetract.evaluate.score import score
from tetract.evaluate.serialise import evaluation_to_json
from tetract.tasks.classification.metrics import ClassificationRow

SETTING = Setting(
    hiding=Hiding(patch_px=4, fraction=0.5, seed=3),
    hu_window_width=1400.0,
    hu_sources=("A",),
    healthy=("normal",),
    split="test",
    cases="ab12",
    seed=7,
)


@pytest.fixture
def collected() -> Collected:
    return collect(Oracle(), [make_batch()], SETTING)


def test_the_same_figures_follow_from_rows_that_were_on_disk(
    tmp_path: Path, collected: Collected
) -> None:
    again = read_rows(write_rows(tmp_path, collected))
    assert again.setting == SETTING
    assert evaluation_to_json(score(again)) == evaluation_to_json(score(collected))


def test_two_writings_are_the_same_bytes(tmp_path: Path, collected: Collected) -> None:
    first = write_rows(tmp_path, collected).read_bytes()
    assert write_rows(tmp_path, collected).read_bytes() == first


@given(
    arrays.arrays(
        np.float32,
        arrays.array_shapes(min_dims=1, max_dims=2, min_side=0),
        elements=st.floats(0, 1, width=32),
    )
)
def test_probabilities_come_back_bit_for_bit(values: np.ndarray) -> None:
    row = ClassificationRow(
        probabilities=values.ravel(),
        candidates=values.ravel() > 0.5,
        identity=somebody(),
    )
    again = decode(ClassificationRow, json.loads(json.dumps(encode(row))))
    assert again.probabilities.tobytes() == row.probabilities.tobytes()
    assert again.candidates.tolist() == row.candidates.tolist()
    assert again.identity == row.identity


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not gzip",
        gzip.compress(b"{}\n", mtime=0),
        gzip.compress(b'{"schema": "tetract.rows/99"}\n', mtime=0),
        gzip.compress(b"[1, 2]\n", mtime=0),
    ],
    ids=["empty", "no gzip", "no schema", "other schema", "a list"],
)
def test_another_file_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / ROWS_NAME
    path.write_bytes(content)
    with pytest.raises(InputError, match="E_BAD_ROWS"):
        read_rows(path)


def test_a_cut_file_is_refused(tmp_path: Path, collected: Collected) -> None:
    path = write_rows(tmp_path, collected)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="E_BAD_ROWS"):
        read_rows(path)


@pytest.mark.parametrize("wrong", [b"NaN", b"-Infinity"])
def test_rows_that_hold_no_numbers_are_refused(
    tmp_path: Path, collected: Collected, wrong: bytes
) -> None:
    path = write_rows(tmp_path, collected)
    text = re.sub(rb'"mae": [0-9.e-]+', b'"mae": ' + wrong, gzip.decompress(path.read_bytes()))
    path.write_bytes(gzip.compress(text))
    with pytest.raises(InputError, match="E_BAD_ROWS"):
        read_rows(path)
