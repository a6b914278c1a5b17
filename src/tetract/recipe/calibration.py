"""A recipe's model calibrated on its validation split."""

from __future__ import annotations

from pathlib import Path

from tetract.errors import InputError
from tetract.evaluate.trust.calibrate import fit_calibration
from tetract.evaluate.trust.calibration import Calibration, Wish
from tetract.evaluate.trust.file import save_calibration
from tetract.model.bundle import find_bundle
from tetract.recipe.evaluation import DRAWS, collect_network, open_run
from tetract.recipe.opening import Count
from tetract.recipe.schema import Recipe
from tetract.types.resamples import draw_resamples


def calibrate_run(
    recipe: Recipe,
    model: Path,
    wish: Wish,
    *,
    split: str = "val",
    on_prepared: Count | None = None,
) -> Calibration:
    """Calibrate the model in ``model`` and keep the result beside its weights.

    Args:
        recipe: The one the model was trained with, of its run folder.
        model: A bundle, or a run folder.
        wish: What is to be kept.
        split: Whose slices; not "train", where the model is surer than it will be again.
        on_prepared: Told (slices ready, slices in all) while slices are read.

    Raises:
        InputError: ``E_CALIBRATE_ON_TRAIN``.
    """
    if split == "train":
        raise InputError(
            "E_CALIBRATE_ON_TRAIN",
            "a model is surer of the slices it was trained on than of any others",
            expected="val, or a split that the model has not seen",
            found=split,
            fix="Calibrate on the validation split",
        )
    opened = open_run(recipe, model, split, on_prepared)
    collected = collect_network(opened.recipe, opened.bundle.network, opened.dataset)
    spec = opened.bundle.description.spec
    calibration = fit_calibration(
        collected,
        wish,
        weights_sha256=opened.bundle.description.weights_sha256,
        infers=spec.reconstruction.mode == "masked",
        flips=recipe.run.flips,
        resamples=draw_resamples(collected.seen, draws=DRAWS, seed=0),
    )
    save_calibration(find_bundle(model), calibration)
    return calibration
