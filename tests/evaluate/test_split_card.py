"""The split card: a torn scan is noticed without its id, and an honest split is left alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from tetract.data import DatasetFolder, Split, open_dataset
from tetract.data.config import DataConfig
from tetract.data.dataset import SliceDataset
from tetract.data.phantom.cohort import write_phantom_cohort
from tetract.data.phantom.patient import PhantomConfig
from tetract.evaluate.cards.files import cards_to_json, cards_to_markdown, write_cards
from tetract.evaluate.cards.look_alikes import details
from tetract.evaluate.cards.looked_at import look_at, spread
from tetract.evaluate.cards.probes import cross_predict, nearest, ridge
from tetract.evaluate.cards.random_labels import RandomLabels, Side, run_random_labels
from tetract.types.batch import Sample
from tetract.types.card import Card, Remark, Verdict


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> DatasetFolder:
    folder = tmp_path_factory.mktemp("cohort") / "phantom"
    config = PhantomConfig(patients=(5, 1, 4), slices=(6, 6), size_px=64)
    return open_dataset(write_phantom_cohort(folder, config))


def torn(folder: DatasetFolder) -> DatasetFolder:
    """Every slice dealt by itself, as is done to pictures that name no patient."""
    rows = [
        replace(row, patient=None, split=Split.TEST if number % 3 == 0 else Split.TRAIN)
        for number, row in enumerate(folder.rows)
    ]
    return replace(folder, rows=tuple(rows))


def opened(folder: DatasetFolder, split: str) -> SliceDataset:
    config = DataConfig(folder=folder.root, image_px=64)
    return SliceDataset(folder, config, folder.card.label_space, split)


def run(folder: DatasetFolder, *, by_slice: bool = False) -> RandomLabels:
    seen = look_at(opened(folder, "test"), opened(folder, "train"))

    def side(samples: tuple[Sample, ...]) -> Side:
        found = details(samples)
        # The ids of a torn set: every slice its own.
        groups = [
            f"{s.identity.row}" if by_slice else folder.rows[s.identity.row].group for s in samples
        ]
        return Side(details=found, features=found, groups=tuple(groups))

    return run_random_labels(side(seen.trained), side(seen.scored))


def test_labels_by_lot_are_told_where_slices_of_a_scan_were_dealt_one_by_one(
    honest: DatasetFolder,
) -> None:
    found = run(torn(honest), by_slice=True)
    assert all(one.leaks for one in found.runs)
    assert max(one.accuracy for one in found.runs) > 0.9
    assert found.torn > 0.8 * found.scored


def test_labels_by_lot_stay_at_chance_where_patients_were_dealt_whole(
    honest: DatasetFolder,
) -> None:
    found = run(honest)
    assert not any(one.leaks for one in found.runs)
    assert found.torn == 0


def test_one_copied_patient_under_another_id_is_enough_to_be_noticed() -> None:
    rng = np.random.default_rng(0)
    mean_free = rng.normal(size=(24, 50)) @ (np.eye(50) - 1 / 50)
    found = mean_free / np.linalg.norm(mean_free, axis=1, keepdims=True)
    known = Side(details=found[:12], features=found[:12], groups=tuple("abcdefghijkl"))
    copied = np.concatenate([found[:2], found[14:]])
    asked = Side(details=copied, features=copied, groups=tuple("mnopqrstuvwx"))
    result = run_random_labels(known, asked)
    assert result.torn == 2
    assert any(one.leaks for one in result.runs)


def test_nothing_is_told_of_strangers_whatever_the_probe() -> None:
    rng = np.random.default_rng(1)
    shared = rng.normal(size=50)  # what all of them have in common says nothing of a lot

    def side(name: str) -> Side:
        found = rng.normal(size=(40, 50)) + shared
        found /= np.linalg.norm(found, axis=1, keepdims=True) * 2
        return Side(
            details=found, features=found, groups=tuple(f"{name}{k // 4}" for k in range(40))
        )

    assert not any(one.leaks for one in run_random_labels(side("a"), side("b")).runs)


def test_ridge_is_the_textbook_formula() -> None:
    rng = np.random.default_rng(2)
    x, y, asked = rng.normal(size=(20, 5)), rng.normal(size=(20, 3)), rng.normal(size=(7, 5))
    scaler = StandardScaler().fit(x)
    inner = np.asarray(scaler.transform(x))
    model = Ridge(alpha=0.1 * float((inner**2).sum()) / 20).fit(inner, y)
    assert np.allclose(ridge(x, y, asked), model.predict(scaler.transform(asked)))


def test_the_nearest_neighbour_is_the_most_correlated_one() -> None:
    known, labels = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0], [-1.0]])
    assert nearest(known, labels, np.array([[0.6, 0.8]])).tolist() == [[-1.0]]


def test_no_patient_is_told_from_his_own_slices() -> None:
    # Each patient has a feature of his own and a label of his own: only he could tell it.
    found, labels = np.repeat(np.eye(10), 3, axis=0), np.repeat(np.eye(10)[:, :1], 3, axis=0)
    said = cross_predict(found, labels, [k // 3 for k in range(30)])
    assert said[:3].max() < 0.2


def test_slices_are_spread_over_patients_and_bounded() -> None:
    groups = [f"p{k // 20}" for k in range(200)]
    chosen = spread(groups, 12, 4)
    assert len(chosen) == 12
    assert len({groups[k] for k in chosen}) == 3
    assert spread(groups, 12, 4) == chosen


def test_cards_are_written_whole_and_old_ones_removed(tmp_path: Path) -> None:
    card = Card(
        name="split",
        title="Split card",
        remarks=(Remark(text="Two pictures leak.", verdict=Verdict.BAD),),
        banner="Look here.",
    )
    write_cards(tmp_path, [card])
    assert json.loads((tmp_path / "cards.json").read_text()) == cards_to_json([card])
    assert "> **Look here.**\n\n- BAD Two pictures leak." in cards_to_markdown([card])
    write_cards(tmp_path, [])
    assert not (tmp_path / "cards.json").exists()
