"""The whole experiment on a small phantom cohort: refused early, or run to the end."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

import tetract
from recipe_cases import tiny_recipe, write_cohort
from tetract.data import Split, open_dataset
from tetract.data.config import DataConfig
from tetract.data.fold_file import save_folds
from tetract.data.folds import fold_rows
from tetract.errors import BundleError, Exit, InputError, MachineError, RecipeError
from tetract.evaluate.serialise import evaluation_to_json
from tetract.recipe import evaluate_run, load_recipe, save_recipe, train
from tetract.recipe.experiment import open_data
from tetract.train import run_folder
from tetract.types import Task

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("cohort") / "phantom")


@pytest.fixture(scope="module")
def run(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "all"
    train(tiny_recipe(cohort, folder), show_progress=False)
    return folder


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_a_run_leaves_models_logs_and_its_recipe(run: Path) -> None:
    for name in ("best/model.json", "last/model.safetensors", "recipe.yaml", "tensorboard"):
        assert (run / name).exists(), name
    with (run / "logs" / "metrics.csv").open() as file:
        columns = set(next(csv.reader(file)))
    assert {f"train/loss/{task.value}" for task in Task} <= columns
    assert "val/reconstruction/masked_mae" in columns


def test_the_same_seed_gives_the_same_weights(run: Path, cohort: Path, tmp_path: Path) -> None:
    train(tiny_recipe(cohort, tmp_path / "again"), show_progress=False)
    assert digest(tmp_path / "again" / "last") == digest(run / "last")


def test_a_run_that_is_never_validated_ends_with_the_same_weights(
    run: Path, cohort: Path, tmp_path: Path
) -> None:
    alone = tiny_recipe(cohort, tmp_path / "alone", run={"validate_every": 0})
    train(alone, show_progress=False)
    assert not (tmp_path / "alone" / "best").exists()
    assert digest(tmp_path / "alone" / "last") == digest(run / "last")


def test_a_full_disk_under_a_training_is_one_line_and_leaves_the_last_good_model(
    cohort: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "full"
    recipe = tiny_recipe(cohort, folder, run={"validate_every": 1})
    save_recipe(recipe, tmp_path / "recipe.yaml")
    script = tmp_path / "full.py"
    # From the second save on, no file may grow beyond 100 kB: what a full disk looks like.
    script.write_text(
        "import resource, sys\n"
        "from tetract.cli.main import _guarded\n"
        "from tetract.train.watch import Watch\n"
        "save = Watch.save_last\n"
        "def fill(self, trainer, module, step):\n"
        "    if step == 2:\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "    save(self, trainer, module, step)\n"
        "Watch.save_last = fill\n"
        "sys.exit(_guarded(['train', sys.argv[1]]))\n"
    )
    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "recipe.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == Exit.MACHINE, ended.stderr
    assert "E_DISK_FULL" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert tetract.load(folder / "last").tasks  # step 1's model, whole
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.parametrize("signals", [1, 2], ids=["once", "twice"])
def test_an_interrupted_run_resumes_to_the_very_same_weights(
    run: Path, cohort: Path, tmp_path: Path, signals: int
) -> None:
    folder = tmp_path / "broken"
    recipe = tiny_recipe(cohort, folder, run={"validate_every": 1})
    script = tmp_path / "interrupt.py"
    save_recipe(recipe, tmp_path / "recipe.yaml")
    # SIGTERM reaches the process at the end of its second step, and again while it stops.
    script.write_text(
        "import os, signal, sys\n"
        "from tetract.cli.main import _guarded\n"
        "from tetract.train.watch import Watch\n"
        "save, left = Watch.save_last, [int(sys.argv[2])]\n"
        "def stop(self, trainer, module, step):\n"
        "    save(self, trainer, module, step)\n"
        "    if step == 2 and left[0]:\n"
        "        left[0] -= 1\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "Watch.save_last = stop\n"
        "sys.exit(_guarded(['train', sys.argv[1]]))\n"
    )
    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "recipe.yaml"), str(signals)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == Exit.INTERRUPTED, ended.stderr
    assert "Interrupted." in ended.stderr
    assert "Traceback" not in ended.stderr
    steps = json.loads((folder / "last" / "progress.json").read_text())["step"]
    assert 2 <= steps < 4
    finished = train(recipe, resume=True, show_progress=False)
    assert finished.progress.step == 4
    assert digest(folder / "last") == digest(run / "last")


def test_evaluation_covers_every_task_and_source(run: Path) -> None:
    recipe = load_recipe(run / "recipe.yaml")
    evaluation = evaluate_run(recipe, run / "last", split="test").evaluation
    document = json.dumps(evaluation_to_json(evaluation), allow_nan=False)
    assert evaluation.tasks == tuple(Task)
    assert len(evaluation.sources) >= 1
    assert "masked_mae" in document


def test_mirror_images_are_said_wherever_their_mean_is_shown(run: Path, cohort: Path) -> None:
    recipe = load_recipe(run / "recipe.yaml", ["run.flips=true"])
    evaluation = evaluate_run(recipe, run / "last", split="test", draws=0).evaluation
    assert "mirror image" in evaluation.about.model
    findings = tetract.load(run, flips=True).predict(cohort / "unseen")
    assert "mirror image" in findings.model
    assert (
        findings.class_probabilities
        != tetract.load(run).predict(cohort / "unseen").class_probabilities
    )


def test_a_run_reads_a_study(run: Path, cohort: Path) -> None:
    findings = tetract.load(run).predict(cohort / "unseen")
    assert findings.geometry is not None
    assert findings.label_map is not None
    assert findings.label_map.shape == findings.geometry.shape
    assert sum(findings.class_probabilities.values()) == pytest.approx(1.0, abs=1e-5)
    for one in findings.slices:
        assert one.boxes is not None
        assert one.residual is not None


def test_weights_are_carried_into_another_task_set(run: Path, cohort: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe(
        cohort,
        tmp_path / "sr",
        tasks=["segmentation", "reconstruction"],
        run={"init_from": str(run), "steps": 1, "validate_every": 1},
    )
    finished = train(recipe, show_progress=False)
    loaded = {part.part: part.loaded for part in finished.carried}
    assert set(loaded) == {"encoder", "segmentation", "reconstruction"}
    assert all(count > 0 for count in loaded.values())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"classes": ["normal", "noduel"]}, r"E_CLASS_UNKNOWN classes.*noduel.*nodule"),
        ({"mask_classes": ["heart"]}, r"E_CLASS_UNKNOWN mask_classes.*heart"),
        ({"classes": ["normal"]}, r"E_BAD_VALUE.*classification needs at least 2"),
        ({"encoder": {"name": "resnet81"}}, r"E_UNKNOWN_ENCODER.*resnet81"),
        ({"tasks": ["detection"], "joint": {"detection": 0}}, r"E_NO_WEIGHT joint.*detection"),
    ],
)
def test_an_impossible_recipe_is_refused_before_training(
    cohort: Path, tmp_path: Path, changes: dict[str, object], expected: str
) -> None:
    with pytest.raises(RecipeError, match=expected):
        train(tiny_recipe(cohort, tmp_path / "run", **changes), show_progress=False)
    assert not (tmp_path / "run").exists()


def test_a_task_without_a_labelled_row_is_refused(cohort: Path, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    copy.mkdir()
    text = (cohort / "table.csv").read_text()
    with (cohort / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["image"] = str(cohort / row["image"])
        row["boxes"] = "unknown"
        row["mask"] = "unknown"
        row["class"] = "unknown"
    with (copy / "table.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, text.splitlines()[0].split(","))
        writer.writeheader()
        writer.writerows(rows)
    (copy / "dataset.yaml").write_text((cohort / "dataset.yaml").read_text())
    with pytest.raises(RecipeError, match="E_TASK_UNTAUGHT tasks: classification"):
        train(tiny_recipe(copy, tmp_path / "run"), show_progress=False)
    assert not (tmp_path / "run").exists()


def test_a_finished_run_is_not_overwritten(run: Path, cohort: Path) -> None:
    with pytest.raises(InputError, match="E_RUN_EXISTS"):
        train(tiny_recipe(cohort, run), show_progress=False)


def test_nothing_to_resume_is_said(cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E_NOTHING_TO_RESUME"):
        train(tiny_recipe(cohort, tmp_path / "new"), resume=True, show_progress=False)


def test_a_run_folder_belongs_to_one_process(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\nfrom pathlib import Path\n"
            "from tetract.train.checkpoint import run_folder\n"
            "with run_folder(Path(sys.argv[1]), resume=False):\n"
            "    print('held', flush=True)\n    time.sleep(60)\n",
            str(tmp_path / "run"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(MachineError, match="E_RUN_LOCKED"),
            run_folder(tmp_path / "run", resume=False),
        ):
            pass
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()


def test_a_model_of_another_task_set_cannot_be_resumed(
    run: Path, cohort: Path, tmp_path: Path
) -> None:
    copytree(run, tmp_path / "run")
    other = tiny_recipe(cohort, tmp_path / "run", tasks=["classification"])
    with pytest.raises(BundleError, match="E_OTHER_TASKS"):
        train(other, resume=True, show_progress=False)


def test_what_must_be_known_of_the_data_is_told_before_training(
    cohort: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    recipe = tiny_recipe(cohort, tmp_path / "run", run={"steps": 1, "validate_every": 1})
    train(recipe, show_progress=False, on_warned=told.extend)
    assert [line.split()[0] for line in told] == ["W_NOT_AUDITED"]


def test_a_fold_replaces_the_split_of_the_table(cohort: Path, tmp_path: Path) -> None:
    copytree(cohort, tmp_path / "phantom")
    folder = open_dataset(tmp_path / "phantom")
    save_folds(folder.root, fold_rows(folder.rows, folds=2, seed=0), seed=0)
    tested = [
        {row.patient for row in open_data(config).rows if row.split == Split.TEST}
        for config in (
            DataConfig(folder=folder.root),
            DataConfig(folder=folder.root, fold=0),
            DataConfig(folder=folder.root, fold=1),
        )
    ]
    assert tested[1] | tested[2] == {row.patient for row in folder.rows}
    assert not tested[1] & tested[2]
    assert tested[0] not in tested[1:]
    with pytest.raises(RecipeError, match="E_NO_FOLD"):
        open_data(DataConfig(folder=folder.root, fold=2))
