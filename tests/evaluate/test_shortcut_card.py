"""The shortcut card's parts, on pictures whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tetract.evaluate.cards.blanking import blank_and_ask, lung_regions
from tetract.evaluate.cards.counterfactual import hide_lesions, painted_over
from tetract.evaluate.cards.look_alikes import are_alike, details
from tetract.evaluate.cards.regions import frame, healthy_place, lesion, middle
from tetract.evaluate.cards.source_probe import tell_from_features, tell_from_source
from tetract.types import Boxes, LabelSpace, MaskTarget, Targets, Task
from tetract.types.batch import Identity, Sample
from tetract.types.predictions import DetectedBoxes, Predictions
from tetract.types.resamples import AS_IS, draw_resamples
from tetract.types.targets import BoxTarget

SIZE = 64
SPACE = LabelSpace(classes=("sick", "normal"), mask_classes=("lung", "tumour"), box_classes=("t",))
SPOT = (slice(30, 36), slice(20, 26))


def sample(number: int, *, sick: bool, source: str = "A", corner: float = 0.0) -> Sample:
    """A slice with a lung; a sick one holds a bright spot in it."""
    image = np.full((1, SIZE, SIZE), 0.6, dtype=np.float32)
    masks = np.zeros((2, SIZE, SIZE), dtype=bool)
    masks[0, 16:48, 12:52] = True
    image[0, 16:48, 12:52] = 0.2
    masks[1][SPOT] = sick
    image[0][SPOT] = 0.9 if sick else 0.2
    image[0, :3, :3] = corner
    xyxy = np.array([[20, 30, 26, 36]] * sick, dtype=np.float32).reshape(-1, 4)
    boxes = Boxes(
        xyxy=xyxy, labels=np.zeros(len(xyxy), dtype=np.int64), masks=None, canvas=(SIZE, SIZE)
    )
    return Sample(
        image=image,
        targets=Targets(
            label=np.array([sick, not sick]),
            masks=MaskTarget(pixels=masks, annotated=np.array([True, True])),
            boxes=BoxTarget(boxes=boxes, annotated=np.array([True])),
        ),
        identity=Identity(
            row=number, patient=f"{number}", source=source, slice_index=0, spacing_mm=None
        ),
    )


class Reader:
    """Calls a slice sick, and boxes the spot, where it is bright at ``where``."""

    tasks = tuple(Task)

    def __init__(self, where: tuple[slice, slice]) -> None:
        self.where = where
        self.label_space = SPACE

    def predict(self, image: Tensor, tasks: tuple[Task, ...] | None = None) -> Predictions:  # noqa: ARG002  it says everything
        seen = image[:, 0][:, self.where[0], self.where[1]].mean(dim=(1, 2)).clamp(0, 1)
        boxes = tuple(
            DetectedBoxes(
                xyxy=torch.tensor([[20.0, 30.0, 26.0, 36.0]]),
                scores=one.reshape(1),
                labels=torch.tensor([0]),
                masks=torch.zeros(1, SIZE, SIZE),
            )
            for one in seen
        )
        return Predictions(
            class_probabilities=torch.stack([seen, 1 - seen], dim=1),
            mask_probabilities=torch.zeros(len(image), 2, SIZE, SIZE),
            reconstruction=torch.full_like(image, 0.2),
            boxes=boxes,
        )


HONEST, CHEAT = Reader(SPOT), Reader((slice(0, 3), slice(0, 3)))


def cases(count: int = 16) -> list[Sample]:
    """Half of them sick; a mark in the corner says so too."""
    return [sample(k, sick=k % 2 == 0, corner=0.9 * (k % 2 == 0)) for k in range(count)]


def test_a_class_read_in_the_lungs_is_lost_without_them() -> None:
    found = blank_and_ask(HONEST, cases(), AS_IS)
    assert found is not None
    assert (found.whole.value, found.no_lung.value) == (1.0, 0.5)
    assert found.border.value == 0.5


def test_a_class_read_off_a_mark_in_the_corner_survives_without_lungs() -> None:
    found = blank_and_ask(CHEAT, cases(), AS_IS)
    assert found is not None
    assert (found.no_lung.value, found.border.value) == (1.0, 1.0)
    assert found.lungs == {"lung labels": 16}


def test_where_nobody_knows_the_lung_the_middle_stands_in_and_is_said_to() -> None:
    bare = Sample(
        image=sample(0, sick=True).image, targets=Targets(), identity=cases(1)[0].identity
    )
    blind = Reader(SPOT)
    blind.label_space = LabelSpace(classes=SPACE.classes)
    [(region, origin)] = lung_regions(blind, [bare])
    assert origin == "the central 70% of the slice"
    assert region.sum() == 44 * 44


def test_answers_that_rest_on_the_lesion_go_with_it_and_only_with_it() -> None:
    rows = cases()
    found = hide_lesions(HONEST, rows, draw_resamples(rows, draws=200, seed=0), ("normal",))
    assert found.slices == 8
    assert found.classes is not None
    assert found.boxes is not None
    for flips in (found.classes, found.boxes):
        assert (flips.lesion.value, flips.healthy.value, flips.difference.value) == (1.0, 0.0, 1.0)


def test_answers_that_rest_on_something_else_stay() -> None:
    found = hide_lesions(CHEAT, cases(), AS_IS, ("normal",))
    assert found.classes is not None
    assert found.classes.difference.value == 0.0


def test_a_healthy_place_is_as_large_in_the_lung_and_off_the_lesion() -> None:
    one = sample(0, sick=True)
    hurt = lesion(one, SPACE)
    assert hurt is not None
    lung = np.zeros((SIZE, SIZE), dtype=bool)
    lung[16:48, 12:52] = True
    place = healthy_place(hurt, lung, one.identity)
    assert place is not None
    assert place.sum() == hurt.sum()
    assert not (place & hurt).any()
    assert not (place & ~lung).any()


def test_a_lesion_that_fills_the_lung_leaves_no_healthy_place() -> None:
    one = sample(0, sick=True)
    hurt = lesion(one, SPACE)
    assert hurt is not None
    assert healthy_place(hurt, hurt, one.identity) is None


def test_padding_is_not_part_of_the_frame() -> None:
    one = sample(0, sick=True)
    framed = Identity(
        row=0, patient="", source="A", slice_index=0, spacing_mm=None, frame_px=(16, 0, 48, 64)
    )
    cut = Sample(image=one.image, targets=one.targets, identity=framed)
    assert frame(cut).sum() == 32 * 64
    assert middle(cut, 0.5).sum() == 16 * 32


def sourced(count: int) -> tuple[list[Sample], np.ndarray]:
    rows = [sample(k, sick=k % 4 < 2, source="AB"[k % 2]) for k in range(count)]
    noise = np.random.default_rng(0).normal(size=(count, 8))
    return rows, noise


def test_a_source_that_marks_its_slices_is_told() -> None:
    rows, found = sourced(40)
    found[:, 0] += [10.0 * (row.identity.source == "A") for row in rows]
    told = tell_from_features(rows, found, [row.identity.source for row in rows], draws=200)
    assert told is not None
    assert told.figure.value == 1.0
    assert told.chance == 0.5


def test_a_source_that_marks_nothing_is_not_told() -> None:
    rows, found = sourced(40)
    told = tell_from_features(rows, found, [row.identity.source for row in rows], draws=200)
    assert told is not None
    assert told.figure.interval is not None
    assert told.figure.interval.low < 0.5


def test_the_sources_name_tells_a_class_only_where_they_go_together() -> None:
    rows, _ = sourced(40)
    alike = [("x", "y")[k % 4 < 2] for k in range(40)]
    together = [row.identity.source.lower() for row in rows]
    apart, one = (tell_from_source(rows, names, draws=0) for names in (alike, together))
    assert apart is not None
    assert one is not None
    assert apart.figure.value is not None
    assert apart.figure.value < 0.6
    assert one.figure.value == 1.0


def test_one_source_is_nothing_to_tell() -> None:
    rows = cases()
    assert tell_from_features(rows, np.zeros((16, 2)), ["A"] * 16, draws=0) is None


class Neighbours(Reader):
    """Reads the spot off one of three channels; infers the slice itself, as networks do."""

    def __init__(self, channel: int) -> None:
        super().__init__(SPOT)
        self.channel = channel

    def predict(self, image: Tensor, tasks: tuple[Task, ...] | None = None) -> Predictions:
        said = super().predict(image[:, self.channel : self.channel + 1], tasks)
        return replace(said, reconstruction=torch.full_like(image[:, 1:2], 0.2))


def between(one: Sample, value: float) -> Sample:
    """The slice between two neighbours that are ``value`` throughout."""
    beside = np.full_like(one.image, value)
    return replace(one, image=np.concatenate([beside, one.image, beside]))


def test_a_region_is_painted_over_in_the_neighbours_too() -> None:
    one = between(sample(0, sick=True), 0.9)
    region = np.zeros((SIZE, SIZE), dtype=bool)
    region[SPOT] = True
    (shown,) = painted_over(Neighbours(1), [one], [region])
    assert shown.shape == (3, SIZE, SIZE)
    assert (shown[:, region] == 0.2).all()
    assert torch.equal(shown[:, ~region], torch.from_numpy(one.image)[:, ~region])


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_lesion_seen_in_any_channel_goes_when_it_is_hidden(channel: int) -> None:
    rows = [replace(one, image=one.image.repeat(3, axis=0)) for one in cases()]
    found = hide_lesions(Neighbours(channel), rows, AS_IS, ("normal",))
    assert found.classes is not None
    assert (found.classes.lesion.value, found.classes.healthy.value) == (1.0, 0.0)


def test_lungs_are_blanked_in_every_channel() -> None:
    rows = [replace(one, image=one.image.repeat(3, axis=0)) for one in cases()]
    found = blank_and_ask(Neighbours(2), rows, AS_IS)
    assert found is not None
    assert (found.whole.value, found.no_lung.value) == (1.0, 0.5)


def test_slices_look_alike_by_themselves_not_by_their_neighbours() -> None:
    random = np.random.default_rng(0)
    noise = random.random((3, 1, SIZE, SIZE)).astype(np.float32)
    one, other = (replace(sample(0, sick=False), image=noise[k]) for k in (0, 1))
    beside = [replace(s, image=np.concatenate([noise[2], s.image, noise[2]])) for s in (one, other)]
    elsewhere = replace(one, image=np.concatenate([noise[1], one.image, noise[1]]))
    found = details([*beside, elsewhere])
    assert are_alike(found, found).tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
