"""Training; the only room that knows Lightning."""

from tetract.train.checkpoint import Progress, run_folder, saved_step
from tetract.train.config import OptimiserConfig, RunConfig
from tetract.train.fit import Job, fit

__all__ = ["Job", "OptimiserConfig", "Progress", "RunConfig", "fit", "run_folder", "saved_step"]
