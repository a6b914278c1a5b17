"""One record of a foreign table, read by the rules of its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from tetract.data.cells import (
    EMPTY,
    UNKNOWN,
    BoxEntry,
    MaskCell,
    MaskSource,
    SliceIndex,
    Split,
    parse_corners,
    parse_slice,
)
from tetract.data.mapping import (
    BoxRule,
    ClassRule,
    ImportMapping,
    MaskRule,
    Rule,
    SourceMapping,
    Take,
)
from tetract.data.records import Record
from tetract.data.table import Row
from tetract.data.voc import find_voc, read_voc
from tetract.errors import LabelError, ReadError
from tetract.io import read_label_map

AnyRule = TypeVar("AnyRule", bound=Rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a row needs besides its cells.

    Attributes:
        root: Absolute folder that the table's paths start from.
        classes: All class names of the data set.
        voc: Annotation folder to its files by name.
    """

    root: Path
    classes: tuple[str, ...]
    voc: Mapping[Path, Mapping[str, Path]]


def look_around(mapping: ImportMapping, root: Path) -> Surroundings:
    """Collect what ``map_row`` needs, once per import.

    Raises:
        ReadError: ``E_NO_FILE`` when an annotation folder does not exist.
    """
    folders = {rule.voc.folder for s in mapping.sources for rule in s.boxes if rule.voc}
    return Surroundings(
        root=root,
        classes=mapping.classes,
        voc={folder: find_voc(root / folder) for folder in sorted(folders)},
    )


def map_row(record: Record, source: SourceMapping, around: Surroundings) -> Row:
    """Read one record.

    Raises:
        LabelError: ``E_NO_RULE`` when no rule covers it, or a bad box.
        ReadError: ``E_MISSING_IMAGE``, ``E_MISSING_MASK`` or an unreadable annotation.
    """
    cells = record.cells
    image = around.root / (source.image.of(cells) or "")
    if image == around.root or not image.exists():
        raise ReadError("E_MISSING_IMAGE", "image file does not exist", where=image.name)
    index = _slice(source, cells)
    mask = _mask(source.mask, source.card.mask_classes, cells, around)
    return Row(
        image=image,
        source=source.card.name,
        slice=index,
        patient=_text(source.patient, cells),
        study=_text(source.study, cells),
        series=_text(source.series, cells),
        split=next((r.value for r in source.split if r.applies(cells)), Split.UNASSIGNED),
        label=_label(source.labels, cells, around, _Slice(index=index, mask=mask)),
        mask=mask,
        boxes=_boxes(source.boxes, cells, around),
        note=_text(source.note, cells) or "",
        number=record.number,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slice:
    index: SliceIndex
    mask: MaskCell | None

    def shows(self, name: str) -> bool:
        """Whether mask class ``name`` has a pixel on this slice."""
        source = (self.mask or {}).get(name)
        if not isinstance(source, MaskSource):
            return False
        values = read_label_map(source.path).values
        plane = values[self.index] if isinstance(self.index, int) else values
        return bool(np.any(plane != 0 if source.value is None else plane == source.value))


def _slice(source: SourceMapping, cells: Mapping[str, str]) -> SliceIndex:
    if isinstance(source.slice, Take):
        return parse_slice(source.slice.of(cells) or "")
    return parse_slice(source.slice)


def _text(take: Take | None, cells: Mapping[str, str]) -> str | None:
    return None if take is None else take.of(cells)


def _first(rules: Sequence[AnyRule], cells: Mapping[str, str], kind: str) -> AnyRule:
    for rule in rules:
        if rule.applies(cells):
            return rule
    raise _uncovered(rules, cells, kind)


def _uncovered(rules: Iterable[Rule], cells: Mapping[str, str], kind: str) -> LabelError:
    columns = dict.fromkeys(column for rule in rules for column in rule.columns())
    return LabelError(
        "E_NO_RULE",
        f"no {kind} rule of the mapping covers this row",
        found=", ".join(f"{column}='{cells[column]}'" for column in columns),
        fix="Add a rule; say unknown where nobody looked",
    )


def _label(
    rules: Sequence[ClassRule], cells: Mapping[str, str], around: Surroundings, here: _Slice
) -> frozenset[str] | None:
    rule = _first(rules, cells, "class")
    if rule.if_mask is not None and not here.shows(rule.if_mask):
        return None
    return rule.label(around.classes)


def _mask(
    rules: Sequence[MaskRule],
    looked_for: tuple[str, ...],
    cells: Mapping[str, str],
    around: Surroundings,
) -> MaskCell | None:
    rule = _first(rules, cells, "mask")
    if rule.value == UNKNOWN:
        return None
    if rule.value == EMPTY:
        return dict.fromkeys(looked_for, EMPTY)
    found: dict[str, MaskSource] = {}
    for piece in cells[rule.column or ""].split(rule.separator):
        text = piece.strip()
        holds = [file for file in rule.files if file.path.fullmatch(text)]
        if not text or not holds:
            raise _uncovered(rules, cells, "mask file")
        path = around.root / text
        if not path.exists():
            raise ReadError("E_MISSING_MASK", "mask file does not exist", where=path.name)
        for file in holds:
            if file.mask_class in found:
                raise LabelError("E_BAD_CELL", f"two masks for class {file.mask_class}")
            found[file.mask_class] = MaskSource(path=path, value=file.value)
    return found


def _boxes(
    rules: Sequence[BoxRule], cells: Mapping[str, str], around: Surroundings
) -> tuple[BoxEntry, ...] | None:
    for rule in rules:
        if not rule.applies(cells):
            continue
        if rule.voc is not None:
            path = around.voc[rule.voc.folder].get(rule.voc.key.of(cells) or "")
            if path is not None:
                return read_voc(path, rule.voc.names, inclusive=rule.inclusive)
        elif rule.column is not None:
            return _column_boxes(rule, cells[rule.column])
        else:
            return () if rule.value == EMPTY else None
    raise _uncovered(rules, cells, "boxes")


def _column_boxes(rule: BoxRule, text: str) -> tuple[BoxEntry, ...]:
    pieces = [piece.strip() for piece in text.split(rule.separator)]
    return tuple(
        BoxEntry(
            label=rule.label or "",
            xyxy=parse_corners(piece.replace(",", " ").split(), piece, inclusive=rule.inclusive),
        )
        for piece in pieces
    )
