"""The card of a dataset folder: what the set is and what each source's labels mean."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, model_validator

from tetract.data.yaml_model import Strict, load_yaml_model
from tetract.errors import InputError, LabelError
from tetract.types import LabelSpace

CARD_NAME = "dataset.yaml"
RESERVED = frozenset({"unknown", "empty", "all", "not"})

# Names stand in cells next to ; | = and blanks, so none of these may be part of one.
ClassName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.+-]+$")]
ClassNames = tuple[ClassName, ...]


class SourceCard(Strict):
    """One source of a data set.

    Attributes:
        name: Name used in the table's ``source`` column.
        citation: How to cite it.
        licence: Under which terms it may be used.
        hu_known: Whether its files hold Hounsfield units (False for windowed 8-bit pictures).
        mask_classes: Mask classes its annotators looked for; ``empty`` means none of these.
        box_classes: Lesions its annotators looked for and boxed.
        boxes_complete: Whether a place without a box is free of these lesions. Where it is not
            (reports, DeepLesion), boxes are learnt from and the rest of the slice says nothing.
        hu_offset: What 16-bit pictures add to Hounsfield units (DeepLesion: 32768), or None
            where pictures hold no HU.
        class_unit: What a class name was given to: each ``slice``, or a ``patient`` as a whole.
        normal_class: The class that means "nothing found", or None.
        normal_means_lesion_free: Whether slices of ``normal_class`` hold no lesion of any kind.
            "Not COVID" is not lesion-free; say True only where the source says so.
        patient_ids: ``known`` for all rows, ``partly``, or ``unknown``.
        group_by: What the grouping key is, in words.
        notes: Anything a reader of results should know.
    """

    name: ClassName
    citation: str
    licence: str
    hu_known: bool
    mask_classes: ClassNames = ()
    box_classes: ClassNames = ()
    boxes_complete: bool = True
    hu_offset: int | None = None
    class_unit: Literal["slice", "patient"] = "slice"
    normal_class: ClassName | None = None
    normal_means_lesion_free: bool = False
    patient_ids: Literal["known", "partly", "unknown"]
    group_by: str
    notes: str = ""

    @model_validator(mode="after")
    def _normal_is_named(self) -> SourceCard:
        if self.hu_offset is not None and not self.hu_known:
            raise ValueError("hu_offset is for sources whose hu_known is true")
        if self.normal_means_lesion_free and self.normal_class is None:
            raise ValueError("normal_means_lesion_free needs normal_class to name the class")
        return self


class SplitCard(Strict):
    """How the split was made.

    Attributes:
        seed: Seed of ``assign_splits``.
        train: Share of slices aimed at, in [0, 1]; likewise ``val`` and ``test``.
        hash: ``split_hash`` of the rows when the folder was written.
    """

    seed: int
    train: float
    val: float
    test: float
    hash: str


class DatasetCard(Strict):
    """The whole data set.

    Attributes:
        name: Short name.
        description: One paragraph.
        citation: How to cite the set as a whole.
        classes: Image classes, in channel order.
        mask_classes: Mask classes, in channel order.
        box_classes: Boxed lesions, in channel order.
        sources: One card per source.
        split: How the split was made, or None where it was written by hand.
    """

    name: str
    description: str = ""
    citation: str = ""
    classes: ClassNames = ()
    mask_classes: ClassNames = ()
    box_classes: ClassNames = ()
    sources: Annotated[tuple[SourceCard, ...], Field(min_length=1)]
    split: SplitCard | None = None

    @property
    def label_space(self) -> LabelSpace:
        """The names behind the output channels of a model trained on this set."""
        return LabelSpace(
            classes=self.classes, mask_classes=self.mask_classes, box_classes=self.box_classes
        )

    def source(self, name: str) -> SourceCard:
        """The card of source ``name``.

        Raises:
            LabelError: ``E_SOURCE_UNKNOWN`` listing the sources there are.
        """
        for source in self.sources:
            if source.name == name:
                return source
        raise LabelError(
            "E_SOURCE_UNKNOWN",
            "the card describes no such source",
            expected="one of " + ", ".join(s.name for s in self.sources),
            found=f"'{name}'",
            fix=f"Correct the source column or add the source to {CARD_NAME}",
        )

    @model_validator(mode="after")
    def _names_agree(self) -> DatasetCard:
        known = {
            "classes": self.classes,
            "mask_classes": self.mask_classes,
            "box_classes": self.box_classes,
            "sources": tuple(s.name for s in self.sources),
        }
        for key, names in known.items():
            _check_names(key, names)
        for source in self.sources:
            normal = () if source.normal_class is None else (source.normal_class,)
            _check_subset(source.name, "normal_class", normal, self.classes)
            _check_subset(source.name, "mask_classes", source.mask_classes, self.mask_classes)
            _check_subset(source.name, "box_classes", source.box_classes, self.box_classes)
        return self


def load_card(folder: Path) -> DatasetCard:
    """Read the card of a dataset folder.

    Raises:
        InputError: ``E_NOT_A_DATASET`` without a card; ``E_BAD_CARD`` naming the wrong key.
    """
    path = folder / CARD_NAME
    if not path.is_file():
        raise InputError(
            "E_NOT_A_DATASET",
            f"folder holds no {CARD_NAME}",
            where=folder.name,
            fix="Give a dataset folder, or make one with tetract data import csv",
        )
    return load_yaml_model(path, DatasetCard, code="E_BAD_CARD", page="reference/dataset-folder.md")


def render_card(card: DatasetCard) -> str:
    """The card as YAML text; equal cards give equal text."""
    plain: dict[str, Any] = card.model_dump(mode="json")
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)


def _check_names(key: str, names: tuple[str, ...]) -> None:
    if len(set(names)) != len(names):
        raise ValueError(f"{key} names something twice")
    reserved = sorted(set(names) & RESERVED)
    if reserved:
        raise ValueError(f"{key} uses '{reserved[0]}', which has a meaning of its own in cells")


def _check_subset(source: str, key: str, names: Iterable[str], known: tuple[str, ...]) -> None:
    strangers = [name for name in names if name not in known]
    if strangers:
        listed = ", ".join(known) or "none"
        raise ValueError(
            f"source {source}: {key} names '{strangers[0]}', the data set knows {listed}"
        )
