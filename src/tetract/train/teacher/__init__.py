"""Pseudo-labels: what the running average of the weights is sure of, where nobody looked."""

from tetract.train.teacher.config import TeacherConfig
from tetract.train.teacher.relations import Relations, relate, what_is_skipped
from tetract.train.teacher.teacher import Pseudo, Teacher

__all__ = ["Pseudo", "Relations", "Teacher", "TeacherConfig", "relate", "what_is_skipped"]
