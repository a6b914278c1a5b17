"""A recipe put to work: train it, evaluate what came out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

import tetract
from tetract.data import DatasetFolder, open_dataset, split_hash
from tetract.data.audit.check import check_audit
from tetract.data.batches import StepBatches, batches_in_order
from tetract.data.config import DataConfig
from tetract.data.dataset import SliceDataset
from tetract.data.fold_file import load_folds
from tetract.data.sampling import BatchPlan
from tetract.errors import BundleError, RecipeError
from tetract.evaluate.collect import collect
from tetract.evaluate.headline import headline
from tetract.evaluate.result import About, Evaluation, Hiding
from tetract.evaluate.score import score
from tetract.model import Network, PartReport, load_bundle, load_weights_from
from tetract.model.bundle import load_description, read_weights
from tetract.recipe.checks import check_every_task_is_taught, fill_names
from tetract.recipe.load import save_recipe
from tetract.recipe.schema import Recipe
from tetract.train import Job, Progress, fit, run_folder
from tetract.types import Task

EVALUATION_BATCH = 8
Report = Callable[[str], None]
Count = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a training ended.

    Attributes:
        folder: The run folder.
        recipe: The resolved recipe.
        progress: Steps taken and the best of them.
        carried: What ``run.init_from`` loaded, part by part; empty without it.
        seconds: Wall-clock time of the training loop, validation included.
    """

    folder: Path
    recipe: Recipe
    progress: Progress
    carried: tuple[PartReport, ...]
    seconds: float


def train(
    recipe: Recipe,
    *,
    resume: bool = False,
    show_progress: bool = True,
    on_carried: Callable[[tuple[PartReport, ...]], None] | None = None,
    on_warned: Callable[[tuple[str, ...]], None] | None = None,
    on_prepared: Count | None = None,
) -> Finished:
    """Train what the recipe describes; the run folder then holds best/, last/ and logs/.

    Args:
        recipe: The experiment.
        resume: Go on from ``last/`` of an interrupted run.
        show_progress: Draw a progress bar.
        on_carried: Told what ``run.init_from`` loaded, before the first step.
        on_warned: Told what must be known about the data set and its split, one line each.
        on_prepared: Told (slices ready, slices in all) while slices are read.

    Raises:
        TetractError: Whatever is wrong with recipe, data or machine; nothing is trained then.
        KeyboardInterrupt: After an orderly stop.
    """
    folder = open_data(recipe.data)
    audited = check_audit(folder.root, folder.rows, allow_leaks=recipe.data.allow_leaks)
    if on_warned:
        on_warned((*folder.warnings, *audited))
    recipe = fill_names(recipe, folder.card)
    network = build_network(recipe)
    # A resumed run has its own weights already; what it once started from may be gone.
    carried = () if resume else _carry(recipe, network)
    if on_carried and carried:
        on_carried(carried)
    datasets = [open_split(recipe, folder, split, on_prepared) for split in ("train", "val")]
    taught, checked = datasets
    check_every_task_is_taught(recipe, taught)
    with run_folder(recipe.run.folder, resume=resume) as run:
        if resume:
            _restore(network, run / "last")
        save_recipe(recipe, run / "recipe.yaml")
        started = time.perf_counter()
        progress = fit(
            Job(
                network=network,
                batches=StepBatches(taught, _plan(recipe, taught), seed=recipe.run.seed),
                validate=lambda: headline(evaluate_network(recipe, network, checked)),
                joint=recipe.joint,
                optimiser=recipe.optimiser,
                run=recipe.run,
                folder=run,
                version=tetract.__version__,
                dataset={"name": folder.card.name, "splits": split_hash(folder.rows)},
                resume=resume,
                show_progress=show_progress,
            )
        )
    return Finished(
        folder=run,
        recipe=recipe,
        progress=progress,
        carried=carried,
        seconds=time.perf_counter() - started,
    )


