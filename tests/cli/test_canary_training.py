"""A patient in the training data is in no log, checkpoint, curve or evaluation that comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from canary import Shell, assert_clean, salted_series
from recipe_cases import tiny_recipe
from tetract.errors import Exit
from tetract.recipe.load import save_recipe

MAPPING = """
name: canaries
classes: [normal, covid]
mask_classes: []
box_classes: []
sources:
  - card: {name: site, citation: none, licence: none, hu_known: true, patient_ids: known,
           group_by: key, mask_classes: [], box_classes: []}
    image: {column: image}
    slice: all
    patient: {column: key}
    class: [{when: {finding: normal}, is: normal}, {is: covid}]
    mask: [{is: unknown}]
    boxes: [{is: unknown}]
    split: [{when: {part: train}, is: train}, {when: {part: val}, is: val}, {is: test}]
"""
ROWS = [
    f"{part}-{finding},ZZTEST-987654321-{number},{finding},{part}"
    for number, (part, finding) in enumerate(
        (part, finding) for part in ("train", "val", "test") for finding in ("normal", "covid")
    )
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # pydicom on the values we salt with
def test_a_training_run_and_its_evaluation_hold_no_canary(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run, work = Shell(capfd), tmp_path / "work"
    work.mkdir()
    for row in ROWS:
        salted_series(tmp_path / "scans" / row.split(",")[0])
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    (tmp_path / "table.csv").write_text("\n".join(["image,key,finding,part", *ROWS, ""]))
    imported = run(
        *("data", "import", "csv", tmp_path / "table.csv"),
        *("--mapping", tmp_path / "mapping.yaml", "--images", tmp_path / "scans"),
        *("-o", tmp_path / "set"),
    )
    assert imported == Exit.OK, run.printed
    assert "ZZTEST" in (tmp_path / "set" / "table.csv").read_text()  # your own keys stay in there
    recipe = tiny_recipe(
        tmp_path / "set",
        work / "run",
        tasks=["classification", "reconstruction"],
        data={"cache_dir": str(work / "cache"), "skip_unreadable": True},
    )
    save_recipe(recipe, work / "recipe.yaml")
    # What cannot be read is named in logs and reports: by its number, not by its patient.
    (tmp_path / "scans" / "train-covid" / "0002.dcm").write_bytes(b"ZZTEST")
    assert run("train", work / "recipe.yaml") == Exit.OK, run.printed
    for split in ("val", "test"):
        assert run("evaluate", work / "run", "--split", split) == Exit.OK, run.printed
    names = {path.name for path in (work / "run").rglob("*") if path.is_file()}
    assert {"metrics.csv", "recipe.yaml"} <= names
    assert any(name.endswith(".safetensors") for name in names)
    assert_clean(run.printed, work)
