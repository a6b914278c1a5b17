"""The nouns. ``tetract.types.batch`` holds the ones that need torch."""

from tetract.types.findings import Findings, LesionBox, SliceFindings
from tetract.types.geometry import Geometry
from tetract.types.targets import Boxes, BoxTarget, MaskTarget, Targets
from tetract.types.task import LabelSpace, Task
from tetract.types.volume import Provenance, Volume

__all__ = [
    "BoxTarget",
    "Boxes",
    "Findings",
    "Geometry",
    "LabelSpace",
    "LesionBox",
    "MaskTarget",
    "Provenance",
    "SliceFindings",
    "Targets",
    "Task",
    "Volume",
]
