"""Losses and gradients that are no finite numbers."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from joint_cases import C, S, same, small_network, train_network, weights_of
from makers import make_batch
from tetract.errors import TetractError
from tetract.model import Network
from tetract.model.bundle import load_description, read_weights
from tetract.train.soundness import Soundness, rows_behind
from tetract.types.batch import Batch


def good() -> Batch:
    return make_batch(rows=2, label={0: [0]}, masks={1: [0, 1]})


def spoilt() -> Batch:
    """Row 1, which carries the masks, is not a picture of numbers."""
    batch = good()
    image = batch.image.clone()
    image[1] = torch.nan
    return replace(batch, image=image)


def teaches_nothing() -> Batch:
    return make_batch(rows=2)


def fresh() -> Network:
    return small_network(C, S, norm="batch")


def runs(folder: Path, *batches: Batch, **run: object) -> Network:
    return train_network(
        folder, list(batches), network=fresh(), run={"steps": len(batches), **run}
    )[0]


def test_a_spoilt_batch_changes_nothing_not_even_a_running_statistic(tmp_path: Path) -> None:
    after = runs(tmp_path / "a", good(), spoilt(), good())
    without = runs(tmp_path / "b", good(), teaches_nothing(), good())
    assert same(weights_of(after), weights_of(without))
    assert all(bool(value.isfinite().all()) for value in after.state_dict().values())


@pytest.mark.parametrize("method", ["uncertainty", "uwso", "famo"])
def test_a_spoilt_batch_teaches_no_method(method: str, tmp_path: Path) -> None:
    states: list[str] = []
    for name, second in (("a", spoilt()), ("b", teaches_nothing())):
        folder = tmp_path / name
        train_network(
            folder,
            [good(), second],
            network=fresh(),
            joint={"method": method},
            run={"validate_every": 2},
        )
        states.append((folder / "last" / "progress.json").read_text().split('"joint"')[1])
    assert states[0] == states[1]


def test_three_in_a_row_stop_the_run_and_name_the_rows(tmp_path: Path) -> None:
    with pytest.raises(TetractError, match="E_LOSS_NOT_FINITE") as caught:
        runs(tmp_path, good(), spoilt(), spoilt(), spoilt(), good())
    line = str(caught.value)
    # BatchNorm carries the damage of one row to the other, so both tasks are named.
    assert "step 3, table.csv row 2 (ct_0.png, slice 0), table.csv row 3 (ct_1.png" in line
    assert "the loss of classification, segmentation was not a finite number" in line
    for never_said in ("p0", "p1", "/secret", "\n"):
        assert never_said not in line


def test_the_last_good_weights_are_kept_though_nothing_was_validated(tmp_path: Path) -> None:
    with pytest.raises(TetractError, match="E_LOSS_NOT_FINITE"):
        runs(tmp_path / "a", good(), spoilt(), spoilt(), spoilt(), good())
    last = tmp_path / "a" / "last"
    one_step = runs(tmp_path / "b", good(), *[teaches_nothing()] * 4)
    assert load_description(last).step == 3
    assert same(read_weights(last, load_description(last)), weights_of(one_step))


def test_a_run_that_stopped_goes_on_once_the_rows_are_mended(tmp_path: Path) -> None:
    with pytest.raises(TetractError, match="E_LOSS_NOT_FINITE"):
        runs(tmp_path, good(), spoilt(), spoilt(), spoilt(), good())
    last = tmp_path / "last"
    network = fresh()
    network.load_state_dict(read_weights(last, load_description(last)))
    before = weights_of(network)
    train_network(tmp_path, [good()], network=network, run={"steps": 5}, resume=True)
    assert not same(weights_of(network), before)


@pytest.mark.parametrize("method", ["fixed", "pcgrad"])
def test_a_gradient_that_is_no_number_never_reaches_the_weights(
    method: str, tmp_path: Path
) -> None:
    network = fresh()
    passes: list[int] = []
    weight = next(network.encoder.parameters())

    def spoil(gradient: torch.Tensor) -> torch.Tensor:
        passes.append(1)
        return gradient * torch.nan

    weight.register_hook(spoil)
    before = weights_of(network)
    with pytest.raises(TetractError, match=r"E_LOSS_NOT_FINITE step 2, .*: the gradient was not"):
        train_network(
            tmp_path, [good()], network=network, joint={"method": method}, run={"steps": 5}
        )
    assert passes
    assert same(weights_of(network), before)
    assert (tmp_path / "last" / "optimiser.safetensors").exists()


def test_a_step_without_a_loss_is_no_warning_and_no_step_of_the_weights(tmp_path: Path) -> None:
    assert same(weights_of(runs(tmp_path, teaches_nothing())), weights_of(fresh()))


def test_ten_in_all_are_too_many_as_well() -> None:
    sound = Soundness()
    for step in range(9):
        sound.spoilt(step, "the loss", good().identity)
        sound.sound()
    with pytest.raises(TetractError, match=r"10 batches in all.*"):
        sound.spoilt(9, "the loss", good().identity)


def test_two_in_a_row_are_borne_and_a_good_one_starts_the_count_again() -> None:
    sound = Soundness()
    for _ in range(2):
        sound.spoilt(0, "the loss", ())
    sound.sound()
    for _ in range(2):
        sound.spoilt(0, "the loss", ())
    assert sound.in_all == 4


def test_a_long_batch_is_named_in_part() -> None:
    sound = Soundness()
    rows = make_batch(rows=12).identity
    for _ in range(2):
        sound.spoilt(0, "the loss", rows)
    with pytest.raises(TetractError, match=r"position 7 and 4 more: the loss"):
        sound.spoilt(0, "the loss", rows)


def test_only_rows_that_teach_the_task_are_suspected() -> None:
    assert [who.row for who in rows_behind(good(), [S])] == [1]
    assert [who.row for who in rows_behind(good(), [C, S])] == [0, 1]


def test_the_log_of_a_run_with_a_spoilt_batch_holds_numbers_only(tmp_path: Path) -> None:
    runs(tmp_path, good(), spoilt(), good())
    with (tmp_path / "logs" / "metrics.csv").open() as file:
        cells = [cell for row in csv.DictReader(file) for cell in row.values()]
    assert cells
    assert not {"nan", "inf"} & set(cells)
