"""Claims about the first stage: every training slice, no test slice, a start for the training."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from recipe_cases import tiny_recipe, write_cohort
from tetract.cli import main
from tetract.data import Split
from tetract.errors import Exit, InputError
from tetract.model import load_bundle
from tetract.recipe import Recipe, pretraining, save_recipe, train
from tetract.recipe.experiment import open_data
from tetract.recipe.opening import open_split
from tetract.recipe.pretraining import starts_from
from tetract.train.checkpoint import saved_step
from tetract.train.config import RunConfig
from tetract.train.watch import Watch
from tetract.types import Task


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("cohort") / "phantom")


def test_the_stage_reconstructs_in_a_folder_of_its_own(tmp_path: Path) -> None:
    recipe = tiny_recipe(
        tmp_path, tmp_path / "run", run={"pretrain_steps": 9}, joint={"reconstruction": 0.0}
    )
    stage = pretraining(recipe)
    assert stage.tasks == (Task.RECONSTRUCTION,)
    assert (stage.run.steps, stage.run.pretrain_steps, stage.joint.reconstruction) == (9, 0, 1.0)
    assert stage.run.folder == tmp_path / "run-pretrained" == starts_from(recipe)
    assert stage.encoder == recipe.encoder


def test_the_stage_learns_from_every_training_slice_and_from_no_other(cohort: Path) -> None:
    stage = pretraining(tiny_recipe(cohort, cohort.parent / "run"))
    folder = open_data(stage.data)
    taught = open_split(stage, folder, "train")
    assert taught.labelled[:, list(Task).index(Task.RECONSTRUCTION)].all()
    expected = [row for row in folder.rows if row.split == Split.TRAIN]
    assert len(taught) == len(expected)
    assert {taught.sample(i).identity.row for i in range(len(taught))} == {
        index for index, row in enumerate(folder.rows) if row.split == Split.TRAIN
    }


def test_two_places_to_start_from_are_refused() -> None:
    with pytest.raises(ValidationError, match="not both"):
        RunConfig(pretrain_steps=5, init_from=Path("runs/other"))


@pytest.mark.slow
def test_a_training_starts_from_its_stage_and_keeps_it(cohort: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe(
        cohort,
        tmp_path / "run",
        tasks=["classification", "reconstruction"],
        run={"pretrain_steps": 2, "steps": 1, "validate_every": 1},
        optimiser={"encoder_factor": 0.0},
    )
    finished = train(recipe, show_progress=False)
    stage = load_bundle(tmp_path / "run-pretrained")
    kernel = "trunk.layer1.0.conv1.weight"
    learnt = [
        one.network.encoder.state_dict()[kernel] for one in (stage, load_bundle(finished.folder))
    ]
    assert torch.equal(learnt[0], learnt[1])
    assert {part.part for part in finished.carried} == {
        "encoder",
        "classification",
        "reconstruction",
    }
    with pytest.raises(InputError, match="E_RUN_EXISTS"):
        train(recipe, show_progress=False)
    again = recipe.model_copy(
        update={
            "run": recipe.run.model_copy(update={"pretrain_steps": 3, "folder": tmp_path / "b"})
        }
    )
    (tmp_path / "run-pretrained").rename(tmp_path / "b-pretrained")
    with pytest.raises(InputError, match="E_RUN_EXISTS"):
        train(again, show_progress=False)


def staged(cohort: Path, run: Path) -> Recipe:
    return tiny_recipe(
        cohort,
        run,
        tasks=["classification", "reconstruction"],
        encoder={"name": "tu-test_resnet"},
        run={"pretrain_steps": 3, "steps": 1, "validate_every": 1},
    )


def digests(run: Path) -> list[str]:
    """Of the first stage's last weights and of the training's."""
    files = [one / "last" / "model.safetensors" for one in (Path(f"{run}-pretrained"), run)]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


@pytest.mark.slow
def test_an_interrupted_first_stage_goes_on_to_the_very_same_weights(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(staged(cohort, tmp_path / "whole"), show_progress=False)
    save = Watch.save_last

    def stop(self: Watch, trainer: Any, module: Any, step: int) -> None:
        save(self, trainer, module, step)
        if step == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Watch, "save_last", stop)
    recipe = staged(cohort, tmp_path / "broken")
    with pytest.raises(KeyboardInterrupt):
        train(recipe, show_progress=False)
    monkeypatch.undo()
    assert saved_step(tmp_path / "broken-pretrained" / "last") == 2
    assert not (tmp_path / "broken" / "last").exists()
    train(recipe, resume=True, show_progress=False)
    assert digests(tmp_path / "broken") == digests(tmp_path / "whole")


@pytest.mark.slow
def test_the_command_pretrains_and_says_how_to_go_on(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tiny_recipe(
        cohort,
        tmp_path / "run",
        tasks=["classification"],
        encoder={"name": "tu-test_resnet"},
        run={"steps": 1, "validate_every": 1},
    )
    save_recipe(recipe, tmp_path / "recipe.yaml")
    assert main._guarded(["pretrain", str(tmp_path / "recipe.yaml"), "run.steps=1"]) == Exit.OK
    told = " ".join(capsys.readouterr().out.split())
    assert "Pretrained 1 steps" in told
    next_ = told.partition("Next: tetract ")[2].split()
    assert next_[-1] == f"run.init_from={recipe.run.folder}-pretrained"
    assert load_bundle(tmp_path / "run-pretrained").network.tasks == (Task.RECONSTRUCTION,)
    assert main._guarded(next_) == Exit.OK
    assert (tmp_path / "run" / "last" / "model.json").is_file()
