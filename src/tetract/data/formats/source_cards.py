"""The card of an import whose rows are done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tetract.data.card import DatasetCard, SourceCard
from tetract.data.formats.patient_rule import patient_ids
from tetract.data.read_image import source_of
from tetract.data.table import Row

NOT_STATED = "not stated by the files"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What an importer knows of its data set besides the rows.

    Attributes:
        name: Name of the data set and of its source; grey levels have the source ``name-grey``.
        group_by: What the patient's key is.
        description: One paragraph.
        citation: How to cite it.
        licence: Terms of use.
        classes: Image classes.
        mask_classes: Mask classes, all of them looked for in every labelled row.
        lesions: Classes that are lesions: boxes are derived of their masks, or were drawn.
        boxed: Lesions that were boxed.
        class_unit: What a class was given to.
        normal_class: The class that means "nothing found", or None.
        notes: What a reader of results should know.
    """

    name: str
    group_by: str
    description: str = ""
    citation: str = NOT_STATED
    licence: str = NOT_STATED
    classes: tuple[str, ...] = ()
    mask_classes: tuple[str, ...] = ()
    lesions: tuple[str, ...] = ()
    boxed: tuple[str, ...] = ()
    class_unit: Literal["slice", "patient"] = "slice"
    normal_class: str | None = None
    notes: str = ""


def import_card(about: About, rows: Sequence[Row]) -> DatasetCard:
    """The card of a data set of these rows, one source per kind of values.

    Args:
        about: What is known.
        rows: Its rows, of the sources that ``source_of(about.name)`` gives.
    """
    names = sorted({row.source for row in rows})
    return DatasetCard(
        name=about.name,
        description=about.description,
        citation=about.citation,
        classes=about.classes,
        mask_classes=about.mask_classes,
        box_classes=about.lesions,
        sources=tuple(_source(about, rows, name) for name in names),
    )


def _source(about: About, rows: Sequence[Row], name: str) -> SourceCard:
    return SourceCard(
        name=name,
        citation=about.citation,
        licence=about.licence,
        hu_known=name == source_of(about.name, hu_known=True),
        mask_classes=about.mask_classes,
        box_classes=about.boxed,
        class_unit=about.class_unit,
        normal_class=about.normal_class,
        patient_ids=patient_ids(rows, name),
        group_by=about.group_by,
        notes=about.notes,
    )
