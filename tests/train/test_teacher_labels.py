"""From answers written by hand to exactly these pseudo-labels."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError
from teacher_cases import (
    BARE,
    COVID,
    INFECTION_BOX,
    LUNG_MASK,
    NODULE,
    NODULE_BOX,
    NODULE_MASK,
    NORMAL,
    PLACE,
    RELATIONS,
    SURE_BOX,
    clear,
    labels,
    nodule_map,
    said,
    without,
)

from makers import make_batch, make_boxes
from tetract.train.teacher import Teacher, TeacherConfig, what_is_skipped
from tetract.types import Task
from tetract.types.batch import Batch
from tetract.types.predictions import Predictions

C, S, R, D = Task
NONE_AT_ALL = said((0.95, 0.03, 0.02), clear(), ())


def taught(batch: Batch | None) -> set[Task]:
    if batch is None:
        return set()
    return {task for task in Task if len(batch.rows(task))}


def known_class(*candidates: int) -> Batch:
    return make_batch(rows=1, label={0: list(candidates)}, reconstruct=False)


def test_what_mask_box_and_class_agree_on_becomes_mask_and_box() -> None:
    made = labels(said())
    assert made is not None
    assert taught(made) == {S, D}
    assert made.masks_annotated.tolist() == [[False, True]]
    assert torch.equal(made.masks[0, NODULE_MASK], nodule_map() > 0.9)
    assert made.masks_unknown is not None
    assert torch.equal(made.masks_unknown[0, NODULE_MASK], nodule_map() == 0.5)
    (boxes,) = made.boxes
    assert boxes is not None
    assert boxes.xyxy.tolist() == [list(PLACE)]
    assert boxes.labels.tolist() == [NODULE_BOX]
    assert boxes.masks is None


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        (said(nodule=nodule_map(0.8)), set[Task]()),  # the mask is not sure
        (said(boxes=((PLACE, 0.7, NODULE_BOX),)), {S}),  # the box is not sure, nor ruled out
        (said(boxes=()), set[Task]()),  # no box at all
        (said(boxes=((PLACE, 0.95, INFECTION_BOX),)), {D}),  # another lesion's box
        (said(boxes=(((30, 30, 40, 40), 0.95, NODULE_BOX),)), set[Task]()),  # elsewhere
        (said((0.95, 0.03, 0.02)), set[Task]()),  # the slice is free of lesions
        (said((0.45, 0.5, 0.05)), set[Task]()),  # the nodule's class is ruled out
        (said((0.02, 0.03, 0.95)), {C, S, D}),
    ],
)
def test_one_task_that_disagrees_is_enough(answer: Predictions, left: set[Task]) -> None:
    assert taught(labels(answer)) == left


@pytest.mark.parametrize(
    "answer",
    [
        said((0.7, 0.2, 0.1), clear(), ()),
        said((0.95, 0.03, 0.02), clear(0.2), ()),
        said((0.95, 0.03, 0.02), clear(), ((PLACE, 0.2, NODULE_BOX),)),
    ],
)
def test_a_slice_is_empty_only_where_all_three_say_so(answer: Predictions) -> None:
    empty = labels(NONE_AT_ALL)
    assert empty is not None
    assert taught(empty) == {C, S, D}
    assert not empty.masks.any()
    assert empty.boxes[0] is not None
    assert empty.boxes[0].annotated.tolist() == [True, True]
    assert len(empty.boxes[0].xyxy) == 0
    assert not taught(labels(answer)) & {S, D}


def test_one_task_alone_calls_nothing_empty() -> None:
    assert labels(without(NONE_AT_ALL, C, S)) is None
    assert labels(without(NONE_AT_ALL, C, D)) is None
    assert taught(labels(without(NONE_AT_ALL, C))) == {S}  # nothing confirms "no infection"


def test_the_rest_of_a_slice_is_free_only_where_every_lesion_is_settled() -> None:
    open_one = labels(said())
    sure = nodule_map()
    sure[sure == 0.5] = 0.02
    settled = labels(said(nodule=sure, boxes=(SURE_BOX, ((40, 40, 50, 50), 0.95, INFECTION_BOX))))
    assert open_one is not None
    assert settled is not None
    assert open_one.boxes[0] is not None
    assert not open_one.boxes[0].annotated.any()
    assert settled.boxes[0] is not None
    assert settled.boxes[0].annotated.all()


def test_what_was_looked_for_is_never_overwritten() -> None:
    boxes = make_boxes((40, 40, 50, 50), masks=False)
    full = make_batch(
        rows=1, label={0: [NODULE]}, masks={0: [0, 1]}, boxes={0: boxes}, reconstruct=False
    )
    assert labels(said((0.02, 0.03, 0.95)), full) is None
    lungs_only = make_batch(rows=1, masks={0: [LUNG_MASK]}, reconstruct=False)
    made = labels(said(lung=clear(0.95)), lungs_only)
    assert made is not None
    assert made.masks_annotated.tolist() == [[False, True]]
    boxed = make_batch(rows=1, boxes={0: boxes}, reconstruct=False)
    assert taught(labels(said(), boxed)) == set()  # the measured box lies elsewhere


def test_measured_labels_take_part_in_the_agreement() -> None:
    assert taught(labels(said((0.6, 0.2, 0.2)), known_class(NORMAL))) == set()
    assert taught(labels(said((0.2, 0.6, 0.2)), known_class(NORMAL, COVID))) == set()
    assert taught(labels(said((0.2, 0.2, 0.6)), known_class(NODULE))) == {S, D}
    here = make_batch(rows=1, boxes={0: make_boxes(PLACE, masks=False)}, reconstruct=False)
    assert taught(labels(said(boxes=()), here)) == {S}


def test_a_row_whose_class_the_teacher_misreads_gets_nothing() -> None:
    teacher = Teacher(TeacherConfig(weight=1.0), RELATIONS)
    made, counts = teacher.read(known_class(COVID, NODULE), said((0.6, 0.1, 0.3)), [0])
    assert made is None
    assert (counts["asked"], counts["misread"]) == (1, 1)


@pytest.mark.parametrize(
    ("classes", "candidates", "left"),
    [
        ((0.02, 0.95, 0.03), (0, 1, 2), [False, True, False]),
        ((0.05, 0.5, 0.45), (0, 1, 2), [False, True, True]),
        ((0.3, 0.4, 0.3), (0, 1, 2), None),
        ((0.4, 0.57, 0.03), (1, 2), [False, True, False]),  # 0.95 of what is left
        ((0.02, 0.6, 0.38), (1, 2), None),
        ((0.02, 0.95, 0.03), (1,), None),
    ],
)
def test_candidate_classes_only_narrow(
    classes: tuple[float, ...], candidates: tuple[int, ...], left: list[bool] | None
) -> None:
    known = BARE if len(candidates) == 3 else known_class(*candidates)
    made = labels(said(classes, clear(0.5), ()), known)
    assert (None if made is None else made.label[0].tolist()) == left


def test_a_class_is_not_taught_against_what_is_seen() -> None:
    nodule = (0.02, 0.03, 0.95)
    assert C not in taught(labels(said(nodule, clear(), ())))  # a nodule that nothing shows
    assert C not in taught(labels(said((0.03, 0.95, 0.02))))  # a nodule is seen
    assert C not in taught(labels(said((0.95, 0.03, 0.02), clear(0.3), ())))
    assert C in taught(labels(without(said((0.95, 0.03, 0.02)), S, D)))


def test_lungs_need_no_witness_and_are_never_empty() -> None:
    made = labels(said(lung=nodule_map(), nodule=clear(0.5), boxes=()))
    assert made is not None
    assert made.masks_annotated.tolist() == [[True, False]]
    assert labels(said(lung=clear(), nodule=clear(0.5), boxes=())) is None


def test_thresholds_can_be_a_class_own() -> None:
    answer = said(nodule=nodule_map(0.8), boxes=((PLACE, 0.8, NODULE_BOX),))
    assert labels(answer) is None
    assert taught(labels(answer, per_class={"nodule": (0.1, 0.75)})) == {S, D}


@pytest.mark.parametrize("gone", [(C,), (S,), (D,), (C, S), (C, D), (S, D)])
def test_rules_that_need_an_absent_task_are_skipped(gone: tuple[Task, ...]) -> None:
    answer = said((0.02, 0.03, 0.95))
    assert taught(labels(without(answer, *gone))) == {C, S, D} - set(gone)


def test_who_stands_alone_is_told() -> None:
    assert what_is_skipped(RELATIONS) == ()
    (line,) = what_is_skipped(replace(RELATIONS, free={"s": None}))
    assert line.startswith("W_TEACHER_ALONE infection: only its boxes")


def test_only_rows_that_lack_something_are_asked() -> None:
    batch = make_batch(
        label={0: [0], 1: [0, 1], 2: [1], 3: [1]},
        masks={row: [0, 1] if row < 3 else [0] for row in range(4)},
        boxes={row: make_boxes(masks=False) for row in range(4) if row != 2},
    )
    asked = Teacher(TeacherConfig(weight=1.0), RELATIONS).asked(batch)
    assert asked.tolist() == [1, 2, 3]


def test_the_weight_begins_late_and_rises() -> None:
    teacher = Teacher(TeacherConfig(weight=2.0, start=0.3, ramp=0.2), RELATIONS)
    assert teacher.weight(29, 100) == 0.0
    assert teacher.weight(30, 100) == pytest.approx(2.0 * 0.0067379, rel=1e-4)  # exp(-5)
    assert teacher.weight(40, 100) == pytest.approx(2.0 * 0.2865048, rel=1e-4)  # exp(-5 / 4)
    assert teacher.weight(50, 100) == teacher.weight(99, 100) == 2.0


@pytest.mark.parametrize("bad", [{"lesion": 0.05}, {"per_class": {"nodule": (0.1, 0.4)}}])
def test_bounds_that_cross_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="background < lesion"):
        TeacherConfig.model_validate(bad)
