"""The data card: what the figures were measured on, and what its labels mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from tetract.data import SourceCard
from tetract.evaluate.cards.material import Material
from tetract.evaluate.cards.words import good, note, unknown, worst_first
from tetract.tasks.detection.metrics import DetectionRow
from tetract.types.card import Card, Remark
from tetract.types.table import Cell, Table

QUARTILES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


def data_card(material: Material) -> Card:
    """Sources, licences, labels and where they come from, spacing, sizes of lesions."""
    sources = _scored_sources(material)
    tables = [_sources(sources), _coverage(material), _spacing(material), _sizes(material)]
    return Card(
        name="data",
        title="Data card: what was scored, and what its labels mean",
        remarks=worst_first(
            [
                *(remark for source in sources for remark in _meaning(source)),
                *_origins(material),
                *_left_out(material),
            ]
        ),
        tables=tuple(table for table in tables if table.rows),
    )


def _scored_sources(material: Material) -> list[SourceCard]:
    names = set(material.scored.sources)
    return [one for one in material.folder.card.sources if one.name in names]


def _meaning(source: SourceCard) -> Iterator[Remark]:
    """What a reader would get wrong about a source's labels."""
    name = source.name
    if source.normal_class is None:
        yield note(f"{name}: no class means that nothing was found.")
    elif source.normal_means_lesion_free:
        yield good(f"{name}: '{source.normal_class}' means free of every lesion.")
    else:
        yield note(f"{name}: '{source.normal_class}' does not mean free of lesions.")
    if source.class_unit == "patient":
        yield note(
            f"{name}: the class was given to patients; a slice of theirs need not show the disease."
        )
    if source.box_classes and not source.boxes_complete:
        yield note(f"{name}: boxes are not complete; what lies outside them says nothing.")
    if not source.hu_known:
        yield note(f"{name}: grey values of pictures, not HU; figures in HU leave it out.")
    if not source.licence.strip():
        yield unknown(f"{name}: no licence is recorded.")


def _origins(material: Material) -> Iterator[Remark]:
    """How much of the truth is second-hand."""
    for one in material.scored.summary():
        if one.task not in material.evaluation.tasks:
            continue
        said = ", ".join(
            f"{count} {word}"
            for count, word in (
                (one.derived, "derived from masks or labels of another task"),
                (one.implied, "negative because the class is normal"),
            )
            if count
        )
        if said:
            yield note(f"{one.source}, {one.task}: of {one.labelled} labelled slices {said}.")


def _left_out(material: Material) -> Iterator[Remark]:
    count = len(material.scored.left_out)
    if count:
        yield note(f"{count} slices or rows of the split could not be read and are left out.")


def _sources(sources: Sequence[SourceCard]) -> Table:
    return Table(
        title="Sources",
        columns=(
            *("source", "citation", "licence", "HU", "patient ids", "grouped by"),
            *("class given to", "normal class", "notes"),
        ),
        rows=tuple(
            (
                *(one.name, one.citation, one.licence, "yes" if one.hu_known else "no"),
                *(one.patient_ids, one.group_by, one.class_unit, one.normal_class or "none"),
                one.notes,
            )
            for one in sources
        ),
    )


def _coverage(material: Material) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            *(str(one.task), one.source, one.slices, one.labelled, one.positive),
            *(one.labelled - one.derived - one.implied, one.derived, one.implied),
        )
        for one in material.scored.summary()
        if one.slices and one.task in material.evaluation.tasks
    ]
    return Table(
        title="Labels of the scored split",
        columns=(
            *("task", "source", "slices", "labelled", "positive"),
            *("measured", "derived", "implied"),
        ),
        rows=tuple(rows),
        note="Measured: given by the source. Derived: from the label of another task. Implied: "
        "negative because the class is normal.",
    )


def _spacing(material: Material) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for source in sorted(set(material.scored.sources)):
        mine = [one.identity for one in material.collected.seen if one.identity.source == source]
        known = [who.spacing_mm for who in mine if who.spacing_mm is not None]
        shown = "unknown"
        if known:
            sides = np.array(known)
            shown = f"{sides.min():.2f} to {sides.max():.2f}, median {np.median(sides):.2f}"
        rows.append((source, len(mine), len(known), shown))
    return Table(
        title="Pixel size as the model sees it",
        columns=("source", "slices", "with known spacing", "mm per pixel"),
        rows=tuple(rows),
    )


def _sizes(material: Material) -> Table:
    """Longest sides of the reference boxes."""
    sizes: dict[tuple[str, str], list[float]] = {}
    for row in material.collected.detection:
        for unit, size in _longest(row):
            sizes.setdefault((row.identity.source, unit), []).append(size)
    rows = [
        (source, len(found), unit, *(f"{np.quantile(found, q):.1f}" for q in QUARTILES))
        for (source, unit), found in sorted(sizes.items())
    ]
    return Table(
        title="Sizes of boxed lesions",
        columns=(
            *("source", "lesions on slices", "unit", "smallest", "lower quartile", "median"),
            *("upper quartile", "largest"),
        ),
        rows=tuple(rows),
        note="The longer side of each box; px of the model's image where spacing is unknown.",
    )


def _longest(row: DetectionRow) -> Iterator[tuple[str, float]]:
    spacing = row.identity.spacing_mm
    high, wide = (1.0, 1.0) if spacing is None else spacing
    for x0, y0, x1, y1 in row.truth_xyxy.tolist():
        yield "px" if spacing is None else "mm", max((x1 - x0) * wide, (y1 - y0) * high)