def evaluate_run(
    recipe: Recipe,
    model: Path,
    *,
    split: str,
    command: str = "",
    on_prepared: Count | None = None,
    on_scored: Callable[[int], None] | None = None,
) -> Evaluation:
    """Score the model in ``model`` on one split of the recipe's data set."""
    folder = open_data(recipe.data)
    bundle = load_bundle(model)
    recipe = recipe.model_copy(
        update={
            "tasks": bundle.network.tasks,
            "classes": bundle.description.spec.classes,
            "mask_classes": bundle.description.spec.mask_classes,
            "box_classes": bundle.description.spec.box_classes,
        }
    )
    dataset = open_split(recipe, folder, split, on_prepared)
    left_out = tuple(f"W_LEFT_OUT {reason}" for reason in dataset.skipped)
    audited = check_audit(folder.root, folder.rows, allow_leaks=True)  # a report warns, always
    about = About(
        command=command,
        split=split,
        model=bundle.identity,
        warnings=(*folder.warnings, *audited, *left_out),
    )
    return evaluate_network(recipe, bundle.network, dataset, about=about, on_scored=on_scored)


def evaluate_network(
    recipe: Recipe,
    network: Network,
    dataset: SliceDataset,
    *,
    about: About | None = None,
    on_scored: Callable[[int], None] | None = None,
) -> Evaluation:
    """Score ``network``, which is in evaluation mode, on a split that is open already."""
    settings = recipe.reconstruction
    hiding = Hiding(patch_px=settings.patch_px, fraction=settings.hidden_fraction, seed=0)
    batches = batches_in_order(dataset, EVALUATION_BATCH)
    low, high = recipe.data.window_hu
    return score(
        collect(network, batches, hiding, on_scored),
        about=about or About(),
        hu_known=_hu_known(dataset.folder),
        hu_window_width=high - low,
    )


def build_network(recipe: Recipe) -> Network:
    """A fresh network whose weights are a function of ``run.seed``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.run.seed)
        return Network(recipe.network_spec())


def open_data(config: DataConfig) -> DatasetFolder:
    """The data set, split as its table says or as ``data.fold`` does.

    Raises:
        InputError: As ``open_dataset`` and ``load_folds``; ``E_NO_FOLD``.
    """
    folder = open_dataset(config.folder)
    if config.fold is None:
        return folder
    folds = load_folds(folder.root, folder.rows)
    if config.fold >= len(folds):
        raise RecipeError(
            "E_NO_FOLD",
            "there is no such fold",
            where="data.fold",
            expected=f"0 to {len(folds) - 1}",
            found=str(config.fold),
            fix="Give another fold, or make more with tetract data split --folds",
        )
    return replace(folder, rows=folds[config.fold])


def open_split(
    recipe: Recipe, folder: DatasetFolder, split: str, on_prepared: Count | None = None
) -> SliceDataset:
    """One split of the data set, every slice read and checked."""
    dataset = SliceDataset(
        folder,
        recipe.data,
        recipe.network_spec().label_space,
        split,
        strict=not recipe.data.skip_unreadable,
    )
    dataset.warm(on_prepared)
    return dataset


def _restore(network: Network, last: Path) -> None:
    """Weights of an interrupted run, which must have been the same network.

    Raises:
        BundleError: ``E_OTHER_TASKS``.
    """
    saved = load_description(last)
    if saved.spec != network.spec:
        raise BundleError(
            "E_OTHER_TASKS",
            "the interrupted run trained another network",
            where=last.parent.name,
            expected=", ".join(saved.spec.tasks),
            found=", ".join(network.spec.tasks),
            fix="Resume with the recipe.yaml of its run folder",
        )
    network.load_state_dict(read_weights(last, saved))


def _plan(recipe: Recipe, dataset: SliceDataset) -> BatchPlan:
    return BatchPlan(
        labelled=dataset.labelled,
        positive=dataset.positive,
        sources=dataset.sources,
        tasks=tuple(t for t in Task if t in recipe.tasks),
        batch_size=recipe.run.batch,
        seed=recipe.run.seed,
        positive_fraction=recipe.data.positive_fraction,
    )


def _carry(recipe: Recipe, network: Network) -> tuple[PartReport, ...]:
    start = recipe.run.init_from
    return () if start is None else load_weights_from(network, start)


def _hu_known(folder: DatasetFolder) -> Mapping[str, bool]:
    return {source.name: source.hu_known for source in folder.card.sources}
