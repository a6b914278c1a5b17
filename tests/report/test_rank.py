"""Which slices are shown."""

from __future__ import annotations

import dataclasses

import numpy as np
from report_phantom import SPACE, headless, one_slice, study

from tetract.report.rank import choose_slices, suspicion


def test_a_slice_with_a_lesion_comes_before_one_without() -> None:
    assert suspicion(one_slice(0), SPACE) > suspicion(one_slice(0, found=False), SPACE)


def test_anatomy_alone_is_not_suspicious() -> None:
    masks = np.zeros((2, 8, 8), dtype=bool)
    masks[0] = True
    found = dataclasses.replace(headless(), masks=masks)
    assert suspicion(found, SPACE) == 0.0


def test_no_head_means_no_mark() -> None:
    assert suspicion(headless(), SPACE) == 0.0


def test_a_small_study_is_shown_whole() -> None:
    findings, _ = study(5, 16)
    assert sorted(choose_slices(findings)) == [0, 1, 2, 3, 4]


def test_a_long_study_shows_the_suspicious_and_evenly_spaced_ones() -> None:
    findings, _ = study(90, 16)
    chosen = choose_slices(findings)
    marks = [suspicion(found, SPACE) for found in findings.slices]
    best = sorted(range(90), key=lambda at: -marks[at])[:24]
    assert len(chosen) == len(set(chosen)) == 40
    assert set(best) <= set(chosen)
    assert np.diff(sorted(chosen)).max() <= 12
