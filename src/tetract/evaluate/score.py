"""From collected rows to figures, over all rows and per source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from tetract.evaluate.class_source import Coincidence, find_coincidence
from tetract.evaluate.collect import Collected
from tetract.evaluate.result import About, Evaluation, Section
from tetract.evaluate.signals import ANATOMY
from tetract.evaluate.trust.calibration import Calibration
from tetract.evaluate.trust.score_trust import score_trust
from tetract.tasks.classification.metrics import score_classification
from tetract.tasks.detection.metrics import score_detection
from tetract.tasks.reconstruction.metrics import score_reconstruction
from tetract.tasks.segmentation.metrics import score_segmentation
from tetract.types import Task
from tetract.types.figure import count_support
from tetract.types.identity import HasIdentity
from tetract.types.resamples import AS_IS, Resamples

OVERALL = "overall"
_Row = TypeVar("_Row", bound=HasIdentity)


def score(
    collected: Collected,
    *,
    about: About | None = None,
    resamples: Resamples = AS_IS,
    calibration: Calibration | None = None,
) -> Evaluation:
    """Score everything that was collected.

    Args:
        collected: The rows.
        resamples: Draws of the patients seen, for intervals; ``AS_IS``: no intervals.
        calibration: Of the model, to be tested; None: it has none.
        about: What was evaluated; warnings about missing patient identities and references are
            added to it.
    """
    about = About() if about is None else about
    names = sorted({row.identity.source for row in collected.seen})
    sources = tuple(_section(collected, name, resamples) for name in names)
    overall = _section(collected, None, resamples)
    entangled = rows_coincidence(collected)
    return Evaluation(
        about=About(
            command=about.command,
            split=about.split,
            model=about.model,
            warnings=(
                *about.warnings,
                *_patient_warnings(about.warnings, sources),
                *_reference_warnings(collected),
            ),
        ),
        tasks=collected.tasks,
        label_space=collected.label_space,
        setting=collected.setting,
        bootstrap_draws=resamples.draws,
        overall=overall,
        sources=sources,
        single_class_sources=entangled.single,
        class_is_source=entangled.whole,
        classes_told_by_source=entangled.told,
        trust=None if calibration is None else score_trust(collected, calibration, resamples),
    )


def _section(collected: Collected, source: str | None, resamples: Resamples) -> Section:
    """The figures of one source, or of all."""
    names, tasks, setting = collected.label_space, collected.tasks, collected.setting

    def pick(rows: Sequence[_Row]) -> list[_Row]:
        return [row for row in rows if source is None or row.identity.source == source]

    return Section(
        name=OVERALL if source is None else source,
        support=count_support(pick(collected.seen)),
        classification=score_classification(
            pick(collected.classification), names.classes, resamples=resamples
        )
        if Task.CLASSIFICATION in tasks
        else None,
        segmentation=score_segmentation(
            pick(collected.segmentation), names.mask_classes, resamples=resamples, anatomy=ANATOMY
        )
        if Task.SEGMENTATION in tasks
        else None,
        reconstruction=score_reconstruction(
            pick(collected.reconstruction),
            hu_window_width=setting.hu_window_width,
            hu_known=dict.fromkeys(setting.hu_sources, True),
            resamples=resamples,
        )
        if Task.RECONSTRUCTION in tasks
        else None,
        detection=score_detection(pick(collected.detection), names.box_classes, resamples=resamples)
        if Task.DETECTION in tasks
        else None,
    )


def rows_coincidence(collected: Collected) -> Coincidence:
    """Whether the sources of the scored slices give their classes away."""
    rows, classes = collected.classification, collected.label_space.classes
    labels = np.array([row.candidates for row in rows], dtype=bool).reshape(len(rows), len(classes))
    return find_coincidence(labels, [row.identity.source for row in rows], classes)


def _patient_warnings(given: tuple[str, ...], sources: Sequence[Section]) -> tuple[str, ...]:
    """One warning per source without patient identities, unless the data set already warned."""
    if any(warning.startswith("W_NO_PATIENT_IDS") for warning in given):
        return ()
    return tuple(
        f"W_NO_PATIENT_IDS {section.name}: {section.support.slices_without_patient} of "
        f"{section.support.slices} slices name no patient; each counts as a group of its own, "
        "so slices of one person may stand in several groups or splits"
        for section in sources
        if section.support.slices_without_patient
    )


def _reference_warnings(collected: Collected) -> tuple[str, ...]:
    """One warning per task of the model that no slice is labelled for."""
    rows = {
        Task.CLASSIFICATION: collected.classification,
        Task.SEGMENTATION: collected.segmentation,
        Task.RECONSTRUCTION: collected.reconstruction,
        Task.DETECTION: collected.detection,
    }
    return tuple(
        f"W_NO_REFERENCE {task}: none of {len(collected.seen)} slices is labelled for it; "
        "its figures are undefined"
        for task in collected.tasks
        if not rows[task]
    )
