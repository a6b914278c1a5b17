"""What a person must say about a set of boxes, because its files do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tetract.data.card import DatasetCard, SourceCard
from tetract.data.formats.class_names import class_name
from tetract.data.formats.patient_rule import PatientRule, patient_ids, patient_rule
from tetract.data.formats.renames import Renames
from tetract.data.table import Row
from tetract.errors import InputError

Silence = Literal["empty", "unknown"]
Crowd = Literal["unknown", "lesion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxChoices:
    """Answers to what box formats leave open.

    Attributes:
        name: Name of the data set and of its source.
        licence: Under which terms it may be used.
        citation: How to cite it.
        hu_known: Whether its files hold Hounsfield units.
        patients: Which patient an image belongs to.
        unannotated: What an image without annotation means; None: what the format says.
        crowd: What an outline around several lesions means; None: refuse the file that has one.
        renames: New names of classes.
    """

    name: str
    licence: str
    citation: str
    hu_known: bool
    patients: PatientRule
    unannotated: Silence | None = None
    crowd: Crowd | None = None
    renames: Renames = field(default_factory=lambda: Renames(classes={}))

    def __post_init__(self) -> None:
        """Refuse answers that say nothing.

        Raises:
            LabelError: ``E_CLASS_NAME`` for a name that cannot stand in a table.
            InputError: ``E_CHOICE_OPEN`` for a blank licence or citation.
        """
        if class_name(self.name, "--name") != self.name:
            raise open_choice("a name without blanks", "--name", found=f"'{self.name}'")
        if not self.licence.strip() or not self.citation.strip():
            raise open_choice("licence and citation", "words; 'none stated' if there are none")

    def silence(self, said_by_format: Silence) -> tuple[()] | None:
        """The boxes of an image without annotation."""
        return () if (self.unannotated or said_by_format) == "empty" else None

    def card(
        self,
        rows: list[Row],
        *,
        box_classes: tuple[str, ...],
        mask_classes: tuple[str, ...],
        notes: tuple[str, ...],
    ) -> DatasetCard:
        """The card of the data set these rows make."""
        source = SourceCard(
            name=self.name,
            citation=self.citation,
            licence=self.licence,
            hu_known=self.hu_known,
            mask_classes=mask_classes,
            box_classes=box_classes,
            patient_ids=patient_ids(rows, self.name),
            group_by=self.patients.told(),
            notes=" ".join(notes),
        )
        return DatasetCard(
            name=self.name,
            citation=self.citation,
            mask_classes=mask_classes,
            box_classes=box_classes,
            sources=(source,),
        )


def asked_patients(pattern: str | None, *, unknown: bool) -> PatientRule:
    """The answer to ``--patient-from`` or ``--patient-unknown``; one of them must be given.

    Raises:
        InputError: ``E_CHOICE_OPEN``; ``E_PATIENT_PATTERN`` for no regular expression.
    """
    if (pattern is None) is not unknown:
        raise open_choice(
            "which patient an image belongs to",
            "--patient-from with a regular expression on its name, or --patient-unknown",
            found="neither" if pattern is None else "both",
        )
    return patient_rule(pattern)


def open_choice(question: str, options: str, *, where: str = "", found: str = "") -> InputError:
    """The error for a question that only a person can answer."""
    return InputError(
        "E_CHOICE_OPEN",
        f"the files do not say {question}",
        where=where,
        expected=options,
        found=found,
        fix="Say it on the command line; nothing is guessed",
    )
