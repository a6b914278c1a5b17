"""Train a network: set up, fit, say how it ended."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from tetract.data.batches import StepBatches, step_loader
from tetract.data.table import TABLE_NAME
from tetract.joint import Balance
from tetract.model import Network
from tetract.model.bundle import to_device
from tetract.train.bar import TaskBar, only_warnings
from tetract.train.checkpoint import Progress, saved_step
from tetract.train.config import OptimiserConfig, RunConfig
from tetract.train.machine import choose_device, choose_precision
from tetract.train.module import JointModule
from tetract.train.soundness import NameRow
from tetract.train.teacher import Teacher
from tetract.train.watch import StopRequest, Validate, Watch
from tetract.types.batch import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything one training needs.

    Attributes:
        network: Fresh, or with weights carried over.
        batches: The training data, by step.
        validate: Figures of the validation split; called with the network in evaluation mode.
        balance: How the task losses become one step.
        optimiser: Optimiser settings.
        run: Length, seed, device.
        folder: The run folder, held by this process.
        version: Version of the package.
        dataset: Name and split hash of the data.
        teacher: Labels what is missing, or None.
        resume: Whether to go on from ``last/``; the network then holds its weights already.
        show_progress: Whether to draw a progress bar.
        beside: Logged and saved with every validation, and no part of its score.
    """

    network: Network
    batches: StepBatches
    validate: Validate
    balance: Balance
    optimiser: OptimiserConfig
    run: RunConfig
    folder: Path
    version: str
    dataset: Mapping[str, str]
    teacher: Teacher | None = None
    resume: bool = False
    show_progress: bool = True
    beside: Mapping[str, float] = field(default_factory=dict[str, float])


def fit(job: Job) -> Progress:
    """Run the steps that are left and return where the run stands.

    Raises:
        KeyboardInterrupt: After an orderly stop on Ctrl-C or SIGTERM; ``last/`` is saved.
        TetractError: ``E_LOSS_NOT_FINITE``; ``last/`` then holds the weights from before.
    """
    device = choose_device(job.run.device)
    torch.manual_seed(job.run.seed)
    module = JointModule(
        to_device(job.network, torch.device("cpu")),
        job.balance,
        job.optimiser,
        job.run,
        _row_names(job.batches),
        job.teacher,
    )
    watch = Watch(
        job.folder,
        job.validate,
        version=job.version,
        dataset=job.dataset,
        beside=job.beside,
    )
    stop = StopRequest(watch)
    start = saved_step(job.folder / "last") if job.resume else 0
    extra: list[Callback] = [_Resume(watch)] if job.resume else []
    batches = job.run.accumulate
    loader = step_loader(
        job.batches, start=start * batches, stop=job.run.steps * batches, workers=job.run.workers
    )
    try:
        with only_warnings(), warnings.catch_warnings():
            # Lightning advises more loader workers and logging less often; both are chosen here.
            warnings.filterwarnings("ignore", message=".*does not have many workers.*")
            warnings.filterwarnings("ignore", message=".*isinstance.*LeafSpec.*")
            # Frozen BatchNorm stays in evaluation mode on purpose.
            warnings.filterwarnings("ignore", message=".*module.*in eval mode at the start.*")
            # A batch that teaches nothing, or is spoilt, is passed over on purpose.
            warnings.filterwarnings("ignore", message=".*`training_step` returned `None`.*")
            trainer = _trainer(job, [watch, stop, *extra], device, start)
            trainer.fit(module, train_dataloaders=loader)
    except SystemExit:
        # Lightning turns an interrupt that it sees itself (a second Ctrl-C) into exit code 1, which
        # means "finished with skips" here.
        raise KeyboardInterrupt from None
    finally:
        stop.give_back()
    if stop.asked:
        raise KeyboardInterrupt
    return watch.progress


class _Resume(Callback):
    """Restores the optimiser once Lightning has made it."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Take the saved state back."""
        self.watch.resume(cast("JointModule", pl_module), trainer)


def _row_names(batches: StepBatches) -> NameRow:
    """Rows as the table counts them, with the file's base name and the slice."""
    rows = batches.dataset.folder.rows

    def name(who: Identity) -> str:
        row = rows[who.row]
        return f"{TABLE_NAME} row {row.number} ({row.image.name}, slice {who.slice_index})"

    return name


def _trainer(
    job: Job, callbacks: list[Callback], device: torch.device, start: int
) -> lightning.Trainer:
    if job.show_progress:
        callbacks = [*callbacks, TaskBar(leave=True)]
    # A resumed run logs beside its first part: Lightning would empty a folder that is in use.
    part = "" if start == 0 else f"-from-{start}"
    return lightning.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        precision=choose_precision(job.run.precision, device),
        max_steps=job.run.steps - start,
        max_epochs=1,
        gradient_clip_val=job.optimiser.clip_norm,
        accumulate_grad_batches=job.run.accumulate,
        callbacks=callbacks,
        logger=[
            CSVLogger(job.folder, name="", version=f"logs{part}", flush_logs_every_n_steps=10),
            TensorBoardLogger(job.folder, name="", version=f"tensorboard{part}"),
        ],
        log_every_n_steps=min(5, max(1, job.run.steps - start)),
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=job.show_progress,
    )
