"""What a reproduction sets out to do, before anything is trained."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from reproduce_cases import TINY, tiny_basis, where_in

from recipe_cases import write_cohort
from tetract.data import Split, open_dataset
from tetract.errors import InputError, MachineError
from tetract.model.known_weights import KNOWN_WEIGHTS
from tetract.recipe.checks import fill_names
from tetract.reproduce.basis import Basis, read_basis
from tetract.reproduce.estimate import guess, total_seconds
from tetract.reproduce.parts.all import all_parts, choose
from tetract.reproduce.place import (
    check_free,
    check_room,
    claim,
    data_hash,
    own_data,
    write_left_out,
)
from tetract.reproduce.plan import Plan, make_plan
from tetract.reproduce.profile import CPU, GPU, PROFILES, SMOKE, Profile
from tetract.reproduce.recipes import run_name
from tetract.reproduce.whole import prepare
from tetract.train.teacher import TeacherConfig


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("plan") / "phantom")


@pytest.fixture(scope="module")
def basis(cohort: Path) -> Basis:
    return read_basis(TINY, open_dataset(cohort))


def planned(basis: Basis, cohort: Path, *only: str, out: Path = Path("out")) -> Plan:
    parts = choose(all_parts(basis), only)
    return make_plan(parts, basis, where_in(out, cohort, basis))


def test_the_same_run_of_two_tables_is_trained_once(basis: Basis, cohort: Path) -> None:
    alone = planned(basis, cohort, "T1")
    together = planned(basis, cohort, "T1", "T2", "F3", "F4")
    assert set(together.runs) == set(alone.runs)
    assert len(alone.runs) == 2 * 10 * 2


def test_an_arm_gets_its_headline_seeds_in_whatever_table_it_is_first(
    basis: Basis, cohort: Path
) -> None:
    plan = planned(basis, cohort, "A2", "A3")
    assert len(plan.of_arm["CSRD resnet18"]) == TINY.headline_seeds
    assert len(plan.of_arm["CSRD resnet18, live BatchNorm"]) == TINY.seeds


def test_a_run_stands_behind_the_one_it_starts_from(basis: Basis, cohort: Path) -> None:
    names = list((plan := planned(basis, cohort, "F2")).runs)
    started = [run for run in plan.runs.values() if run.start is not None]
    assert len(started) == 6
    for run in started:
        assert names.index(str(run.start)) < names.index(run.name)
        assert run.recipe.run.init_from == Path("out/runs") / str(run.start) / "last"


def test_a_run_has_the_same_name_wherever_it_lies(basis: Basis, cohort: Path) -> None:
    here = planned(basis, cohort, out=Path("/here"))
    assert list(here.runs) == list(planned(basis, cohort, out=Path("/there")).runs)


def test_twins_see_as_many_slices_as_the_joint_model_in_all_or_each(basis: Basis) -> None:
    part = next(one for one in all_parts(basis) if one.key == "M1")
    joint = TINY.sizes["long"].steps
    steps = {arm.name: arm.changes.get("run.steps", joint) for arm in part.arms}
    assert {arm.size for arm in part.arms} == {"long"}
    for pair in (one for one in part.pairs if "single tasks" in one.label):
        each = {steps[name] for name in pair.baseline}
        assert each == ({max(1, joint // 4)} if "in all" in pair.label else {joint})


def test_the_table_of_published_weights_is_left_out_and_said_where_they_are_absent(
    basis: Basis, cohort: Path
) -> None:
    here, there = (replace(basis, weights=names) for names in ((), ("lite0",)))
    absent = planned(here, cohort, "M1", "M2")
    assert [part.key for part in absent.parts] == ["M1"]
    assert any("M2" in line and "lite0" in line for line in absent.left_out)
    part = planned(there, cohort, "M2").parts[0]
    assert all(arm.changes["encoder.weights"] == "lite0" for arm in part.arms[:9])


def test_one_name_of_an_arm_means_one_experiment(basis: Basis) -> None:
    arms = [replace(arm, headline=False) for part in all_parts(basis) for arm in part.arms]
    by_name = {arm.name: arm for arm in arms}
    assert all(by_name[arm.name] == arm for arm in arms)


def test_pairs_and_charts_name_arms_of_their_own_table(basis: Basis) -> None:
    for part in all_parts(basis):
        known = {arm.name for arm in part.arms}
        assert {n for pair in part.pairs for n in (*pair.baseline, *pair.arm)} <= known
        assert {arm for chart in part.charts for _, arm, _ in chart.lines} <= known


@pytest.mark.parametrize("profile", [SMOKE, CPU, GPU], ids=lambda one: one.name)
def test_every_recipe_of_a_profile_can_be_built(profile: Profile, cohort: Path) -> None:
    folder = open_dataset(cohort)
    basis = read_basis(profile, folder)
    plan = make_plan(all_parts(basis), basis, where_in(Path("out"), cohort, basis), seeds=1)
    assert len(plan.runs) > 80
    for run in plan.runs.values():
        fill_names(run.recipe, folder.card)


def test_the_letter_a_picks_every_ablation_and_nothing_else(basis: Basis) -> None:
    chosen = choose(all_parts(basis), ["a"])
    assert {part.key[0] for part in chosen} == {"A"}
    assert len(chosen) > 5


def test_an_unknown_table_is_refused_with_those_there_are(basis: Basis) -> None:
    with pytest.raises(InputError, match=r"E_NO_TABLE.*T1, T2, T3, F2.*found T9"):
        choose(all_parts(basis), ["T1", "T9"])


def test_a_table_without_labels_is_left_out_and_said(basis: Basis, cohort: Path) -> None:
    bare = replace(basis, taught=frozenset("SR"))
    plan = planned(bare, cohort, "T1", "F3", "T3", "L1")
    assert {part.key for part in plan.parts} == {"T1", "T3"}
    assert all(set(run.letters) <= set("SR") for run in plan.runs.values())
    told = "\n".join(plan.left_out)
    assert "F3 The DR loss in its parts: left out, no training row is labelled for D" in told


def test_a_source_left_out_is_tested_on_whole_and_never_trained_on(
    basis: Basis, cohort: Path, tmp_path: Path
) -> None:
    plan = planned(basis, cohort, "L1", out=tmp_path)
    folder, where = open_dataset(cohort), where_in(tmp_path, cohort, basis)
    write_left_out(where, folder, list(plan.runs.values()))
    source = basis.left[0].source
    kept = open_dataset(where.data[source])
    mine = {row.split for row in kept.rows if row.source == source}
    others = {row.split for row in kept.rows if row.source != source}
    assert mine == {Split.TEST}
    assert Split.TEST not in others
    assert Split.TRAIN in others
    assert where.hashes[source] == data_hash(kept) != where.hashes[None]


def test_what_may_help_on_an_unseen_source_is_compared_on_that_source(
    basis: Basis, cohort: Path
) -> None:
    plan = planned(basis, cohort, "L1")
    (part,) = plan.parts
    assert len(part.pairs) == 4
    for pair in part.pairs:
        one, other = (plan.runs[plan.of_arm[n][0]] for n in (*pair.baseline, *pair.arm))
        assert one.name != other.name, pair.label
        assert one.without == other.without == part.source


def test_the_folder_of_another_plan_is_refused(cohort: Path, tmp_path: Path) -> None:
    claim(tmp_path / "out", SMOKE, open_dataset(cohort))
    claim(tmp_path / "out", SMOKE, open_dataset(cohort))
    with pytest.raises(
        InputError, match=r"E_OTHER_PLAN.*expected profile cpu.*found profile smoke"
    ):
        claim(tmp_path / "out", CPU, open_dataset(cohort))


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match="E_OUT_NOT_EMPTY"):
        check_free(tmp_path)


def test_a_disk_without_room_is_refused_before_the_first_run(
    basis: Basis, cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(basis, cohort, "T1")
    usage = SimpleNamespace(free=10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(MachineError, match=r"E_DISK_FULL.*GB free"):
        check_room(tmp_path, plan, list(plan.runs.values()), jobs=2)


def test_only_smoke_draws_its_own_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"E_DATA_NEEDED.*--data"):
        own_data(tmp_path, CPU, None)


def test_an_unknown_profile_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"E_NO_PROFILE.*{', '.join(PROFILES)}"):
        prepare("huge", tmp_path)


def test_the_plan_says_what_it_will_do_and_how_long(cohort: Path, tmp_path: Path) -> None:
    work = prepare("smoke", tmp_path / "out", data=cohort, only=["F3"], jobs=1)
    assert "F3  The DR loss in its parts: 2 runs, 2 to do" in work.as_text()
    assert "Estimate: about" in work.as_text()
    assert not (tmp_path / "out").exists()


def test_more_steps_pixels_tasks_and_runs_take_longer(basis: Basis, cohort: Path) -> None:
    plan = planned(basis, cohort, "T1")
    run = next(one for one in plan.runs.values() if one.letters == "C")
    longer = run.recipe.run.model_copy(update={"steps": 400})
    wider = run.recipe.data.model_copy(update={"image_px": 256})
    base = guess(run, plan)
    assert guess(replace(run, letters="CS"), plan) > base
    for changes in ({"run": longer}, {"data": wider}):
        recipe = run.recipe.model_copy(update=changes)
        assert guess(replace(run, recipe=recipe), plan) > base
    assert total_seconds([run, run], plan, jobs=2, threads=1) == pytest.approx(base)


def test_a_data_set_says_which_tasks_it_teaches(tmp_path: Path) -> None:
    basis = tiny_basis(tmp_path / "phantom")
    assert basis.taught == frozenset("CSRD")
    assert len(basis.left) == len({one.source for one in basis.left}) > 1


def test_few_labels_are_the_same_few_for_the_single_task_and_for_all(
    basis: Basis, cohort: Path
) -> None:
    plan = planned(basis, cohort, "A6")
    (part,) = plan.parts
    assert len(part.pairs) == 3 * 2  # half of the labels, and all of them
    for pair in part.pairs:
        alone, joint = (plan.runs[plan.of_arm[n][0]] for n in (*pair.baseline, *pair.arm))
        assert alone.recipe.data.label_share == joint.recipe.data.label_share
        assert (len(alone.letters), joint.letters) == (1, "CSRD")


def test_our_own_tables_start_from_published_weights_where_wanted_and_there(basis: Basis) -> None:
    for profile, weights, encoder in (
        (CPU, ("lite0",), "tu-tf_efficientnet_lite0"),
        (CPU, (), "resnet18"),
        (SMOKE, ("lite0",), "resnet18"),
    ):
        here = replace(basis, profile=profile, weights=weights)
        (part,) = choose(all_parts(here), ["A17"])
        assert {arm.encoder for arm in part.arms} == {encoder}


def test_every_ablation_turns_something_that_the_default_has_another_way(
    basis: Basis, cohort: Path
) -> None:
    plan = planned(basis, cohort, "A")
    for part in plan.parts:
        for pair in part.pairs:
            one, other = (plan.runs[plan.of_arm[n][0]] for n in (*pair.baseline, *pair.arm))
            assert one.name != other.name, pair.label


def test_windows_cost_a_step_as_much_as_the_whole_slice(basis: Basis, cohort: Path) -> None:
    plan = planned(basis, cohort, "A18")
    default, windows = (
        plan.runs[names[0]].recipe.data
        for names in (plan.of_arm[a.name] for a in plan.parts[0].arms)
    )
    assert windows.crop_px == default.image_px
    assert windows.image_px == 2 * default.image_px


def test_what_is_off_renames_no_run(basis: Basis, cohort: Path) -> None:
    run = next(iter(planned(basis, cohort, "M1").runs.values()))
    names = [
        run_name(
            run.recipe.model_copy(update={"teacher": TeacherConfig(weight=weight, start=start)}),
            run.letters,
            data="d",
            start=None,
        )
        for weight, start in ((0.0, 0.1), (0.0, 0.5), (1.0, 0.1), (1.0, 0.5))
    ]
    assert names[0] == names[1]
    assert len(set(names)) == 3


def test_published_weights_are_tried_where_they_are_and_missed_aloud_where_not(
    basis: Basis, cohort: Path
) -> None:
    some = replace(basis, weights=("imagenet", "hed"))
    plan = planned(some, cohort, "A4")
    tried = {run.recipe.encoder.weights: run.recipe.encoder.name for run in plan.runs.values()}
    assert tried == {None: "vgg13", "imagenet": "resnet18", "hed": "vgg13"}
    (line,) = plan.left_out
    assert "A4" in line
    assert "astra, lite0" in line
    assert not planned(replace(basis, weights=tuple(KNOWN_WEIGHTS)), cohort, "A4").left_out
