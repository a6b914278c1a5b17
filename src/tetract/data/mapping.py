"""The mapping file of ``tetract data import csv``: which cell means what, in regexes and maps.

Every pattern must match the *whole* cell (``re.fullmatch``). Rules are lists; the first rule
whose ``when`` holds decides. A row that no rule covers is skipped and reported, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tetract.data.card import ClassName, ClassNames, DatasetCard, SourceCard
from tetract.data.cells import EMPTY, UNKNOWN, Split
from tetract.data.yaml_model import Strict, load_yaml_model

Conditions = dict[str, re.Pattern[str]]
"""Column name to a pattern; all must match. No conditions: always true."""


class Take(Strict):
    """A text taken from a cell.

    Attributes:
        column: Where it stands.
        pattern: Its first group is the text, or the whole match without a group.
        unknown: Patterns of texts that mean "not known".
    """

    column: str
    pattern: re.Pattern[str] = re.compile(r".*")
    unknown: tuple[re.Pattern[str], ...] = ()

    def of(self, cells: Mapping[str, str]) -> str | None:
        """The text, or None where it is blank, unknown or does not match."""
        match = self.pattern.fullmatch(cells[self.column])
        if match is None:
            return None
        text = match[1] if self.pattern.groups else match[0]
        if not text or any(pattern.fullmatch(text) for pattern in self.unknown):
            return None
        return text


class Rule(Strict):
    """A rule that applies when all its conditions match."""

    when: Annotated[Conditions, Field(default_factory=dict)]

    def applies(self, cells: Mapping[str, str]) -> bool:
        """Whether every condition matches its whole cell."""
        return all(pattern.fullmatch(cells[column]) for column, pattern in self.when.items())

    def columns(self) -> Iterator[str]:
        """Columns the rule reads."""
        yield from self.when


class Excluded(Strict):
    """All classes but one: what a source that only rules a class out leaves possible."""

    excluded: Annotated[ClassName, Field(alias="not")]


class ClassRule(Rule):
    """What the class is.

    Attributes:
        value: ``unknown``, a name, a list of candidates, or ``{not: name}``.
        if_mask: The class holds only where this mask class has a pixel on the slice; elsewhere it
            is unknown. For sources that give a patient's class to slices without a finding.
    """

    value: Annotated[str | ClassNames | Excluded, Field(alias="is")]
    if_mask: ClassName | None = None

    def label(self, classes: tuple[str, ...]) -> frozenset[str] | None:
        """Candidate classes, or None for unknown."""
        if isinstance(self.value, Excluded):
            return frozenset(classes) - {self.value.excluded}
        if isinstance(self.value, str):
            return None if self.value == UNKNOWN else frozenset({self.value})
        return frozenset(self.value)

    def names(self) -> ClassNames:
        """Class names the rule uses."""
        if isinstance(self.value, Excluded):
            return (self.value.excluded,)
        named = (self.value,) if isinstance(self.value, str) else self.value
        return tuple(name for name in named if name != UNKNOWN)


class MaskFile(Strict):
    """Which class a mask file holds.

    Attributes:
        path: Pattern of the path as the table writes it.
        mask_class: Its class.
        value: The voxel value that means it; None: every value but zero.
    """

    path: re.Pattern[str] = re.compile(r".*")
    mask_class: Annotated[ClassName, Field(alias="class")]
    value: int | None = None


class MaskRule(Rule):
    """What the masks are: either ``is`` (``unknown`` or ``empty``), or files from a column.

    Attributes:
        value: ``unknown``, or ``empty`` for all mask classes of the source.
        column: Column of paths.
        separator: What stands between two paths.
        files: Class by path; one file may hold several classes by ``value``.
    """

    value: Annotated[Literal["unknown", "empty"] | None, Field(alias="is")] = None
    column: str | None = None
    separator: Annotated[str, Field(min_length=1)] = "|"
    files: tuple[MaskFile, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> MaskRule:
        _exactly_one("is, column", self.value, self.column)
        if (self.column is None) != (not self.files):
            raise ValueError("column and files belong together")
        return self

    def columns(self) -> Iterator[str]:
        """Columns the rule reads."""
        yield from self.when
        if self.column is not None:
            yield self.column


class VocBoxes(Strict):
    """Boxes in Pascal VOC XML files, one file per image.

    Attributes:
        folder: Folder under the images root, searched at all depths.
        key: The name of the XML file without its suffix.
        names: Pattern of the object's name to box class.
    """

    folder: Path
    key: Take
    names: dict[re.Pattern[str], ClassName]


class BoxRule(Rule):
    """What the boxes are: ``is``, a ``column`` of corners, or ``voc`` files.

    Attributes:
        value: ``unknown``, or ``empty`` for all box classes of the source.
        column: Column of ``x0 y0 x1 y1`` in px, several with ``separator``.
        separator: What stands between two boxes.
        label: Box class of every box in ``column``.
        inclusive: The far corner names the last pixel inside: 1 is added to x1 and y1.
        voc: Where the XML files are; a row without a file goes on to the next rule.
    """

    value: Annotated[Literal["unknown", "empty"] | None, Field(alias="is")] = None
    column: str | None = None
    separator: Annotated[str, Field(min_length=1)] = ";"
    label: ClassName | None = None
    inclusive: bool = False
    voc: VocBoxes | None = None

    @model_validator(mode="after")
    def _one_way(self) -> BoxRule:
        _exactly_one("is, column, voc", self.value, self.column, self.voc)
        if (self.column is None) != (self.label is None):
            raise ValueError("column and label belong together")
        return self

    def columns(self) -> Iterator[str]:
        """Columns the rule reads."""
        yield from self.when
        if self.column is not None:
            yield self.column
        if self.voc is not None:
            yield self.voc.key.column


class SplitRule(Rule):
    """A split that the source itself publishes."""

    value: Annotated[Split, Field(alias="is")]


class IgnoreRule(Rule):
    """Rows that are left out on purpose, with the reason that is reported."""

    reason: Annotated[str, Field(min_length=1)]


class SourceMapping(Rule):
    """How the rows of one source are read; ``when`` says which rows these are.

    Attributes:
        card: What goes into the data set's card.
        image: The image's path.
        slice: ``-`` for single pictures or files, ``all`` for volumes, or a column of indices.
        patient: Grouping key.
        study: Study key.
        series: Series key.
        note: Free text to keep.
        labels: Class rules.
        mask: Mask rules.
        boxes: Box rules.
        split: Published splits; rows without one are assigned.
    """

    card: SourceCard
    image: Take
    slice: Literal["-", "all"] | Take = "-"
    patient: Take | None = None
    study: Take | None = None
    series: Take | None = None
    note: Take | None = None
    labels: Annotated[tuple[ClassRule, ...], Field(alias="class", min_length=1)]
    mask: Annotated[tuple[MaskRule, ...], Field(min_length=1)]
    boxes: Annotated[tuple[BoxRule, ...], Field(min_length=1)]
    split: tuple[SplitRule, ...] = ()

    @model_validator(mode="after")
    def _classes_are_per_slice(self) -> SourceMapping:
        if self.slice == "all" and any(rule.if_mask for rule in self.labels):
            raise ValueError("if_mask asks one slice, but the rows are whole volumes")
        return self

    def columns(self) -> Iterator[str]:
        """Columns that any rule of the source reads."""
        yield from self.when
        taken = (self.image, self.slice, self.patient, self.study, self.series, self.note)
        yield from (take.column for take in taken if isinstance(take, Take))
        for rule in (*self.labels, *self.mask, *self.boxes, *self.split):
            yield from rule.columns()


class ImportMapping(Strict):
    """The whole mapping file.

    Attributes:
        name: Name of the data set.
        description: One paragraph.
        citation: How to cite the set as a whole.
        classes: Image classes, in channel order.
        mask_classes: Mask classes, in channel order.
        box_classes: Boxed lesions, in channel order.
        ignore: Rows left out on purpose; asked before the sources.
        sources: The sources; the first whose ``when`` matches a row reads it.
    """

    name: str
    description: str = ""
    citation: str = ""
    classes: ClassNames = ()
    mask_classes: ClassNames = ()
    box_classes: ClassNames = ()
    ignore: tuple[IgnoreRule, ...] = ()
    sources: Annotated[tuple[SourceMapping, ...], Field(min_length=1)]

    def columns(self) -> tuple[str, ...]:
        """Columns the table must have, each once."""
        rules: tuple[Rule, ...] = (*self.ignore, *self.sources)
        return tuple(dict.fromkeys(column for rule in rules for column in rule.columns()))

    def dataset_card(self) -> DatasetCard:
        """The card of the data set it makes, without a split."""
        return DatasetCard(
            name=self.name,
            description=self.description,
            citation=self.citation,
            classes=self.classes,
            mask_classes=self.mask_classes,
            box_classes=self.box_classes,
            sources=tuple(source.card for source in self.sources),
        )

    @model_validator(mode="after")
    def _names_agree(self) -> ImportMapping:
        self.dataset_card()
        for source in self.sources:
            card = source.card
            masks = [file.mask_class for rule in source.mask for file in rule.files]
            masks += [rule.if_mask for rule in source.labels if rule.if_mask is not None]
            boxed = [rule.label for rule in source.boxes if rule.label is not None]
            boxed += [name for r in source.boxes if r.voc for name in r.voc.names.values()]
            named = [name for rule in source.labels for name in rule.names()]
            _check_listed(f"{card.name}: class", named, self.classes)
            _check_listed(f"{card.name}: mask", masks, card.mask_classes)
            _check_listed(f"{card.name}: boxes", boxed, card.box_classes)
            for key, rules, looked_for in (
                ("mask", source.mask, card.mask_classes),
                ("boxes", source.boxes, card.box_classes),
            ):
                if not looked_for and any(rule.value == EMPTY for rule in rules):
                    raise ValueError(f"{card.name}: {key} is empty, but nothing was looked for")
        return self


def load_mapping(path: Path) -> ImportMapping:
    """Read a mapping file.

    Raises:
        InputError: ``E_NO_FILE``, or ``E_BAD_MAPPING`` naming the first wrong key.
    """
    return load_yaml_model(
        path, ImportMapping, code="E_BAD_MAPPING", page="how-to/import-a-table.md"
    )


def _exactly_one(keys: str, *values: object) -> None:
    if sum(value is not None for value in values) != 1:
        raise ValueError(f"give exactly one of {keys}")


def _check_listed(where: str, names: list[str], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{where} uses '{name}', which is not among {', '.join(known)}")
