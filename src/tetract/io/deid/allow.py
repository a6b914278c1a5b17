"""What may stay of a DICOM data set: a new one with what is allowed, never a copy with holes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from tetract.io.deid.actions import (
    EMPTIED_IF_PRESENT,
    ENHANCED_DUMMIES,
    ENHANCED_KEPT,
    ENHANCED_SEQUENCES,
    ENHANCED_UIDS,
    KEPT,
    KEPT_SEQUENCES,
    KEPT_TEXTS,
    NEW_UIDS,
    REGIONS,
)
from tetract.io.deid.secret import Renamer
from tetract.io.dicom.header import text

_CODE = re.compile(r"[A-Z0-9_ ]{0,16}")
_PLAIN = re.compile(r"[ -~]{0,64}")
_STANDARD_UID = re.compile(r"1\.2\.840\.10008\.[0-9.]{1,50}")
_NUMBERS = frozenset(("DS", "IS", "US", "SS", "UL", "SL", "FL", "FD", "AT"))
_STACK, _REGION = "StackID", "AnatomicRegionSequence"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowList:
    """What is allowed in one kind of image, by keyword.

    Attributes:
        kept: Values that stay, where they are what they should be.
        sequences: Sequences whose items are walked.
        uids: UIDs that become others.
        emptied: Values that are emptied.
        dummies: Values that become these.
        stacks: Whether stacks of frames (PS3.3 C.7.6.16.2.2) are numbered anew and regions named.
    """

    kept: frozenset[str]
    sequences: frozenset[str]
    uids: frozenset[str]
    emptied: frozenset[str]
    dummies: Mapping[str, str] = field(default_factory=dict)
    stacks: bool = False

    def keywords(self) -> frozenset[str]:
        """Everything that has to be read."""
        named = self.kept | self.sequences | self.uids | self.emptied | frozenset(self.dummies)
        return named | ({_STACK, _REGION} if self.stacks else set())


CLASSIC = AllowList(kept=KEPT, sequences=KEPT_SEQUENCES, uids=NEW_UIDS, emptied=EMPTIED_IF_PRESENT)
ENHANCED = AllowList(
    kept=KEPT | ENHANCED_KEPT,
    sequences=KEPT_SEQUENCES | ENHANCED_SEQUENCES,
    uids=NEW_UIDS | ENHANCED_UIDS,
    emptied=EMPTIED_IF_PRESENT - frozenset(ENHANCED_DUMMIES),
    dummies=ENHANCED_DUMMIES,
    stacks=True,
)


def allowed(source: Dataset, rules: AllowList, renamer: Renamer) -> Dataset:
    """What may stay of a data set, its sequences walked to their ends."""
    return _Walk(rules, renamer).made(source)


class _Walk:
    """One data set under way; what it met is remembered across its frames."""

    def __init__(self, rules: AllowList, renamer: Renamer) -> None:
        self._rules = rules
        self._renamer = renamer
        self._stacks: dict[str, str] = {}

    def made(self, source: Dataset) -> Dataset:
        """A new data set, or a sequence's new item."""
        made = Dataset()
        for tag in list(source.keys()):
            try:
                element = source[tag]
            except Exception:  # noqa: BLE001, S112 - a value that cannot be parsed cannot be vouched for
                continue
            self._add(made, element, keyword_for_tag(tag))
        return made

    def _add(self, made: Dataset, element: DataElement, keyword: str) -> None:
        rules, tag = self._rules, element.tag
        if keyword in rules.sequences and element.VR == "SQ":
            items = [self.made(item) for item in element.value]
            # A frame without a group of its own still counts as a frame.
            keeps_place = keyword == "PerFrameFunctionalGroupsSequence"
            made.add_new(tag, "SQ", [item for item in items if len(item) or keeps_place])
        elif keyword in rules.dummies:
            made.add_new(tag, dictionary_VR(tag), rules.dummies[keyword])
        elif keyword in rules.emptied:
            made.add_new(tag, dictionary_VR(tag), None)
        elif keyword in rules.uids and (new := _new_uids(element, self._renamer)):
            made.add_new(tag, "UI", new)
        elif keyword in rules.kept and _is_plain(element, keyword):
            made.add_new(tag, element.VR, element.value)
        elif rules.stacks and keyword == _STACK:
            name = str(element.value)
            made.add_new(tag, "SH", self._stacks.setdefault(name, str(len(self._stacks) + 1)))
        elif rules.stacks and keyword == _REGION and element.VR == "SQ":
            made.add_new(tag, "SQ", [code for item in element.value for code in _region(item)])


def _region(item: Dataset) -> list[Dataset]:
    scheme, value = text(item, "CodingSchemeDesignator"), text(item, "CodeValue")
    meaning = REGIONS.get((scheme, value))
    if meaning is None:
        return []
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return [code]


def _new_uids(element: DataElement, renamer: Renamer) -> list[str]:
    return [str(renamer.uid(uid)) for uid in _strings(element) if uid]


def _is_plain(element: DataElement, keyword: str) -> bool:
    """Whether a value is what its attribute should hold: a number, a code, or a machine's name."""
    if element.VR not in dictionary_VR(element.tag).split(" or "):
        return False
    if element.VR in _NUMBERS:
        return _is_number(element.value)
    if element.VR == "UI":
        return all(_STANDARD_UID.fullmatch(uid) for uid in _strings(element))
    pattern = _PLAIN if keyword in KEPT_TEXTS else _CODE
    return all(pattern.fullmatch(value) for value in _strings(element))


def _is_number(value: Any) -> bool:
    parts: list[Any] = list(value) if isinstance(value, list | MultiValue) else [value]
    try:
        return all(part in (None, "") or math.isfinite(float(part)) for part in parts)
    except (TypeError, ValueError, OverflowError):
        return False


def _strings(element: DataElement) -> list[str]:
    value: Any = element.value
    if value is None:
        return []
    parts: list[Any] = [value] if isinstance(value, str) else list(value)
    return [str(part) for part in parts]


for (
    _keyword
) in ENHANCED.keywords():  # a keyword that the dictionary lacks would be dropped silently
    if tag_for_keyword(_keyword) is None:
        raise ImportError(f"{_keyword} is unknown to this pydicom")
