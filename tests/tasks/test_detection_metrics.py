from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identities import somebody
from tetract.tasks.detection.froc import Detections, box_iou, froc_curve
from tetract.tasks.detection.metrics import AP_IOUS, DetectionRow, score_detection

NAMES = ("nodule", "infection")
Box = tuple[float, float, float, float]
HERE, THERE, NOWHERE = (0.0, 0.0, 10.0, 10.0), (20.0, 20.0, 30.0, 30.0), (50.0, 50.0, 60.0, 60.0)


def row(
    said: Sequence[tuple[Box, float, int]] = (),
    true: Sequence[tuple[Box, int]] = (),
    annotated: Sequence[int] = (1, 1),
    patient: str = "p",
) -> DetectionRow:
    return DetectionRow(
        xyxy=np.array([box for box, _, _ in said], dtype=np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, _ in said], dtype=np.float32),
        labels=np.array([label for _, _, label in said], dtype=np.int64),
        truth_xyxy=np.array([box for box, _ in true], dtype=np.float32).reshape(-1, 4),
        truth_labels=np.array([label for _, label in true], dtype=np.int64),
        annotated=np.array(annotated, dtype=np.bool_),
        identity=somebody(patient),
    )


def aps(rows: Sequence[DetectionRow]) -> list[float | None]:
    one = score_detection(rows, NAMES).any_lesion
    return [one.ap_10.value, one.ap_30.value, one.ap_50.value]


def test_perfect_boxes_score_one() -> None:
    rows = [row([(HERE, 0.9, 0), (THERE, 0.8, 1)], [(HERE, 0), (THERE, 1)]), row()]
    one = score_detection(rows, NAMES).any_lesion
    assert aps(rows) == pytest.approx([1.0, 1.0, 1.0])
    assert one.sensitivity_1fp.value == 1.0
    assert (one.lesions, one.support.slices) == (2, 2)


def test_no_boxes_score_zero_where_there_are_lesions() -> None:
    rows = [row([], [(HERE, 0)])]
    assert aps(rows) == [0.0, 0.0, 0.0]
    assert score_detection(rows, NAMES).any_lesion.sensitivity_1fp.value == 0.0


def test_one_of_two_found_behind_a_false_positive() -> None:
    rows = [row([(NOWHERE, 0.9, 0), (HERE, 0.8, 0)], [(HERE, 0), (THERE, 0)])]
    # Precision 1/2 at recall 1/2: it holds for the recall levels 0, 0.01 ... 0.5, 51 of 101.
    assert aps(rows) == pytest.approx([0.5 * 51 / 101] * 3)


def test_overlap_decides_at_which_threshold_a_box_counts() -> None:
    shifted = (0.0, 0.0, 10.0, 4.0)  # IoU 0.4
    assert aps([row([(shifted, 0.9, 0)], [(HERE, 0)])]) == pytest.approx([1.0, 1.0, 0.0])


def test_a_second_box_on_one_lesion_is_a_false_positive() -> None:
    rows = [row([(HERE, 0.9, 0), (HERE, 0.8, 0), (THERE, 0.7, 0)], [(HERE, 0), (THERE, 0)])]
    curve = score_detection(rows, NAMES).any_lesion.froc
    assert curve is not None
    assert curve.false_positives.tolist() == [0, 0, 1, 1]
    assert curve.sensitivity.tolist() == [0, 0.5, 0.5, 1]


def test_only_annotated_slices_count_for_a_lesion() -> None:
    blind = row([(NOWHERE, 0.9, 0), (NOWHERE, 0.9, 1)], [], annotated=(0, 1))
    scores = score_detection([row([(HERE, 0.5, 0)], [(HERE, 0)], annotated=(1, 0)), blind], NAMES)
    assert scores.classes[0].ap_50.value == pytest.approx(1.0)
    assert scores.classes[0].support.slices == 1


def test_any_lesion_reads_only_what_each_slice_was_annotated_for() -> None:
    with_other = row([(HERE, 0.5, 0), (NOWHERE, 0.9, 1)], [(HERE, 0)], annotated=(1, 0))
    assert aps([with_other]) == pytest.approx([1.0, 1.0, 1.0])


def test_the_wrong_name_on_the_right_place_counts_only_as_any_lesion() -> None:
    scores = score_detection([row([(HERE, 0.9, 1)], [(HERE, 0)])], NAMES)
    assert scores.any_lesion.ap_50.value == pytest.approx(1.0)
    assert scores.classes[0].ap_50.value == 0.0
    assert scores.classes[1].ap_50.value is None


def test_without_lesions_nothing_is_defined_and_it_says_so() -> None:
    one = score_detection([row([(HERE, 0.9, 0)])], NAMES).any_lesion
    assert one.ap_10.value is one.sensitivity_1fp.value is one.froc is None
    assert one.ap_30.reason == "no reference lesions"
    assert one.support.slices == 1


def test_without_slices_nothing_is_defined_and_it_says_so() -> None:
    one = score_detection([], NAMES).any_lesion
    assert (one.ap_50.value, one.ap_50.reason) == (None, "no annotated slices")


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    score_detection([row([(HERE, 0.9, 0)], [(HERE, 0)])], NAMES)
    assert capfd.readouterr() == ("", "")


