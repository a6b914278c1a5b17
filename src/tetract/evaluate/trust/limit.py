"""A limit that new patients exceed at most so often: conformal risk control over patients.

Angelopoulos et al. 2022 (arXiv 2208.02814): the loss of a patient is the share of his slices above
the limit; with n patients, the smallest limit for which (sum of losses + 1) / (n + 1) is at most
the stated rate keeps the *expected* loss of one more patient at or below that rate, if he is
exchangeable with them. With one slice per patient it is split conformal prediction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tetract.types.identity import HasIdentity, group_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What is exceeded at most so often.

    Attributes:
        value: Flagged is what lies *above* it; None where nothing can be promised.
        reason: Why not; "".
        rate: Share of a new patient's slices above it, expected at most.
        patients: Whom it was found on; slices that name no patient are left out.
        reached: Mean share of their own slices above it; None without a value.
    """

    value: float | None
    reason: str
    rate: float
    patients: int
    reached: float | None = None


def find_limit(scores: Float[np.ndarray, " N"], rows: Sequence[HasIdentity], rate: float) -> Limit:
    """The smallest limit among ``scores`` that keeps ``rate``.

    Args:
        scores: One per slice, finite; high is unusual.
        rows: Whose they are.
        rate: In (0, 1).

    Raises:
        ValueError: For another ``rate``.
    """
    if not 0 < rate < 1:
        msg = f"a rate lies in (0, 1), found {rate}"
        raise ValueError(msg)
    keys = group_keys(rows)
    named = np.array([bool(key[1]) for key in keys], dtype=np.bool_)
    known = [key for key in keys if key[1]]
    number = {key: at for at, key in enumerate(dict.fromkeys(known))}
    patients, needed = len(number), needed_patients(rate)
    if patients < needed:
        without = int((~named).sum())
        nameless = f" ({without} slices name no patient)" if without else ""
        return none(
            f"{patients} patients{nameless}: at least {needed} are needed to promise {rate:.0%}",
            rate,
            patients,
        )
    patient = np.array([number[key] for key in known], dtype=np.int64)
    kept = scores[named]
    order = np.argsort(-kept, kind="stable")
    share = 1 / np.bincount(patient, minlength=patients)
    # (N,) summed losses were the limit just below each score, highest first.
    losses = np.cumsum(share[patient[order]])
    allowed = rate * (patients + 1) - 1
    sorted_scores = kept[order]
    # A limit at a score exceeds those strictly above it: ties fall together.
    above = np.searchsorted(-sorted_scores, -sorted_scores, side="left")
    exceeded = np.where(above > 0, losses[np.maximum(above - 1, 0)], 0.0)
    place = int(np.flatnonzero(exceeded <= allowed + 1e-9)[-1])
    return Limit(
        value=float(sorted_scores[place]),
        reason="",
        rate=rate,
        patients=patients,
        reached=float(exceeded[place]) / patients,
    )


def needed_patients(rate: float) -> int:
    """Fewest patients with whom ``rate`` can be promised at all: 1 / rate - 1."""
    return math.ceil(1 / rate - 1 - 1e-9)


def none(reason: str, rate: float, patients: int = 0) -> Limit:
    """Nothing is promised, and why."""
    return Limit(value=None, reason=reason, rate=rate, patients=patients)
