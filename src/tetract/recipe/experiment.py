"""A recipe put to work: train it, evaluate what came out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

import tetract
from tetract.data import Split, split_hash
from tetract.data.audit.check import check_audit
from tetract.data.batches import StepBatches
from tetract.data.check.heads import check_heads
from tetract.data.dataset import SliceDataset
from tetract.data.sampling import BatchPlan, Drawing
from tetract.errors import BundleError
from tetract.evaluate.class_source import CLASS_IS_SOURCE
from tetract.evaluate.headline import headline
from tetract.evaluate.score import score
from tetract.joint import Balance
from tetract.model import Network, PartReport, load_pretrained, load_weights_from
from tetract.model.bundle import load_description, read_weights
from tetract.recipe.checks import (
    check_every_task_is_taught,
    entangled,
    entangled_warnings,
    fill_names,
    neighbour_warnings,
)
from tetract.recipe.evaluation import collect_network
from tetract.recipe.load import save_recipe
from tetract.recipe.norm import live_norm_warnings, measure_norm
from tetract.recipe.opening import (
    Count,
    fewer_labels,
    fewer_warnings,
    open_data,
    open_split,
)
from tetract.recipe.planning import AnchorPlan, settle_anchors, stand_in
from tetract.recipe.pretraining import run_first_stage, starts_from
from tetract.recipe.schema import Recipe
from tetract.recipe.teaching import make_teacher, taught_by
from tetract.train import Job, Progress, fit, run_folder
from tetract.train.teacher import what_is_skipped
from tetract.types import Task

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a training ended.

    Attributes:
        folder: The run folder.
        recipe: The resolved recipe.
        progress: Steps taken and the best of them.
        carried: What ``encoder.weights`` and ``run.init_from`` loaded, part by part.
        seconds: Wall-clock time of the training loop, validation included.
        banner: What must be read before any validation figure of classes; "".
    """

    folder: Path
    recipe: Recipe
    progress: Progress
    carried: tuple[PartReport, ...]
    seconds: float
    banner: str = ""


def train(
    recipe: Recipe,
    *,
    resume: bool = False,
    show_progress: bool = True,
    on_carried: Callable[[tuple[PartReport, ...]], None] | None = None,
    on_warned: Callable[[tuple[str, ...]], None] | None = None,
    on_prepared: Count | None = None,
    on_planned: Callable[[AnchorPlan], None] | None = None,
) -> Finished:
    """Train what the recipe describes; the run folder then holds best/, last/ and logs/.

    Args:
        recipe: The experiment.
        resume: Go on from ``last/`` of an interrupted run.
        show_progress: Draw a progress bar.
        on_carried: Told what ``encoder.weights`` and ``run.init_from`` loaded, before any step.
        on_warned: Told what must be known about the data set and its split, one line each.
        on_prepared: Told (slices ready, slices in all) while slices are read.
        on_planned: Told how the detector's anchors fit the training boxes, before the first step.

    Raises:
        TetractError: Whatever is wrong with recipe, data or machine; nothing is trained then.
        KeyboardInterrupt: After an orderly stop.
    """
    if recipe.run.pretrain_steps:

        def run_stage(stage: Recipe, again: bool) -> Finished:
            return train(stage, resume=again, show_progress=show_progress, on_prepared=on_prepared)

        resume = run_first_stage(recipe, run_stage, resume=resume)
    folder = open_data(recipe.data)
    audited = check_audit(folder.root, folder.rows, allow_leaks=recipe.data.allow_leaks)
    heads = check_heads(folder.rows, Split.TEST, skip_unreadable=recipe.data.skip_unreadable)
    fewer = fewer_labels(recipe, folder)
    if on_warned:
        on_warned((*folder.warnings, *audited, *heads, *fewer_warnings(fewer)))
    recipe = fill_names(recipe, folder.card)
    balance = Balance(recipe.joint, recipe.tasks)
    network, carried = _start(stand_in(recipe), resume=resume)
    datasets = [open_split(recipe, folder, split, on_prepared) for split in ("train", "val")]
    taught, checked = datasets
    check_every_task_is_taught(recipe, taught)
    teacher = make_teacher(recipe, taught, balance)
    if on_warned:
        on_warned(
            (
                *live_norm_warnings(recipe, taught),
                *neighbour_warnings(recipe, taught),
                *entangled_warnings(recipe, taught, checked),
                *(() if teacher is None else what_is_skipped(teacher.relations)),
            )
        )
    recipe = settle_anchors(recipe, taught, on_planned)
    if recipe.detection != network.spec.detection:
        network, carried = _start(recipe, resume=resume)
    if on_carried and carried:
        on_carried(carried)
    if not resume:
        measure_norm(recipe, network, taught)
    banner = entangled(checked) if Task.CLASSIFICATION in recipe.tasks else ""
    with run_folder(recipe.run.folder, resume=resume) as run:
        if resume:
            _restore(network, run / "last")
        save_recipe(recipe, run / "recipe.yaml")
        started = time.perf_counter()
        progress = fit(
            Job(
                network=network,
                batches=StepBatches(
                    taught,
                    batch_plan(recipe, taught),
                    seed=recipe.run.seed,
                    with_plain=teacher is not None and recipe.data.augment.enabled,
                ),
                validate=lambda judged: headline(score(collect_network(recipe, judged, checked))),
                balance=balance,
                optimiser=recipe.optimiser,
                run=recipe.run,
                folder=run,
                version=tetract.__version__,
                dataset={
                    "name": folder.card.name,
                    "splits": split_hash(folder.rows),
                    **({"labels_used": fewer} if fewer else {}),
                    **taught_by(teacher),
                },
                teacher=teacher,
                resume=resume,
                show_progress=show_progress,
                beside={CLASS_IS_SOURCE: 1.0} if banner else {},
            )
        )
    return Finished(
        folder=run,
        recipe=recipe,
        progress=progress,
        carried=carried,
        seconds=time.perf_counter() - started,
        banner=banner,
    )


def build_network(recipe: Recipe) -> Network:
    """A fresh network whose weights are a function of ``run.seed``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.run.seed)
        return Network(recipe.network_spec())


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


def batch_plan(recipe: Recipe, dataset: SliceDataset) -> BatchPlan:
    """Which rows each step of the recipe sees."""
    return BatchPlan(
        labelled=dataset.labelled,
        positive=dataset.positive,
        sources=dataset.sources,
        tasks=tuple(t for t in Task if t in recipe.tasks),
        batch_size=recipe.run.batch,
        seed=recipe.run.seed,
        drawing=Drawing(
            positive_fraction=recipe.data.positive_fraction,
            source_balance=recipe.data.source_balance,
            classes=dataset.classes if recipe.data.class_balance else None,
        ),
    )


def _start(recipe: Recipe, *, resume: bool) -> tuple[Network, tuple[PartReport, ...]]:
    """The network before its first step, and what other weights gave it."""
    network = build_network(recipe)
    # A resumed run has its own weights already; what it once started from may be gone.
    if resume:
        return network, ()
    return network, (*load_pretrained(network), *_carry(recipe, network))


def _carry(recipe: Recipe, network: Network) -> tuple[PartReport, ...]:
    start = starts_from(recipe)
    return () if start is None else load_weights_from(network, start)
