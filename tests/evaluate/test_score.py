from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from evaluation_cases import Oracle, make_batch

from tetract.evaluate.collect import Collected, Seen, collect
from tetract.evaluate.headline import LOWER_IS_BETTER, PRIMARY, headline
from tetract.evaluate.markdown import evaluation_to_markdown
from tetract.evaluate.result import About, Evaluation, Hiding, Setting
from tetract.evaluate.score import score
from tetract.evaluate.serialise import SCHEMA, evaluation_to_json
from tetract.types import LabelSpace, Task

ABOUT = About(command="tetract evaluate run --split test", split="test", model="run sha256:ab12")
COVID, NORMAL = (1, 0), (0, 1)
SETTING = Setting(
    hiding=Hiding(patch_px=4, fraction=0.5, seed=3), hu_window_width=1400.0, hu_sources=("A",)
)


def collected(tasks: Sequence[Task] = tuple(Task)) -> Collected:
    return collect(Oracle(tasks), [make_batch()], SETTING)


def evaluated(tasks: Sequence[Task] = tuple(Task)) -> Evaluation:
    return score(collected(tasks), about=ABOUT)


def relabelled(labels: Sequence[tuple[str, Sequence[int]]]) -> Evaluation:
    """Classification rows of these sources and candidate sets."""
    found = collected([Task.CLASSIFICATION])
    one, seen = found.classification[0], found.seen[0]
    rows = [
        replace(
            one,
            identity=replace(one.identity, source=name),
            candidates=(one.candidates | True) & [bool(c) for c in candidates],
        )
        for name, candidates in labels
    ]
    return score(
        replace(
            found,
            classification=tuple(rows),
            seen=tuple(Seen(identity=replace(seen.identity, source=name)) for name, _ in labels),
        )
    )


def test_there_is_one_section_per_source_and_one_for_all() -> None:
    found = evaluated()
    assert (found.overall.name, [s.name for s in found.sources]) == ("overall", ["A", "B"])
    assert [s.support.slices for s in (found.overall, *found.sources)] == [5, 3, 2]
    assert [s.support.patients for s in (found.overall, *found.sources)] == [3, 2, 1]


def test_figures_reach_the_right_task() -> None:
    whole = evaluated().overall
    assert whole.classification is not None
    assert whole.classification.auroc_macro.value == 1.0
    assert whole.segmentation is not None
    # Patient 1 of A: a bearing slice and a painted free one; patient 2: perfect.
    assert whole.segmentation.classes[1].dice.value == pytest.approx(
        (2 * 24 / (2 * 24 + 24) + 1) / 2
    )
    assert whole.segmentation.classes[1].false_positive_mm2.value == 24.0
    assert whole.detection is not None
    assert (whole.detection.any_lesion.lesions, whole.detection.any_lesion.support.slices) == (2, 3)
    assert whole.reconstruction is not None
    assert whole.reconstruction.mae_hu.support.slices == 3


def test_a_task_the_model_has_not_is_none_and_a_task_without_rows_is_undefined() -> None:
    found = evaluated([Task.DETECTION, Task.CLASSIFICATION])
    assert found.overall.segmentation is None
    other = found.sources[1].detection
    assert other is not None
    assert other.any_lesion.ap_30.reason == "no annotated slices"


def test_missing_patient_identities_are_warned_about_once() -> None:
    found = evaluated().about.warnings
    assert [w.split(":")[0] for w in found] == ["W_NO_PATIENT_IDS B"]
    given = replace(ABOUT, warnings=("W_NO_PATIENT_IDS said by the data set",))
    assert score(collected(), about=given).about.warnings == given.warnings


def test_class_and_source_coincide() -> None:
    found = relabelled([("A", COVID), ("A", COVID), ("B", NORMAL)])
    assert found.class_is_source
    assert "**Class and source coincide" in evaluation_to_markdown(found)
    assert any("coincide" in table["note"] for table in evaluation_to_json(found)["tables"])


