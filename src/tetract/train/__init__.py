"""Training; the only room that knows Lightning."""

from tetract.train.checkpoint import Progress, run_folder, saved_step
from tetract.train.config import OptimiserConfig, RunConfig
from tetract.train.fit import Job, fit
from tetract.train.teacher import Teacher, TeacherConfig

__all__ = [
    "Job",
    "OptimiserConfig",
    "Progress",
    "RunConfig",
    "Teacher",
    "TeacherConfig",
    "fit",
    "run_folder",
    "saved_step",
]
