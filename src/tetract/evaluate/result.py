"""What an evaluation found: plain frozen values, ready to be written or compared."""

from __future__ import annotations

from dataclasses import dataclass

from tetract.evaluate.trust.scores import TrustScores
from tetract.tasks.classification.metrics import ClassificationScores
from tetract.tasks.detection.metrics import DetectionScores
from tetract.tasks.reconstruction.metrics import ReconstructionScores
from tetract.tasks.segmentation.metrics import SegmentationScores
from tetract.types import LabelSpace, Task
from tetract.types.figure import Support


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What was evaluated, for the head of a report.

    Attributes:
        command: The command line that made it.
        split: Name of the split.
        model: Identity of the model: name and hash.
        warnings: Warnings of the data set, each starting with its code.
    """

    command: str = ""
    split: str = ""
    model: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hiding:
    """How pixels are withheld for the masked reconstruction figures.

    Attributes:
        patch_px: Side of a patch in pixels.
        fraction: Share of the patches hidden.
        seed: Not negative; with the row it fixes which ones.
    """

    patch_px: int
    fraction: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How slices are to be measured and scored; the same rows under another setting are others.

    Attributes:
        hiding: How pixels are withheld.
        hu_window_width: Width of the model's window in HU, or None where it has none.
        hu_window_low: Its lower end in HU, or None where unknown.
        hu_sources: Sources whose values are HU; a source not named is not.
        healthy: Classes that mean the absence of disease.
        grid_px: Side of the model's image in pixels, or None where unknown.
        split: Name of the split.
        cases: Hash of the data set's rows in their order: two evaluations with the same one
            number the same slices alike. "" where unknown.
        labels: Hash of what the split's rows are labelled with. "" where unknown.
        seed: Of the training behind the model, or None where unknown.
        arm: Hash of the recipe behind the model, seed and folders left out: models of one arm
            are repeats of each other. "" where unknown.
    """

    hiding: Hiding
    hu_window_width: float | None = None
    hu_window_low: float | None = None
    hu_sources: tuple[str, ...] = ()
    healthy: tuple[str, ...] = ()
    grid_px: int | None = None
    split: str = ""
    cases: str = ""
    labels: str = ""
    seed: int | None = None
    arm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The figures of all rows, or of one source.

    Attributes:
        name: "overall", or the source.
        support: Rows that teach at least one of the tasks.
        classification: None where the model has no such head.
        segmentation: None where the model has no such head.
        reconstruction: None where the model has no such head.
        detection: None where the model has no such head.
    """

    name: str
    support: Support
    classification: ClassificationScores | None
    segmentation: SegmentationScores | None
    reconstruction: ReconstructionScores | None
    detection: DetectionScores | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A whole evaluation.

    Attributes:
        about: What was evaluated.
        tasks: The model's tasks.
        label_space: What its channels mean.
        setting: How slices were measured and scored.
        bootstrap_draws: Draws behind the intervals; 0: there are none.
        overall: All rows together.
        sources: One section per source, by name.
        single_class_sources: Sources whose labelled slices all carry the same class label.
        class_is_source: Whether class and source coincide, so that knowing the scanner is
            knowing the class: no source holds slices both with and without any class.
        classes_told_by_source: Classes that no source holds both with and without.
        trust: The model's calibration, tested; None where it has none or was calibrated on the
            very rows.
    """

    about: About
    tasks: tuple[Task, ...]
    label_space: LabelSpace
    setting: Setting
    bootstrap_draws: int
    overall: Section
    sources: tuple[Section, ...]
    single_class_sources: tuple[str, ...]
    class_is_source: bool
    classes_told_by_source: tuple[str, ...] = ()
    trust: TrustScores | None = None
