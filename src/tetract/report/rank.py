"""Which slices to show first when a study has too many to show all."""

from __future__ import annotations

import numpy as np

from tetract.types import Findings, LabelSpace, SliceFindings

# Names of things that are meant to be there. Whatever is not in these lists counts as a finding.
_ANATOMY = frozenset({"lung", "lungs", "left_lung", "right_lung", "body", "airway", "trachea"})
_NORMAL = frozenset(
    {"normal", "healthy", "negative", "no_finding", "non_covid", "noncovid", "none"}
)
_FULL_SHARE = 0.02  # a lesion mask over 2 % of the slice gets full marks

SUSPICION_RULE = (
    "Slices are ranked by the mean of what the model's heads give: the best lesion score, the area "
    "of lesion masks (full marks at 2 % of the slice), and one minus the probability of a class "
    "with a name such as normal. The rank only orders slices for display."
)


def suspicion(found: SliceFindings, space: LabelSpace) -> float:
    """How early this slice should be shown, in [0, 1]; 0 when no head says anything."""
    marks: list[float] = []
    if found.boxes is not None:
        marks.append(max((box.score for box in found.boxes), default=0.0))
    if found.masks is not None:
        lesion = [
            m for m, n in zip(found.masks, space.mask_classes, strict=True) if not _anatomy(n)
        ]
        if lesion:
            share = float(np.any(np.stack(lesion), axis=0).mean())
            marks.append(min(1.0, share / _FULL_SHARE))
    normal = [k for k, name in enumerate(space.classes) if _plain(name) in _NORMAL]
    if found.class_probabilities is not None and normal:
        marks.append(1.0 - float(sum(found.class_probabilities[k] for k in normal)))
    return sum(marks) / len(marks) if marks else 0.0


def choose_slices(findings: Findings, suspicious: int = 24, spaced: int = 16) -> list[int]:
    """Positions of the slices to show, in the order of worth: suspicious and spaced ones mixed.

    Mixed, so that whoever must stop early still has both. A study of at most
    ``suspicious + spaced`` slices is shown whole.
    """
    marks = [suspicion(found, findings.label_space) for found in findings.slices]
    ranked = sorted(range(len(marks)), key=lambda at: (-marks[at], at))
    if len(ranked) <= suspicious + spaced:
        return ranked
    first = ranked[:suspicious]
    rest = sorted(ranked[suspicious:])
    picks = np.linspace(0, len(rest) - 1, spaced).round().astype(int)
    second = [rest[at] for at in dict.fromkeys(picks.tolist())]
    second = second[::4] + second[2::4] + second[1::2]  # any beginning of it is spread out
    worth = [(at / suspicious, place) for at, place in enumerate(first)]
    worth += [((at + 0.5) / spaced, place) for at, place in enumerate(second)]
    return [place for _, place in sorted(worth)]


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _anatomy(name: str) -> bool:
    return _plain(name) in _ANATOMY
