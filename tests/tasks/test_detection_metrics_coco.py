"""Average precision against pycocotools."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
import pytest
from detection_cases import HERE, boxes, random_row, row
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tetract.tasks.detection.metrics import DetectionRow, score_detection

LOW_IOUS = [0.1, 0.2, 0.3, 0.4]


def by_pycocotools(rows: Sequence[DetectionRow]) -> list[float]:
    """AP at 0.1 to 0.5, then COCO's; there must be a lesion and a predicted box."""
    with redirect_stdout(StringIO()):
        truth = coco([one.truth_xyxy for one in rows], None)
        said = coco([one.xyxy for one in rows], [one.scores for one in rows])
        judge: Any = COCOeval(truth, said, "bbox")
        own = judge.params.iouThrs
        judge.params.iouThrs = np.array([*LOW_IOUS, *own])
        judge.params.maxDets = [100]
        judge.params.areaRng = [[0.0, float("inf")]]
        judge.params.areaRngLbl = ["all"]
        judge.evaluate()
        judge.accumulate()
    each = judge.eval["precision"][:, :, 0, 0, 0].mean(axis=1)
    assert len(own) == 10
    return [*each[:5].tolist(), float(each[4:].mean())]


def coco(
    images: Sequence[np.ndarray[Any, Any]], scores: Sequence[np.ndarray[Any, Any]] | None
) -> COCO:
    annotations: list[dict[str, Any]] = []
    for image, there in enumerate(images):
        for index, (x0, y0, x1, y1) in enumerate(there.astype(np.float64).tolist()):
            size = {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0)}
            said = {} if scores is None else {"score": float(scores[image][index])}
            # From 1: pycocotools reads a match with annotation 0 as no match.
            ids = {"id": len(annotations) + 1, "image_id": image, "category_id": 1, "iscrowd": 0}
            annotations.append({**ids, **size, **said})
    table: Any = COCO()
    table.dataset = {
        "images": [{"id": image} for image in range(len(images))],
        "categories": [{"id": 1}],
        "annotations": annotations,
    }
    table.createIndex()
    return table


def by_us(rows: Sequence[DetectionRow]) -> list[float | None]:
    one = score_detection(rows, ("nodule",)).any_lesion
    ours = [one.ap_10, one.ap_20, one.ap_30, one.ap_40, one.ap_50, one.ap_coco]
    return [figure.value for figure in ours]


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 10_000),
    st.lists(st.lists(st.integers(1, 4), max_size=6), min_size=1, max_size=6),
    st.booleans(),
)
def test_average_precision_is_that_of_pycocotools(
    seed: int, scores: list[list[int]], one_patient: bool
) -> None:
    random = np.random.default_rng(seed)
    # Quarters tie, within a slice and between slices.
    rows = [
        random_row(random, [score / 4 for score in said], "p" if one_patient else f"p{number}")
        for number, said in enumerate(scores)
    ]
    rows.append(row([(HERE, 0.5, 0)], [(HERE, 0)], [1]))
    assert by_us(rows) == pytest.approx(by_pycocotools(rows), abs=1e-9)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10_000))
def test_average_precision_is_that_of_pycocotools_off_the_grid(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = []
    for number in range(8):
        true = boxes(random, int(random.integers(0, 4)))
        # Within a pixel, so that no box is turned inside out.
        shifted = [tuple(np.array(box) + random.uniform(-1.2, 1.2, 4)) for box in true]
        said = [(box, random.random(), 0) for box in (*shifted, *boxes(random, 3))]
        rows.append(row(said, [(box, 0) for box in true], [1], f"p{number % 3}"))
    rows.append(row([], [(HERE, 0)], [1]))
    assert by_us(rows) == pytest.approx(by_pycocotools(rows), abs=1e-9)


def test_the_hundred_best_boxes_of_a_slice_count() -> None:
    random = np.random.default_rng(0)
    spots = zip(boxes(random, 150), random.random(150), strict=True)
    crowd = [(box, float(score), 0) for box, score in spots]
    rows = [row(crowd, [(box, 0) for box in boxes(random, 20)], [1]) for _ in range(2)]
    assert by_us(rows) == pytest.approx(by_pycocotools(rows), abs=1e-9)
    best = sorted(crowd, key=lambda said: -said[1])[:100]
    fewer = [row(best, [(tuple(box), 0) for box in one.truth_xyxy.tolist()], [1]) for one in rows]
    assert score_detection(rows, ("nodule",)).any_lesion.per_slice.cpm.value == (
        score_detection(fewer, ("nodule",)).any_lesion.per_slice.cpm.value
    )


def test_many_lesions_reach_the_recall_levels_that_rounding_allows() -> None:
    # 100 lesions: recall is k / 100 and some of numpy's 101 levels lie just above it.
    spots = [(20.0 * (i % 10), 20.0 * (i // 10)) for i in range(100)]
    places = [(x, y, x + 9, y + 9) for x, y in spots]
    said = [(box, 1 - i / 200, 0) for i, box in enumerate(places[:57])]
    rows = [row(said, [(box, 0) for box in places], [1])]
    assert by_us(rows) == pytest.approx(by_pycocotools(rows), abs=1e-9)
