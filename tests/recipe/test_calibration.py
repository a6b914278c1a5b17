from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from recipe_cases import tiny_recipe
from tetract.data.phantom.cohort import write_phantom_cohort
from tetract.data.phantom.patient import PhantomConfig
from tetract.errors import BundleError, InputError
from tetract.evaluate.serialise import evaluation_to_json
from tetract.evaluate.trust.calibration import Calibration, Wish
from tetract.evaluate.trust.file import load_calibration, save_calibration
from tetract.infer import load
from tetract.io import read_study
from tetract.model import save_bundle
from tetract.recipe import evaluate_run
from tetract.recipe.calibration import calibrate_run
from tetract.recipe.checks import fill_names
from tetract.recipe.experiment import build_network
from tetract.recipe.load import save_recipe
from tetract.recipe.opening import open_data
from tetract.recipe.planning import stand_in
from tetract.recipe.schema import Recipe
from tetract.report import write_findings
from tetract.report.findings_json import findings_record

WISH = Wish(coverage=0.8, false_alarms=0.2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calibrated")


@pytest.fixture(scope="module")
def recipe(folder: Path) -> Recipe:
    """An untrained network on six validation patients: what it says is as good as noise."""
    cohort = write_phantom_cohort(
        folder / "phantom", PhantomConfig(patients=(1, 6, 2), slices=(6, 6), size_px=64)
    )
    asked = tiny_recipe(cohort, folder / "run")
    made = stand_in(fill_names(asked, open_data(asked.data).card))
    save_bundle(folder / "run" / "best", build_network(made).eval(), version="test")
    save_recipe(made, folder / "run" / "recipe.yaml")
    return made


@pytest.fixture(scope="module")
def found(folder: Path, recipe: Recipe) -> Calibration:
    return calibrate_run(recipe, folder / "run", WISH)


def test_every_promise_that_six_patients_allow_is_made(found: Calibration) -> None:
    assert found.support.patients == 6
    for limit in (found.class_set, found.disagreement, found.residual):
        assert limit.value is not None
        assert limit.patients == 6
    assert found.healthy == ("normal",)


def test_a_calibration_comes_back_from_disk_as_it_was(folder: Path, found: Calibration) -> None:
    again = load_calibration(folder / "run" / "best", found.weights_sha256)
    assert again is not None
    assert (again.thresholds, again.box_threshold) == (found.thresholds, found.box_threshold)
    assert (again.wish, again.class_set, again.boxes) == (WISH, found.class_set, found.boxes)


def test_a_calibration_of_other_weights_is_refused(tmp_path: Path, found: Calibration) -> None:
    save_calibration(tmp_path, replace(found, weights_sha256="0" * 64))
    with pytest.raises(BundleError, match="E_OTHER_CALIBRATION"):
        load_calibration(tmp_path, found.weights_sha256)


def test_a_damaged_calibration_is_refused(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text('{"schema": "tetract.calibration/1"}')
    with pytest.raises(BundleError, match="E_BAD_CALIBRATION"):
        load_calibration(tmp_path, "")


def test_no_model_is_calibrated_on_what_it_was_trained_on(folder: Path, recipe: Recipe) -> None:
    with pytest.raises(InputError, match="E_CALIBRATE_ON_TRAIN"):
        calibrate_run(recipe, folder / "run", WISH, split="train")


@pytest.mark.usefixtures("found")
def test_an_evaluation_tests_the_calibration_on_other_patients(
    folder: Path, recipe: Recipe
) -> None:
    trust = evaluate_run(recipe, folder / "run", split="test", draws=50).evaluation.trust
    assert trust is not None
    assert trust.selective is not None
    assert trust.class_sets is not None
    alone, both = trust.selective.confidence_aurc.value, trust.selective.agreement_aurc.value
    assert alone is not None
    assert both is not None
    assert trust.selective.gain.value == pytest.approx(alone - both)
    assert {f.doubt for f in trust.flagged} == {"disagreement", "unlike_validation"}


@pytest.mark.usefixtures("found")
def test_nothing_is_claimed_on_the_rows_it_was_found_on(folder: Path, recipe: Recipe) -> None:
    done = evaluate_run(recipe, folder / "run", split="val", draws=0)
    assert done.evaluation.trust is None
    json.dumps(evaluation_to_json(done.evaluation), allow_nan=False)


def test_findings_carry_what_the_calibration_says(folder: Path, found: Calibration) -> None:
    model = load(folder / "run")
    study = next((folder / "phantom" / "unseen").rglob("*.nii.gz"), folder / "phantom" / "unseen")
    findings = model.predict_study(read_study(study))
    record = json.loads(json.dumps(findings_record(findings, {}), allow_nan=False))
    said = record["slices"][0]["judgement"]
    assert set(said["lesion_probability"]) == {"classification", "segmentation", "detection"}
    spread = said["lesion_probability"].values()
    assert said["agreement"] == pytest.approx(1 - (max(spread) - min(spread)))
    assert said["not_checked"] == []
    assert said["abstain"] == bool(said["flags"])
    assert record["judgement"]["agreement"] is not None
    assert record["judgement"]["abstain"] is None
    assert record["calibration"][0].startswith("Calibrated on val: 36 slices, 6 patients")
    assert found.thresholds is not None


def test_a_calibration_is_not_applied_to_answers_of_another_kind(
    folder: Path, found: Calibration
) -> None:
    assert not found.flips
    findings = load(folder / "run", flips=True).predict(folder / "phantom" / "unseen")
    assert any(line.startswith("W_CALIBRATION_UNUSED") for line in findings.provenance.warnings)
    assert findings.calibration == ()
    assert all(one.judgement is None for one in findings.slices)


def test_an_uncalibrated_model_judges_nothing(folder: Path, found: Calibration) -> None:
    model = replace(load(folder / "run"), calibration=None)
    findings = model.predict(folder / "phantom" / "unseen")
    assert all(one.judgement is None and one.called is None for one in findings.slices)
    assert findings.calibration == ()
    assert found.residual.value is not None


def test_maps_are_kept_with_the_findings_and_replaced_with_them(
    folder: Path, tmp_path: Path
) -> None:
    model = load(folder / "run")
    study = read_study(folder / "phantom" / "unseen")
    findings, pictures = model.predict_study(study), model.pictures(study)
    maps = model.explain(study, [0, 2])
    write_findings(tmp_path / "out", findings, pictures, explanations=maps)
    files = write_findings(tmp_path / "out", findings, pictures, explanations=maps)
    record = json.loads((files.folder / "explanations" / "explanations.json").read_text())
    assert [one.index for one in maps.slices] == [0, 2]
    assert {one["slice"] for one in record["maps"]} == {0, 2}
    assert len(record["sanity"]) == len(maps.slices[0].layers)
    assert maps.slices[0].layers[0].values.shape == pictures[0].shape
