"""Who a file belongs to, where only its name can tell, and only if the user says how."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tetract.data.table import Row
from tetract.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRule:
    """How a name gives the grouping key. Without an answer patients are unknown.

    Attributes:
        pattern: Must match the whole name; its first group is the key, or the whole match.
        name_is_patient: The name itself is the key.
    """

    pattern: re.Pattern[str] | None = None
    name_is_patient: bool = False

    def of(self, name: str) -> str | None:
        """The patient of a case or a path."""
        if self.name_is_patient:
            return name
        match = None if self.pattern is None else self.pattern.fullmatch(name)
        if match is None or self.pattern is None:
            return None
        return (match[1] if self.pattern.groups else match[0]) or None

    def told(self) -> str:
        """What the key is, for the card."""
        if self.name_is_patient:
            return "name of the case, which its importer says is the patient"
        if self.pattern is not None:
            return f"taken from the name by {self.pattern.pattern}"
        return "not published; rows are grouped by image"

    def check_met(self, rows: Iterable[Row], origin: str) -> None:
        """Refuse a pattern that no name matched: a slip of the pen.

        Raises:
            InputError: ``E_PATIENT_PATTERN``.
        """
        rows = list(rows)
        if self.pattern is not None and rows and all(row.patient is None for row in rows):
            raise InputError(
                "E_PATIENT_PATTERN",
                "the pattern for patients matches no name",
                where=origin,
                expected="a regular expression that matches the whole name",
                found=f"'{self.pattern.pattern}'",
                fix="Begin and end it with .* if need be; its first group is the patient",
            )


def patient_rule(pattern: str | None, *, name_is_patient: bool = False) -> PatientRule:
    """The rule behind ``--patient-from`` and ``--case-is-patient``.

    Raises:
        InputError: ``E_OPTION_UNFIT`` for both at once, ``E_PATIENT_PATTERN`` for no pattern.
    """
    if pattern is None:
        return PatientRule(name_is_patient=name_is_patient)
    if name_is_patient:
        raise InputError(
            "E_OPTION_UNFIT",
            "the patient is asked for in two ways",
            expected="--patient-from or --case-is-patient",
            fix="Leave one of them out",
        )
    try:
        return PatientRule(pattern=re.compile(pattern))
    except (re.error, RecursionError, OverflowError) as fault:
        raise InputError(
            "E_PATIENT_PATTERN",
            f"not a regular expression: {fault}",
            found=f"'{pattern}'",
            fix="Quote it for your shell; its first group is the patient",
        ) from None


def patient_ids(rows: Iterable[Row], source: str) -> Literal["known", "partly", "unknown"]:
    """What the card says of a source's patients."""
    known = {row.patient is not None for row in rows if row.source == source}
    if len(known) == 2:
        return "partly"
    return "known" if known == {True} else "unknown"
