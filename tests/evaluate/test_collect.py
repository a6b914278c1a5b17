from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from evaluation_cases import CASES, SIZE, Oracle, make_batch

from tetract.errors import BundleError, InputError
from tetract.evaluate.collect import Collected, collect, hidden_patches
from tetract.evaluate.result import Hiding, Setting
from tetract.types import Task
from tetract.types.predictions import Predictions

HIDING = Hiding(patch_px=4, fraction=0.5, seed=3)
SETTING = Setting(hiding=HIDING)


def run(*tasks: Task) -> Collected:
    return collect(Oracle(tasks), [make_batch()], SETTING)


def test_a_row_is_scored_only_where_it_is_labelled() -> None:
    found = run(*Task)
    counts = [len(found.classification), len(found.segmentation), len(found.detection)]
    assert counts == [4, 3, 3]
    assert len(found.reconstruction) == len(found.seen) == len(CASES)


def test_rows_that_teach_no_task_of_the_model_are_not_seen() -> None:
    oracle = Oracle([Task.DETECTION])
    found = collect(oracle, [make_batch(), make_batch([3, 4])], SETTING)
    assert len(found.seen) == len(found.detection) == 3
    assert [len(image) for image in oracle.shown] == [3]


def test_only_reconstruction_costs_a_second_pass() -> None:
    without, with_it = Oracle([Task.CLASSIFICATION]), Oracle([Task.RECONSTRUCTION])
    for oracle in (without, with_it):
        collect(oracle, [make_batch()], SETTING)
    assert (len(without.shown), len(with_it.shown)) == (1, 2)


def test_the_first_pass_shows_everything_and_the_second_hides() -> None:
    oracle = Oracle([Task.RECONSTRUCTION])
    batch = make_batch()
    collect(oracle, [batch], SETTING)
    assert torch.equal(oracle.shown[0], batch.image)
    hidden = hidden_patches(batch, HIDING)
    assert (oracle.shown[1][hidden] == 0.5).all()
    assert torch.equal(oracle.shown[1][~hidden], batch.image[~hidden])


def test_copying_scores_perfectly_only_where_it_sees() -> None:
    row = run(Task.RECONSTRUCTION).reconstruction[2]
    assert row.hidden is not None
    assert row.plain.mae == 0.0
    assert row.hidden.model.mae > 0.05


def test_batches_do_not_change_what_is_hidden() -> None:
    whole = hidden_patches(make_batch(), HIDING)
    turned = hidden_patches(make_batch([4, 2, 0]), HIDING)
    assert torch.equal(turned, whole[[4, 2, 0]])
    assert not torch.equal(whole[0], whole[1])


def test_slices_of_one_table_row_are_hidden_apart() -> None:
    batch = make_batch([0, 0])
    second = replace(batch.identity[1], slice_index=1)
    first, other = hidden_patches(replace(batch, identity=(batch.identity[0], second)), HIDING)
    assert not torch.equal(first, other)


def test_another_seed_hides_other_patches() -> None:
    batch = make_batch()
    other = hidden_patches(batch, replace(HIDING, seed=4))
    assert not torch.equal(hidden_patches(batch, HIDING), other)


def test_batch_size_does_not_change_the_rows() -> None:
    whole = collect(Oracle(), [make_batch()], SETTING)
    parts = collect(Oracle(), [make_batch([i]) for i in range(len(CASES))], SETTING)
    assert parts.reconstruction == whole.reconstruction
    assert [r.true_positive.tolist() for r in parts.segmentation] == [
        r.true_positive.tolist() for r in whole.segmentation
    ]


def test_pixel_area_comes_from_the_spacing() -> None:
    assert {row.pixel_mm2 for row in run(Task.SEGMENTATION).segmentation} == {1.0}


def test_half_precision_predictions_are_read() -> None:
    class Half(Oracle):
        def predict(
            self, image: torch.Tensor, tasks: tuple[Task, ...] | None = None
        ) -> Predictions:
            said = super().predict(image, tasks)
            assert said.reconstruction is not None
            return replace(said, reconstruction=said.reconstruction.bfloat16())

    found = collect(Half([Task.RECONSTRUCTION]), [make_batch()], SETTING)
    assert 0 < found.reconstruction[0].plain.mae < 0.01


def test_padding_counts_in_no_reconstruction_figure() -> None:
    class Smeared(Oracle):
        """Right within the slice, wrong in the padding around it."""

        def predict(
            self, image: torch.Tensor, tasks: tuple[Task, ...] | None = None
        ) -> Predictions:
            said = super().predict(image, tasks)
            assert said.reconstruction is not None
            wrong = said.reconstruction.clone()
            wrong[:, :, :4] = 1.0
            return replace(said, reconstruction=wrong)

    batch = make_batch()
    framed = replace(
        batch,
        identity=tuple(replace(who, frame_px=(4, 0, SIZE, SIZE)) for who in batch.identity),
    )
    smeared = Smeared([Task.RECONSTRUCTION])
    assert collect(smeared, [framed], SETTING).reconstruction[0].plain.mae == 0.0
    assert collect(smeared, [batch], SETTING).reconstruction[0].plain.mae > 0.05


def test_withheld_pixels_are_asked_of_the_reconstruction_arm_alone() -> None:
    asked: list[tuple[Task, ...] | None] = []

    class Listening(Oracle):
        def predict(
            self, image: torch.Tensor, tasks: tuple[Task, ...] | None = None
        ) -> Predictions:
            asked.append(tasks)
            return super().predict(image, tasks)

    collect(Listening(), [make_batch()], SETTING)
    assert asked == [None, (Task.RECONSTRUCTION,)]


def test_progress_counts_every_row() -> None:
    steps: list[int] = []
    collect(Oracle([Task.DETECTION]), [make_batch(), make_batch([3])], SETTING, steps.append)
    assert steps == [5, 1]


def test_no_batches_give_no_rows() -> None:
    assert collect(Oracle(), [], SETTING).seen == ()


def test_a_prediction_that_is_not_a_number_is_refused() -> None:
    class Broken(Oracle):
        def predict(
            self, image: torch.Tensor, tasks: tuple[Task, ...] | None = None
        ) -> Predictions:
            nothing = torch.full((len(image), 2, SIZE, SIZE), torch.nan)
            return replace(super().predict(image, tasks), mask_probabilities=nothing)

    with pytest.raises(InputError, match="E_PREDICTION_NOT_FINITE"):
        collect(Broken(), [make_batch()], SETTING)


def test_a_model_that_does_not_answer_its_task_is_refused() -> None:
    class Silent(Oracle):
        def predict(
            self, image: torch.Tensor, tasks: tuple[Task, ...] | None = None
        ) -> Predictions:
            return replace(super().predict(image, tasks), boxes=None)

    with pytest.raises(BundleError, match="E_HEAD_MISSING"):
        collect(Silent(), [make_batch()], SETTING)
