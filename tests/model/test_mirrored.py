"""Each slice and its mirror image, one answer."""

from __future__ import annotations

import pytest
import torch

from joint_cases import small_network
from makers import make_batch
from tetract.model import Mirrored
from tetract.tasks.detection.fuse import fuse_boxes, mirror_boxes
from tetract.types import Task
from tetract.types.predictions import DetectedBoxes


def boxes(*rows: tuple[float, float, float, float, float, int]) -> DetectedBoxes:
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 6)
    masks = torch.zeros(len(rows), 8, 16)
    for mask, row in zip(masks, rows, strict=True):
        mask[int(row[1]) : int(row[3]), int(row[0]) : int(row[2])] = 1.0
    return DetectedBoxes(
        xyxy=table[:, :4], scores=table[:, 4], labels=table[:, 5].long(), masks=masks
    )


def test_a_mirrored_box_is_the_box_of_the_mirrored_mask() -> None:
    mirrored = mirror_boxes(boxes((2, 1, 5, 4, 0.9, 0)), 16)
    assert mirrored.xyxy.tolist() == [[11, 1, 14, 4]]
    assert mirrored.masks[0].nonzero().amin(dim=0).tolist() == [1, 11]
    assert mirrored.masks[0].nonzero().amax(dim=0).tolist() == [3, 13]


def test_overlapping_boxes_become_their_mean_weighted_by_score() -> None:
    fused = fuse_boxes(
        [boxes((0, 0, 10, 8, 0.9, 0)), boxes((2, 0, 12, 8, 0.3, 0))], keep=5
    )  # IoU 8 / 12
    # (0.9 * 0 + 0.3 * 2) / 1.2 = 0.5; the score is the mean of both views
    assert fused.xyxy[0].tolist() == pytest.approx([0.5, 0, 10.5, 8])
    assert float(fused.scores[0]) == pytest.approx(0.6)
    assert float(fused.masks[0, 0, 1]) == pytest.approx(0.75)


def test_what_one_view_alone_shows_keeps_half_its_score() -> None:
    one = boxes((0, 0, 4, 4, 0.8, 0), (8, 0, 12, 4, 0.2, 0))
    other = boxes((0, 0, 4, 4, 0.6, 1))
    fused = fuse_boxes([one, other], keep=2)
    # The same place under another label is another lesion; the third is one too many.
    assert fused.scores.tolist() == pytest.approx([0.4, 0.3])
    assert fused.labels.tolist() == [0, 1]


def test_views_without_a_box_have_none() -> None:
    assert len(fuse_boxes([boxes(), boxes()], keep=3).scores) == 0


def test_the_answer_is_the_mean_of_both_views_for_every_task() -> None:
    network = small_network().eval()
    image = make_batch(rows=2).image
    plain, other = network.predict(image), network.predict(image.flip(-1))
    said = Mirrored(network).predict(image)
    assert torch.equal(
        said.class_probabilities, (plain.class_probabilities + other.class_probabilities) / 2
    )
    for name in ("mask_probabilities", "reconstruction"):
        mean = (getattr(plain, name) + getattr(other, name).flip(-1)) / 2
        assert torch.equal(getattr(said, name), mean)
    assert len(said.boxes) == 2


def test_a_mirrored_slice_is_answered_with_the_mirrored_answer() -> None:
    predictor = Mirrored(small_network(Task.SEGMENTATION, Task.DETECTION).eval())
    image = make_batch(rows=1).image
    one, two = predictor.predict(image), predictor.predict(image.flip(-1))
    torch.testing.assert_close(one.mask_probabilities, two.mask_probabilities.flip(-1))
    back = mirror_boxes(two.boxes[0], 64)
    torch.testing.assert_close(one.boxes[0].scores.sum(), back.scores.sum())


def test_only_the_tasks_asked_for_are_answered() -> None:
    said = Mirrored(small_network().eval()).predict(make_batch(rows=1).image, (Task.SEGMENTATION,))
    assert said.mask_probabilities is not None
    assert (said.class_probabilities, said.reconstruction, said.boxes) == (None, None, None)