def test_class_and_source_do_not_coincide_where_one_source_holds_both() -> None:
    found = relabelled([("A", COVID), ("B", COVID), ("B", NORMAL)])
    assert not found.class_is_source
    assert found.single_class_sources == ("A",)
    assert "Of a single class: A." in evaluation_to_markdown(found)


def test_one_class_everywhere_is_no_coincidence() -> None:
    assert not relabelled([("A", COVID), ("B", COVID)]).class_is_source


def test_no_classification_rows_are_no_coincidence() -> None:
    assert not relabelled([]).class_is_source


def test_the_headline_has_one_number_per_task() -> None:
    found = headline(evaluated())
    assert list(found) == list(PRIMARY.values())
    assert found["classification/auroc_macro"] == 1.0
    assert set(found) >= LOWER_IS_BETTER == {"reconstruction/masked_mae"}


def test_the_headline_names_only_the_models_tasks() -> None:
    assert list(headline(evaluated([Task.DETECTION]))) == ["detection/ap_30_any_lesion"]


def test_lungs_do_not_lift_the_headline_dice() -> None:
    found = collected([Task.SEGMENTATION])
    rows = tuple(replace(row, annotated=row.annotated | True) for row in found.segmentation)
    rows = tuple(replace(row, true_positive=row.true_positive + np.array([10, 0])) for row in rows)
    with_lung = headline(score(replace(found, segmentation=rows)))["segmentation/dice_lesions"]
    assert with_lung == pytest.approx(headline(score(found))["segmentation/dice_lesions"])
    renamed = replace(
        found, segmentation=rows, label_space=LabelSpace(mask_classes=("x", "infection"))
    )
    other = headline(score(renamed))["segmentation/dice_lesions"]
    assert other is not None
    assert with_lung is not None
    assert other > with_lung


def test_the_headline_of_nothing_is_none() -> None:
    empty = collect(Oracle(), [], SETTING)
    assert set(headline(score(empty)).values()) == {None}


def test_json_survives_the_trip_and_holds_no_nan() -> None:
    found = evaluation_to_json(evaluated())
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["schema"] == SCHEMA == "tetract.evaluation/2"
    assert found["overall"]["detection"]["any_lesion"]["ap_30"] == {
        "value": pytest.approx((51 + 50 * 2 / 3) / 101),
        "support": {"slices": 3, "patients": 2, "slices_without_patient": 0},
        "reason": "",
        "interval": None,
        "no_interval": "",
    }


def test_json_has_the_keys_of_its_schema() -> None:
    assert set(evaluation_to_json(evaluated())) == {
        *("schema", "use", "headline", "about", "tasks", "label_space", "tables"),
        *("setting", "bootstrap_draws", "overall", "sources", "single_class_sources"),
        *("class_is_source", "classes_told_by_source", "legend", "trust"),
    }


def test_an_empty_evaluation_can_be_written() -> None:
    empty = score(collect(Oracle(), [], SETTING))
    assert json.dumps(evaluation_to_json(empty), allow_nan=False)
    assert "\N{EM DASH}[1]" in evaluation_to_markdown(empty)


def test_the_tables_say_whether_the_network_copies() -> None:
    assert "Reconstruction, whether it copies" in evaluation_to_markdown(evaluated())


def test_markdown_says_what_was_evaluated_and_what_for() -> None:
    text = evaluation_to_markdown(evaluated())
    for part in ("tetract evaluate run --split test", "sha256:ab12", "W_NO_PATIENT_IDS", "Split"):
        assert part in text
    assert "Research use only" in text


def test_markdown_shows_support_beside_each_figure_and_a_note_for_each_dash() -> None:
    text = evaluation_to_markdown(evaluated())
    assert "| overall | 1.000 (4 / 2 +1?) |" in text
    assert "[2] no annotated slices" in text
    for word in ("nan", "inf ", "None"):
        assert word not in text


def test_every_row_of_a_table_has_every_column() -> None:
    for table in evaluation_to_json(evaluated())["tables"]:
        assert {len(row) for row in table["rows"]} == {len(table["columns"])}