def test_iou_of_half_open_boxes() -> None:
    boxes = np.array([HERE, (5, 0, 15, 10)], dtype=np.float32)
    assert box_iou(boxes, boxes) == pytest.approx(np.array([[1, 1 / 3], [1 / 3, 1]]))


def detections(scores: Sequence[float], hits: Sequence[bool], lesions: int) -> Detections:
    """Far-apart lesions; each hit lies exactly on one of its own."""
    truth = np.array([(i * 20, 0, i * 20 + 5, 5) for i in range(lesions)], dtype=np.float32)
    free = iter(range(lesions))
    places = [(next(free) * 20, 0) if hit else (1000 + 20 * i, 0) for i, hit in enumerate(hits)]
    boxes = np.array([(x, y, x + 5, y + 5) for x, y in places], dtype=np.float32)
    return Detections(
        xyxy=boxes.reshape(-1, 4),
        scores=np.array(scores, dtype=np.float32),
        truth=truth.reshape(-1, 4),
    )


def test_froc_is_linear_between_points() -> None:
    curve = froc_curve([detections([0.5] * 3, [True, False, False], 1)], iou=0.3)
    assert curve is not None
    assert curve.at(1.0) == pytest.approx(0.5)


def test_froc_past_its_end_stays_at_what_was_found() -> None:
    curve = froc_curve([detections([0.9, 0.5], [True, False], 2)] * 4, iou=0.3)
    assert curve is not None
    assert curve.at(8.0) == 0.5


def test_froc_at_a_jump_takes_the_upper_end() -> None:
    curve = froc_curve([detections([0.9, 0.5], [False, True], 1)], iou=0.3)
    assert curve is not None
    assert (curve.at(0.999), curve.at(1.0)) == (0.0, 1.0)


SLICES = st.lists(
    st.tuples(st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=5), st.integers(0, 2)),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(SLICES)
def test_froc_agrees_with_counting_at_each_threshold(
    slices: list[tuple[list[tuple[int, bool]], int]],
) -> None:
    rows, pairs, lesions = [], [], 0
    for boxes, spare in slices:
        here = sum(hit for _, hit in boxes) + spare
        rows.append(detections([s / 8 for s, _ in boxes], [hit for _, hit in boxes], here))
        pairs += boxes
        lesions += here
    curve = froc_curve(rows, iou=0.3)
    if lesions == 0:
        assert curve is None
        return
    assert curve is not None
    for threshold in range(1, 7):
        kept = [hit for score, hit in pairs if score >= threshold]
        rate = kept.count(False) / len(rows)
        # Several thresholds may share a rate; the curve then shows the loosest.
        best = max(
            sum(h for s, h in pairs if s >= t)
            for t in range(1, 7)
            if [h for s, h in pairs if s >= t].count(False) == kept.count(False)
        )
        assert curve.at(rate) == pytest.approx(best / lesions)


def plain_ap(rows: Sequence[Detections], iou: float) -> float:
    """Average precision written down from its definition, for at most a hundred boxes."""
    judged: list[tuple[float, bool]] = []
    for one in rows:
        free = set(range(len(one.truth)))
        for i in sorted(range(len(one.scores)), key=lambda i: -one.scores[i]):
            overlaps = {t: box_iou(one.xyxy[[i]], one.truth[[t]])[0, 0] for t in free}
            best = max(overlaps, key=lambda t: (overlaps[t], t), default=None)
            hit = best is not None and overlaps[best] >= iou
            free -= {best} if hit else set()
            judged.append((float(one.scores[i]), bool(hit)))
    judged.sort(key=lambda pair: -pair[0])
    hits = np.cumsum([hit for _, hit in judged])
    lesions = sum(len(one.truth) for one in rows)
    recall, precision = hits / lesions, hits / np.arange(1, len(judged) + 1)
    levels = np.linspace(0, 1, 101)
    return float(np.mean([precision[recall >= r].max(initial=0.0) for r in levels]))


def random_rows(seed: int) -> list[DetectionRow]:
    random = np.random.default_rng(seed)

    def boxes(count: int) -> list[Box]:
        corner, side = random.integers(0, 20, (count, 2)), random.integers(3, 12, (count, 2))
        return [tuple(map(float, box)) for box in np.concatenate([corner, corner + side], axis=1)]

    return [
        row(
            [(box, float(random.random()), 0) for box in boxes(int(random.integers(0, 6)))],
            [(box, 0) for box in boxes(int(random.integers(0, 4)))],
        )
        for _ in range(5)
    ]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_average_precision_matches_its_definition(seed: int) -> None:
    rows = random_rows(seed)
    bare = [Detections(xyxy=r.xyxy, scores=r.scores, truth=r.truth_xyxy) for r in rows]
    if not any(len(one.truth) for one in bare) or not any(len(one.scores) for one in bare):
        return
    assert aps(rows) == pytest.approx([plain_ap(bare, iou) for iou in AP_IOUS], abs=1e-6)
