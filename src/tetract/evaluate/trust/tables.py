"""A tested calibration as tables."""

from __future__ import annotations

from collections.abc import Iterator

from tetract.evaluate.table_cells import make_table
from tetract.evaluate.trust.scores import TrustScores
from tetract.types.table import Table


def trust_tables(scores: TrustScores | None) -> Iterator[Table]:
    """What was promised and what was kept; nothing for a model that was not calibrated."""
    if scores is None:
        return
    found = f"Found on {scores.calibrated_on} ({scores.support.slices} slices, "
    found += f"{scores.support.patients} patients)."
    missing = " ".join(scores.unpromised)
    if scores.selective is not None:
        one = scores.selective
        yield make_table(
            "Trust, errors against share kept",
            ["error", "AURC by confidence", "AURC with agreement", "gain"],
            [[one.error, one.confidence_aurc, one.agreement_aurc, one.gain]],
            "Area under the risk-coverage curve of the most probable class: lower is better; a "
            "gain above 0 says that the agreement of box, mask and class helps.",
        )
    points = [("specificity", p) for p in scores.class_points]
    points += [("FP per slice", scores.box_point)] if scores.box_point is not None else []
    if points:
        yield make_table(
            "Trust, thresholds kept from the validation split",
            ["of", "threshold", "wanted", "reached", "sensitivity"],
            [
                [p.name, f"{p.threshold:.4g}", f"{p.wanted:g} {unit}", p.reached, p.sensitivity]
                for unit, p in points
            ],
            found,
        )
    if scores.class_sets is not None:
        sets = scores.class_sets
        yield make_table(
            "Trust, sets of classes that cannot be ruled out",
            ["promised", "covered", "decided", "accuracy where decided", "accuracy of all"],
            [
                [
                    f"{sets.wanted:.0%}",
                    sets.covered,
                    sets.decided,
                    sets.accuracy_decided,
                    sets.accuracy,
                ]
            ],
            f"{found} The promise holds on average for patients like those. {missing}".strip(),
        )
    if scores.flagged:
        yield make_table(
            "Trust, slices flagged",
            ["rows", "flag", "at most", "flagged"],
            [[f.name, f.doubt, f"{f.wanted:.0%}", f.share] for f in scores.flagged],
            "Means over patients. The rate was promised for patients like those of the "
            f"validation split; more elsewhere is the flag at work. {missing}".strip(),
        )
