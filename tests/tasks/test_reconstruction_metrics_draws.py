"""Figures of weighted patients, visible pixels, and rows on disk."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator

import numpy as np
import pytest

from identities import somebody
from tetract.evaluate.rows_codec import decode, encode
from tetract.tasks.reconstruction.metrics import (
    ReconstructionRow,
    ReconstructionScores,
    measure_hidden,
    measure_plain,
    score_reconstruction,
)
from tetract.types.figure import Figure
from tetract.types.identity import group_keys
from tetract.types.resamples import AS_IS, Resamples, draw_resamples

PATIENTS = ["a", "a", "b", "", "c", "c", "c", "d", "", "e"]


def some_row(random: np.random.Generator, patient: str, source: str = "s") -> ReconstructionRow:
    """A slice of some size, with some of its pixels hidden or none."""
    size = int(random.choice([8, 16]))
    image = random.random((1, size, size)).astype(np.float32)
    said = (image + 0.2 * random.standard_normal(image.shape)).clip(0, 1).astype(np.float32)
    hidden = random.random((size, size)) < random.choice([0.0, 0.5, 1.0])
    return ReconstructionRow(
        plain=measure_plain(image, said),
        hidden=measure_hidden(image, 1 - said, hidden, patch_px=4),
        identity=somebody(patient, source),
    )


def some_rows(seed: int) -> list[ReconstructionRow]:
    random = np.random.default_rng(seed)
    return [some_row(random, who, "st"[n % 2]) for n, who in enumerate(PATIENTS)]


def scores(rows: list[ReconstructionRow], resamples: Resamples = AS_IS) -> ReconstructionScores:
    return score_reconstruction(
        rows, hu_window_width=1400.0, hu_known={"s": True}, resamples=resamples
    )


def figures(scores: object) -> Iterator[tuple[str, Figure]]:
    for field in dataclasses.fields(scores):  # type: ignore[arg-type]  any frozen noun of figures
        value = getattr(scores, field.name)
        if isinstance(value, Figure):
            yield field.name, value
        elif dataclasses.is_dataclass(value):
            yield from figures(value)


@pytest.mark.parametrize("seed", range(5))
def test_a_figure_of_weights_is_the_figure_of_the_repeated_patients(seed: int) -> None:
    rows = some_rows(seed)
    keys = sorted(set(group_keys(rows)))
    times = np.random.default_rng(seed).integers(0, 4, len(keys))
    resamples = Resamples(
        patients={key: column for column, key in enumerate(keys)},
        counts=np.stack([np.ones(len(keys)), times]),
        draws=1,
        strata=np.zeros(len(keys), dtype=np.int64),
    )
    columns = resamples.columns(rows)
    more = [row for row, column in zip(rows, columns, strict=True) for _ in range(times[column])]
    again = dict(figures(scores(more)))
    plain = dict(figures(scores(rows)))
    for name, figure in figures(scores(rows, resamples)):
        assert figure.value == pytest.approx(plain[name].value), name
        drawn = np.nan if figure.studies is None else figure.studies[1]
        expected = np.nan if again[name].value is None else again[name].value
        assert drawn == pytest.approx(expected, rel=1e-9, nan_ok=True), name


def test_every_figure_has_an_interval_around_it() -> None:
    random = np.random.default_rng(0)
    rows = [some_row(random, str(n // 2)) for n in range(60)]
    found = dict(figures(scores(rows, draw_resamples(rows, draws=200, seed=0))))
    assert len(found) == 23
    # White noise as a slice: nobody gives it back more closely than its noise.
    assert found.pop("below_noise").no_interval.startswith("all draws agree")
    for name, figure in found.items():
        assert figure.interval is not None, name
        assert figure.value is not None
        assert figure.interval.low < figure.value < figure.interval.high, name


def test_visible_pixels_of_the_masked_pass_are_apart_from_hidden_ones() -> None:
    image = np.full((1, 16, 16), 0.5, dtype=np.float32)
    said, hidden = image.copy(), np.zeros((16, 16), dtype=np.bool_)
    hidden[:4] = True
    said[:, :4] += 0.25
    said[:, 4:] -= 0.125
    row = ReconstructionRow(
        plain=measure_plain(image, image),
        hidden=measure_hidden(image, said, hidden, patch_px=4),
        identity=somebody(),
    )
    found = scores([row])
    assert (found.masked_mae.value, found.visible_mae.value) == (0.25, 0.125)
    assert (found.masked_mae_hu.value, found.visible_mae_hu.value) == (350.0, 175.0)
    assert (found.visible_rmse.value, found.visible_rmse_hu.value) == (0.125, 175.0)
    assert found.visible_psnr_db.value == pytest.approx(-20 * np.log10(0.125))


def test_a_wholly_hidden_slice_has_no_visible_pixels() -> None:
    image = np.random.default_rng(0).random((1, 16, 16)).astype(np.float32)
    hidden = measure_hidden(image, 1 - image, np.ones((16, 16), dtype=np.bool_), patch_px=4)
    row = ReconstructionRow(plain=measure_plain(image, image), hidden=hidden, identity=somebody())
    found = scores([row])
    assert found.masked_mae.value is not None
    for figure in (found.visible_mae, found.visible_psnr_db, found.masked_skill):
        assert (figure.value, figure.reason) == (None, "no visible pixels")


def test_skill_is_the_share_of_the_mean_filters_error_done_without() -> None:
    found = scores(some_rows(3))
    rows = [row for row in some_rows(3) if row.hidden and row.hidden.mean_filter_mae is not None]
    ours = sum(row.hidden.model.mae for row in rows if row.hidden)
    theirs = sum(row.hidden.mean_filter_mae or 0.0 for row in rows if row.hidden)
    assert found.masked_skill.value == pytest.approx(1 - ours / theirs)
    assert found.masked_skill.support.slices == len(rows) > 0


def test_a_mean_filter_without_error_leaves_no_skill_to_show() -> None:
    image = np.full((1, 16, 16), 0.5, dtype=np.float32)
    hidden = np.zeros((16, 16), dtype=np.bool_)
    hidden[:4] = True
    row = ReconstructionRow(
        plain=measure_plain(image, image),
        hidden=measure_hidden(image, image, hidden, patch_px=4),
        identity=somebody(),
    )
    assert scores([row]).masked_skill.reason == "the mean filter makes no error"


def test_the_data_range_is_stated_in_both_units() -> None:
    found = scores(some_rows(0))
    assert (found.data_range, found.data_range_hu) == (1.0, 1400.0)
    unknown = score_reconstruction(some_rows(0), hu_window_width=None, hu_known={"s": True})
    assert unknown.data_range_hu is None
    assert unknown.rmse_hu.reason == unknown.visible_mae_hu.reason == "HU window unknown"


def test_rows_come_back_from_disk_as_they_went() -> None:
    rows = some_rows(5)
    for row in rows:
        again = decode(ReconstructionRow, json.loads(json.dumps(encode(row), allow_nan=False)))
        assert again == row
    assert any(row.plain.grain is not None for row in rows)
