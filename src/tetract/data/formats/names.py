"""Which class each named region of a foreign object becomes: said, or plain; never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tetract.data.card import RESERVED
from tetract.errors import LabelError
from tetract.io import Region

LEFT_OUT: Final = "-"
_CLASS: Final = re.compile(r"[A-Za-z0-9_.+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRules:
    """The answers of a user to the question what regions mean.

    Attributes:
        classes: A region's name, ``VALUE:SCHEME`` code or ``#number`` to its class; ``LEFT_OUT``
            for regions that are not wanted. Without any entry, names are classes as they stand.
    """

    classes: Mapping[str, str]

    def applied(self, regions: Sequence[Region], where: str) -> dict[str, tuple[int, ...]]:
        """Class to the numbers of its regions, in the order of the object.

        Raises:
            LabelError: ``E_SEGMENT_UNKNOWN`` for a region without a class, ``E_SEGMENT_AMBIGUOUS``
                for one with two, or where two regions without rules have one name.
        """
        found: dict[str, list[int]] = {}
        for region in regions:
            name = self._class(region, regions, where)
            if name != LEFT_OUT:
                found.setdefault(name, []).append(region.number)
        if not self.classes:
            twice = next((name for name, numbers in found.items() if len(numbers) > 1), None)
            if twice is not None:
                raise _ambiguous(where, "regions of different names", f"'{twice}' more than once")
        return {name: tuple(numbers) for name, numbers in found.items()}

    def check_used(self, regions: Iterable[Region], where: str) -> None:
        """Refuse a rule that no region of any object met: a slip of the pen.

        Raises:
            LabelError: ``E_SEGMENT_UNKNOWN`` with the names there are.
        """
        seen = list(regions)
        for name in self.classes:
            if not any(_is_called(region, name) for region in seen):
                raise _unknown(where, f"no region is called '{name}'", _listed(seen))

    def _class(self, region: Region, regions: Sequence[Region], where: str) -> str:
        if not self.classes:
            return _as_class(region, where)
        wanted = {value for name, value in self.classes.items() if _is_called(region, name)}
        if len(wanted) > 1:
            raise _ambiguous(where, f"one class for '{region.name}'", ", ".join(sorted(wanted)))
        if not wanted:
            told = f"'{region.name}' has no class"
            raise _unknown(where, told, _listed(regions))
        return wanted.pop()


def parse_rules(texts: Sequence[str]) -> NameRules:
    """Rules written as ``NAME=class`` or ``NAME=-``.

    Raises:
        LabelError: ``E_SEGMENT_RULE``.
    """
    classes: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.rpartition("="))
        legal = value == LEFT_OUT or (_CLASS.fullmatch(value) and value not in RESERVED)
        if not (equals and name and legal) or name in classes:
            raise LabelError(
                "E_SEGMENT_RULE",
                "not a rule for a region",
                expected="NAME=class, each name once; class of letters, digits, _ . + -",
                found=f"'{text}'",
                fix="Write NAME=- for a region that is not wanted",
            )
        classes[name] = value
    return NameRules(classes=classes)


def _is_called(region: Region, name: str) -> bool:
    return name in (region.name, f"#{region.number}", *region.codes)


def _as_class(region: Region, where: str) -> str:
    name = "_".join(region.name.split())
    if _CLASS.fullmatch(name) is None or name in (*RESERVED, LEFT_OUT):
        raise _unknown(where, f"'{region.name}' cannot be the name of a class", "")
    return name


def _listed(regions: Sequence[Region]) -> str:
    names = [f"#{r.number} '{r.name}'" + "".join(f" {code}" for code in r.codes) for r in regions]
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def _unknown(where: str, found: str, listed: str) -> LabelError:
    return LabelError(
        "E_SEGMENT_UNKNOWN",
        "a region and the rules for regions do not fit",
        where=where,
        expected="" if not listed else f"rules for {listed}",
        found=found,
        fix="Say NAME=class, or NAME=- to leave it out",
    )


def _ambiguous(where: str, expected: str, found: str) -> LabelError:
    return LabelError(
        "E_SEGMENT_AMBIGUOUS",
        "it is not clear which class a region is",
        where=where,
        expected=expected,
        found=found,
        fix="Name each region once, by name, code or #number",
    )
