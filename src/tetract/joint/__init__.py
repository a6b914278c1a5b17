"""How the task losses become one number: one method per file."""

from tetract.joint.weighted import JointConfig, TaskLosses, weighted_sum

__all__ = ["JointConfig", "TaskLosses", "weighted_sum"]
