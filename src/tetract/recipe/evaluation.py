"""A recipe's model scored on its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tetract.data.audit.check import check_audit
from tetract.data.batches import batches_in_order
from tetract.data.dataset import SliceDataset
from tetract.data.neighbours import Neighbours
from tetract.errors import BundleError
from tetract.evaluate.case_files import write_cases
from tetract.evaluate.choose_cases import choose_cases
from tetract.evaluate.collect import Collected, collect
from tetract.evaluate.files import write_evaluation
from tetract.evaluate.result import About, Evaluation
from tetract.evaluate.results import make_results, write_results
from tetract.evaluate.score import score
from tetract.evaluate.trust.file import load_calibration
from tetract.evaluate.trust.text import unused
from tetract.model import Bundle, Mirrored, Network, NetworkSpec, load_bundle
from tetract.model.bundle import find_bundle
from tetract.recipe.cards import evaluation_cards
from tetract.recipe.case_maps import explain_cases
from tetract.recipe.cases import draw_cases
from tetract.recipe.facts import gather_facts
from tetract.recipe.label_origins import origin_warnings
from tetract.recipe.opening import Count, open_data, open_split
from tetract.recipe.schema import Recipe
from tetract.recipe.setting import setting_of
from tetract.types.card import Card
from tetract.types.case import Case
from tetract.types.resamples import AS_IS, Resamples, draw_resamples

EVALUATION_BATCH = 8
MIRRORED = " (mean of each slice and its mirror image)"
DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What is made beside the figures, and costs time.

    Attributes:
        cards: Whether to make the cards, which look at some hundred slices again.
        cases: Whether to draw the best, median and worst slices.
        maps: Whether to draw maps of what speaks for the answers to the cases.
    """

    cards: bool = False
    cases: bool = True
    maps: bool = False


NO_EXTRAS: Final = Extras()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """An evaluation and the rows it was made from.

    Attributes:
        evaluation: The figures.
        collected: What comparisons and plots need.
        resamples: The draws behind the intervals.
        cards: What to know beside the figures; empty where none were asked for.
        cases: Best, median and worst slice of each task, with pictures; empty where not asked for.
        facts: Where it was made.
    """

    evaluation: Evaluation
    collected: Collected
    resamples: Resamples
    cards: tuple[Card, ...]
    cases: tuple[Case, ...]
    facts: Mapping[str, str]


def evaluate_run(
    recipe: Recipe,
    model: Path,
    *,
    split: str,
    command: str = "",
    draws: int = DRAWS,
    extras: Extras = NO_EXTRAS,
    on_prepared: Count | None = None,
) -> Evaluated:
    """Score the model in ``model`` on one split of the recipe's data set.

    Args:
        recipe: The one the model was trained with, of its run folder.
        model: A bundle, or a run folder.
        split: Name of the split.
        command: The command line, for the report.
        draws: Bootstrap draws of the patients behind the intervals; 0: no intervals.
        extras: What to make beside the figures.
        on_prepared: Told (slices ready, slices in all) while slices are read.
    """
    opened = open_run(recipe, model, split, on_prepared)
    bundle, folder, dataset = opened.bundle, opened.dataset.folder, opened.dataset
    left_out = tuple(f"W_LEFT_OUT {reason}" for reason in dataset.skipped)
    origins = origin_warnings(dataset.summary(), opened.recipe.tasks)
    audited = check_audit(folder.root, folder.rows, allow_leaks=True)  # a report warns, always
    calibration = load_calibration(find_bundle(model), bundle.description.weights_sha256)
    other = unused(calibration, flips=recipe.run.flips)
    about = About(
        command=command,
        split=split,
        model=bundle.identity + (MIRRORED if recipe.run.flips else ""),
        warnings=(*folder.warnings, *audited, *left_out, *origins, *other),
    )
    collected = collect_network(opened.recipe, bundle.network, dataset)
    resamples = draw_resamples(collected.seen, draws=draws, seed=0) if draws else AS_IS
    evaluation = score(
        collected,
        about=about,
        resamples=resamples,
        calibration=None if other else calibration,
    )
    asked, network, choices = opened.recipe, bundle.network, choose_cases(collected)
    predictor = _predictor(asked, network)
    cases = ()
    if extras.cases:
        cases = draw_cases(predictor, dataset, choices, collected.setting.hiding)
        if extras.maps:
            cases = explain_cases(network, predictor, dataset, choices, cases)
    return Evaluated(
        evaluation=evaluation,
        collected=collected,
        resamples=resamples,
        cards=evaluation_cards(asked, bundle, dataset, evaluation, collected)
        if extras.cards
        else (),
        cases=cases,
        facts=gather_facts(asked, bundle.description, folder.card.name, collected.setting.cases),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A model and a split to run it on.

    Attributes:
        recipe: With the model's own tasks and names.
        bundle: The model.
        dataset: The split, every slice read and checked.
    """

    recipe: Recipe
    bundle: Bundle
    dataset: SliceDataset


def open_run(recipe: Recipe, model: Path, split: str, on_prepared: Count | None = None) -> Opened:
    """The model in ``model`` and one split of the recipe's data set."""
    folder = open_data(recipe.data)
    bundle = load_bundle(model)
    spec = bundle.description.spec
    _check_input(recipe, spec)
    recipe = recipe.model_copy(
        update={
            "tasks": bundle.network.tasks,
            "classes": spec.classes,
            "mask_classes": spec.mask_classes,
            "box_classes": spec.box_classes,
        }
    )
    dataset = open_split(recipe, folder, split, on_prepared)
    return Opened(recipe=recipe, bundle=bundle, dataset=dataset)


def save_evaluated(folder: Path, done: Evaluated) -> str:
    """Write everything about an evaluation into ``folder``; returns the Markdown."""
    text = write_evaluation(folder, done.evaluation, done.collected, done.cards)
    results = make_results(done.evaluation, done.collected, done.resamples, done.facts)
    write_results(folder, results)
    write_cases(folder, done.cases)
    return text


def collect_network(
    recipe: Recipe,
    network: Network,
    dataset: SliceDataset,
) -> Collected:
    """Run ``network``, which is in evaluation mode, over a split that is open already."""
    setting = setting_of(recipe, dataset)
    batches = batches_in_order(dataset, EVALUATION_BATCH)
    return collect(_predictor(recipe, network), batches, setting)


def _predictor(recipe: Recipe, network: Network) -> Network | Mirrored:
    """What answers: the network, or the mean of its answers to a slice and its mirror image."""
    return Mirrored(network) if recipe.run.flips else network


def _check_input(recipe: Recipe, spec: NetworkSpec) -> None:
    """Refuse a model that sees other neighbours than the recipe prepares.

    Raises:
        BundleError: ``E_OTHER_INPUT``.
    """
    asked = recipe.data.around
    known = Neighbours(each_side=spec.neighbours, distance_mm=spec.neighbour_mm)
    if asked != known:
        raise BundleError(
            "E_OTHER_INPUT",
            "the model was trained on other neighbours than the recipe prepares",
            where="data.neighbours, data.neighbour_mm",
            expected=f"{known.each_side}, {known.distance_mm}",
            found=f"{asked.each_side}, {asked.distance_mm}",
            fix="Evaluate with the recipe.yaml of the model's run",
        )
