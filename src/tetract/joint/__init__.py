"""How the task losses become one number: one method per file."""

from tetract.joint.balance import Balance, Combined
from tetract.joint.config import JointConfig
from tetract.joint.gradients import TaskGradients, add_gradients, compared, task_gradients
from tetract.joint.losses import TaskLosses, with_pseudo
from tetract.joint.weighted import weighted_sum
from tetract.joint.weighting import State, mean_losses

__all__ = [
    "Balance",
    "Combined",
    "JointConfig",
    "State",
    "TaskGradients",
    "TaskLosses",
    "add_gradients",
    "compared",
    "mean_losses",
    "task_gradients",
    "weighted_sum",
    "with_pseudo",
]
