"""What happens around the steps: validate, keep the best, save, stop when asked."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, cast

import lightning
from lightning.pytorch.callbacks import Callback

from tetract.errors import TetractError
from tetract.evaluate.headline import LOWER_IS_BETTER
from tetract.model import Network, save_bundle
from tetract.train.checkpoint import (
    Progress,
    load_balance,
    load_learning,
    load_progress,
    save_learning,
    save_progress,
)
from tetract.train.module import JointModule

Validate = Callable[[Network], Mapping[str, float | None]]


class Watch(Callback):
    """Validates every so many steps and after the last, if at all, and writes the run's models.

    Args:
        folder: The run folder.
        validate: The headline figures of a network on the validation split, None where undefined.
        version: Version of the package, written into the models.
        dataset: Name and split hash, written into the models.
        beside: Logged and saved with every validation, and no part of its score.
    """

    def __init__(
        self,
        folder: Path,
        validate: Validate,
        *,
        version: str,
        dataset: Mapping[str, str],
        beside: Mapping[str, float],
    ) -> None:
        self.folder = folder
        self.validate = validate
        self.version = version
        self.dataset = dataset
        self.beside = beside
        self.progress = Progress()
        self.figures: Mapping[str, float | None] = {}

    def resume(self, module: JointModule, trainer: lightning.Trainer) -> None:
        """Take the states of optimiser and balancing, and progress, back from ``last/``."""
        last, balance = self.folder / "last", module.balance
        self.progress = load_progress(last, trainer.optimizers[0])
        balance.weighting.state = load_balance(last, balance.config.method)
        load_learning(last, module.network, module.averaged)
        module.done = self.progress.step

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,  # noqa: ARG002  Lightning's signature
        batch: Any,  # noqa: ARG002
        batch_idx: int,  # noqa: ARG002
    ) -> None:
        """Validate and save when it is time."""
        module = cast("JointModule", pl_module)
        if not module.ends_step:
            return
        # Lightning calls callbacks before the module's own hook, which counts the step.
        done = module.done + 1
        every, ended = module.run.validate_every, done == module.run.steps
        if every and (ended or done % every == 0):
            self._validate(trainer, module, done)
        elif ended:
            self.save_last(trainer, module, done)

    def on_exception(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        exception: BaseException,
    ) -> None:
        """Keep what was learnt before the loss left the numbers; no spoilt step changed it."""
        if isinstance(exception, TetractError) and exception.code == "E_LOSS_NOT_FINITE":
            module = cast("JointModule", pl_module)
            self.save_last(trainer, module, module.done)

    def save_last(self, trainer: lightning.Trainer, module: JointModule, step: int) -> None:
        """Write ``last/``: model, optimiser, progress."""
        self.progress = replace(self.progress, step=step)
        self._save("last", module, step)
        save_learning(self.folder / "last", module.network, module.averaged)
        save_progress(self.folder / "last", self.progress, trainer.optimizers[0], module.balance)

    def _validate(self, trainer: lightning.Trainer, module: JointModule, step: int) -> None:
        module.eval()
        self.figures = self.validate(module.judged)
        module.train()
        told = {**self.figures, **self.beside}
        known = {f"val/{k}": v for k, v in told.items() if v is not None}
        module.log_dict(known)
        score = selection_score(self.figures)
        best = self.progress.best_score
        if score is not None and (best is None or score > best):
            self.progress = replace(self.progress, best_score=score, best_step=step, stale=0)
            self._save("best", module, step)
        else:
            self.progress = replace(self.progress, stale=self.progress.stale + 1)
        self.save_last(trainer, module, step)
        if module.run.patience and self.progress.stale >= module.run.patience:
            trainer.should_stop = True

    def _save(self, name: str, module: JointModule, step: int) -> None:
        save_bundle(
            self.folder / name,
            module.judged,
            version=self.version,
            step=step,
            metrics={**self.figures, **self.beside},
            dataset=self.dataset,
        )


class StopRequest(Callback):
    """First interrupt or SIGTERM: finish the step, save, stop. Second: stop at once.

    To be made before Lightning's fit, which puts handlers of its own in place: to give these back
    would keep the trainer, its network and its optimiser alive for as long as the process lives.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.asked = False
        self._before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
        self._taken = False

    def on_train_start(
        self,
        trainer: lightning.Trainer,  # noqa: ARG002  Lightning's signature
        pl_module: lightning.LightningModule,  # noqa: ARG002
    ) -> None:
        """Take over the two signals."""
        self._taken = True
        for number in self._before:
            signal.signal(number, self._ask)

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,  # noqa: ARG002  Lightning's signature
        batch: Any,  # noqa: ARG002
        batch_idx: int,  # noqa: ARG002
    ) -> None:
        """Save and stop when asked to."""
        module = cast("JointModule", pl_module)
        if self.asked and module.ends_step:
            self.watch.save_last(trainer, module, module.done + 1)
            trainer.should_stop = True

    def give_back(self) -> None:
        """Restore the signals' former handlers."""
        if self._taken:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        signal.signal(number, self._ask)


def selection_score(figures: Mapping[str, float | None]) -> float | None:
    """One number to choose a checkpoint by: the mean of the tasks' headline figures.

    AUROC, Dice and AP count as they are, an error as 1 - error. Figures that are undefined on
    this split are left out.
    """
    values = [
        1.0 - value if name in LOWER_IS_BETTER else value
        for name, value in figures.items()
        if value is not None
    ]
    return sum(values) / len(values) if values else None
