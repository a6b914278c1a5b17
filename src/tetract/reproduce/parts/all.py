"""Every table and figure, in the order of the page."""

from __future__ import annotations

from collections.abc import Sequence

from tetract.errors import InputError
from tetract.reproduce.arm import Part
from tetract.reproduce.basis import Basis
from tetract.reproduce.parts import (
    a2_norm,
    a4_start,
    a6_labels,
    ablations,
    f2_transfer,
    f3_parts,
    f4_curves,
    l_sources,
    m1_twins,
    t1_tasks,
    t2_backbones,
    t3_losses,
)


def all_parts(basis: Basis) -> tuple[Part, ...]:
    """The paper's three tables and three figures, then ours."""
    return (
        t1_tasks.part(basis),
        t2_backbones.part(basis),
        t3_losses.part(basis),
        f2_transfer.part(basis),
        f3_parts.part(basis),
        f4_curves.part(basis),
        m1_twins.scratch_part(basis),
        m1_twins.published_part(basis),
        *l_sources.parts(basis),
        *ablations.parts(basis),
        a2_norm.part(basis),
        a4_start.part(basis),
        a6_labels.part(basis),
    )


def choose(parts: Sequence[Part], only: Sequence[str]) -> tuple[Part, ...]:
    """Those whose key is named; ``A`` names A1, A2 and so on, nothing names all.

    Raises:
        InputError: ``E_NO_TABLE`` listing what there is.
    """
    asked = [name.strip().upper() for name in only if name.strip()]
    for name in asked:
        if not any(_is_meant(part, name) for part in parts):
            raise InputError(
                "E_NO_TABLE",
                "there is no such table or figure",
                where="--only",
                expected=", ".join(part.key for part in parts),
                found=name,
                fix="Name some of these; A means every table A1, A2, ...",
            )
    return tuple(
        part for part in parts if not asked or any(_is_meant(part, name) for name in asked)
    )


def _is_meant(part: Part, name: str) -> bool:
    return part.key == name or (name.isalpha() and part.key.rstrip("0123456789") == name)
