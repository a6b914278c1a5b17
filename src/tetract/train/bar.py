"""The progress bar: how far, how long still, and each task's loss by its own name."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager

import lightning
from lightning.pytorch.callbacks import RichProgressBar

LOSS = "train/loss/"


class TaskBar(RichProgressBar):
    """Lightning's bar without what a reader of losses does not need."""

    def get_metrics(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """Losses under the names of their tasks; no version number."""
        shown = super().get_metrics(trainer, pl_module)
        return {
            name.removeprefix(LOSS): value for name, value in shown.items() if name.startswith(LOSS)
        }


@contextmanager
def only_warnings() -> Generator[None]:
    """Keep the framework from talking about itself while it trains; its warnings stay."""
    log = logging.getLogger("lightning.pytorch")
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)
