"""Claims about batches with copied lesions, on a phantom cohort."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from recipe_cases import write_cohort
from tetract.data.batches import StepBatches
from tetract.data.config import DataConfig
from tetract.data.dataset import SliceDataset
from tetract.data.load import open_dataset
from tetract.data.sampling import BatchPlan
from tetract.errors import RecipeError
from tetract.types import LabelSpace, Task
from tetract.types.batch import Batch

# No other change of image, so that what differs was copied.
STILL: dict[str, Any] = dict.fromkeys(("flip_x", "geometry", "intensity", "noise", "blur"), 0.0)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("cohort") / "data")


def batches(
    cohort: Path,
    masks: tuple[str, ...] | None = None,
    data: Mapping[str, object] | None = None,
    **augment: object,
) -> StepBatches:
    folder = open_dataset(cohort)
    card = folder.card
    config = DataConfig.model_validate(
        {"folder": cohort, "image_px": 64, "augment": augment, **(data or {})}
    )
    names = card.mask_classes if masks is None else masks
    space = LabelSpace(classes=card.classes, mask_classes=names, box_classes=card.box_classes)
    dataset = SliceDataset(folder, config, space, "train")
    plan = BatchPlan(
        dataset.labelled, dataset.positive, dataset.sources, (Task.SEGMENTATION,), 4, seed=0
    )
    return StepBatches(dataset, plan, seed=0)


def copied(batch: Batch) -> int:
    return sum(len(who.donors) for who in batch.identity)


def test_lesions_are_copied_within_the_training_split(cohort: Path) -> None:
    made = batches(cohort, paste={"share": 1.0})
    donors = {row for step in range(6) for who in made[step].identity for row in who.donors}
    assert donors
    assert all(made.dataset.folder.rows[row].split == "train" for row in donors)


def test_the_same_step_holds_the_same_copies(cohort: Path) -> None:
    first, again = (batches(cohort, paste={"share": 1.0}) for _ in range(2))
    one, two = ([made[step] for step in range(6)] for made in (first, again))
    assert sum(map(copied, one)) > 0
    assert all((a.image == b.image).all() for a, b in zip(one, two, strict=True))
    assert [a.identity for a in one] == [b.identity for b in two]


def test_switching_copies_on_leaves_the_other_draws_as_they_were(cohort: Path) -> None:
    plain, pasted = batches(cohort), batches(cohort, paste={"share": 0.5})
    alike = [
        bool((plain[step].image[slot] == pasted[step].image[slot]).all())
        for step in range(4)
        for slot in range(4)
        if not pasted[step].identity[slot].donors
    ]
    assert alike
    assert all(alike)


def test_copies_are_switched_off_with_all_the_rest(cohort: Path) -> None:
    made = batches(cohort, enabled=False, paste={"share": 1.0})
    assert not any(copied(made[step]) for step in range(4))


def test_lungs_may_be_estimated_where_no_mask_is_asked_for(cohort: Path) -> None:
    lesions = tuple(n for n in open_dataset(cohort).card.mask_classes if n != "lung")
    made = batches(cohort, lesions, paste={"share": 1.0, "estimate_lungs": True})
    assert any(copied(made[step]) for step in range(6))


def test_copies_that_could_never_be_made_are_refused(cohort: Path) -> None:
    lesions = tuple(n for n in open_dataset(cohort).card.mask_classes if n != "lung")
    for names in (lesions, ("lung",)):
        with pytest.raises(RecipeError, match="E_NO_PASTE"):
            batches(cohort, names, paste={"share": 1.0})


def test_turns_and_looks_reach_the_batch(cohort: Path) -> None:
    def first(**changes: float) -> torch.Tensor:
        return batches(cohort, None, **STILL, **changes)[0].image

    plain, turned, shown = first(), first(quarter_turns=1.0), first(rewindow=1.0)
    assert not torch.equal(plain, turned)
    assert turned.sum().item() == pytest.approx(plain.sum().item(), rel=1e-5)
    assert not torch.equal(plain, shown)


def test_a_copied_lesion_brings_its_neighbouring_slices_along(cohort: Path) -> None:
    beside = {"neighbours": 1}
    bare = batches(cohort, data=beside, **STILL)
    pasted = batches(cohort, data=beside, **STILL, paste={"share": 1.0, "most": 1})
    single = batches(cohort, **STILL, paste={"share": 1.0, "most": 1})
    seen = 0
    for step in range(4):
        one, other = bare[step], pasted[step]
        assert torch.equal(other.masks, single[step].masks)
        new = (other.masks & ~one.masks).any(dim=1)
        seen += int(new.any())
        for channel in range(3):
            changed = other.image[:, channel] != one.image[:, channel]
            assert not (new & ~changed).sum() > 0.1 * new.sum()  # here and there the same grey
    assert seen > 0


def test_windows_are_cut_out_of_slices_that_hold_their_copies(cohort: Path) -> None:
    window = {"image_px": 128, "crop_px": 64}  # the margin around a window is less than the slice
    bare = batches(cohort, data={**window, "crop_at_lesion": 0.0}, **STILL)
    pasted = batches(
        cohort, data={**window, "crop_at_lesion": 0.0}, **STILL, paste={"share": 1.0, "most": 1}
    )
    seen = 0
    for step in range(6):
        one, other = bare[step], pasted[step]
        assert other.image.shape == (4, 1, 64, 64)
        changed, new = one.image[:, 0] != other.image[:, 0], (other.masks & ~one.masks).any(dim=1)
        seen += int(new.any())
        assert not (new & ~changed).sum() > 0.1 * new.sum()
        rows = [slot for slot, who in enumerate(other.identity) if not who.donors]
        assert not changed[rows].any()
    assert seen > 0
