"""What an audit found is heard before training and told in every evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipe_cases import tiny_recipe, write_cohort
from tetract.data import Split, open_dataset
from tetract.data.audit.file import (
    AuditedPicture,
    AuditFile,
    AuditThresholds,
    Finding,
    rows_hash,
    save_audit,
)
from tetract.errors import LabelError, RecipeError
from tetract.model import save_bundle
from tetract.recipe import evaluate_run, train
from tetract.recipe.checks import fill_names
from tetract.recipe.experiment import build_network

NOTHING = AuditThresholds(most_bits=0, least_glance=0, least_coarse=0, least_similarity=0)


@pytest.fixture
def leaking(tmp_path: Path) -> Path:
    """A phantom cohort whose audit says that a training slice is also a test slice."""
    folder = open_dataset(write_cohort(tmp_path / "cohort"))
    splits = [row.split for row in folder.rows]
    first, second = (
        AuditedPicture(row=splits.index(split), slice=0, name=f"{split}.nii.gz")
        for split in (Split.TRAIN, Split.TEST)
    )
    finding = Finding(
        kind="near",
        similarity=0.9,
        first=first,
        second=second,
        splits=(Split.TRAIN, Split.TEST),
        patients="different",
    )
    audit = AuditFile(
        rows_hash=rows_hash(folder.rows),
        split_hash="",
        thresholds=NOTHING,
        pictures=2,
        blank=0,
        unread=(),
        findings=(finding,),
    )
    save_audit(folder.root, audit)
    return folder.root


def test_training_refuses_a_leak_before_it_reads_a_slice(leaking: Path, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"E_LEAK.*1 pairs.*data\.allow_leaks=true"):
        train(tiny_recipe(leaking, tmp_path / "run"), show_progress=False)
    assert not (tmp_path / "run").exists()


def test_training_goes_past_a_leak_that_is_allowed(leaking: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe(
        leaking, tmp_path / "run", data={"allow_leaks": True}, classes=["no such class"]
    )
    with pytest.raises(RecipeError, match="E_CLASS_UNKNOWN"):
        train(recipe, show_progress=False)


def test_every_evaluation_tells_of_the_leak(leaking: Path, tmp_path: Path) -> None:
    card = open_dataset(leaking).card
    recipe = tiny_recipe(leaking, tmp_path / "run", detection={"anchors": "scaled"})
    recipe = fill_names(recipe, card)
    save_bundle(tmp_path / "model", build_network(recipe), version="test")
    told = evaluate_run(recipe, tmp_path / "model", split="val").evaluation.about.warnings
    assert [line.split()[0] for line in told if "W_LABELS_" not in line] == ["W_LEAK_ALLOWED"]
