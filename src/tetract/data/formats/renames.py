"""Names of a foreign data set, and the classes they become."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tetract.data.card import RESERVED
from tetract.errors import LabelError

LEFT_OUT: Final = "-"
_CLASS: Final = re.compile(r"[A-Za-z0-9_.+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Renames:
    """What ``--rename`` said.

    Attributes:
        classes: Foreign name to class, or to ``LEFT_OUT``; other names stay as they are.
    """

    classes: Mapping[str, str]

    def of(self, names: Sequence[str], where: str) -> dict[str, str]:
        """Each foreign name with its class.

        Raises:
            LabelError: ``E_CLASS_NAME`` for names that no cell can hold, ``E_RENAME`` for a rename
                that meets no name.
        """
        strangers = sorted(set(self.classes) - set(names))
        if strangers:
            raise LabelError(
                "E_RENAME",
                f"there is no class '{strangers[0]}' to rename",
                where=where,
                expected="one of " + ", ".join(f"'{name}'" for name in names[:20]),
                fix="Correct the name before the = of --rename",
            )
        found = {name: self.classes.get(name, name) for name in names}
        illegal = [name for name in found.values() if not _is_class(name)]
        if illegal:
            raise LabelError(
                "E_CLASS_NAME",
                "these cannot be names of classes",
                where=where,
                expected="letters, digits and _ . + -; not unknown, empty, all, not",
                found=", ".join(f"'{_shown(name)}'" for name in illegal[:10]),
                fix="Give each a name with --rename 'old name=new_name'",
            )
        return found


def parse_renames(texts: Sequence[str]) -> Renames:
    """Renames written as ``old=new``, or ``old=-`` to leave a class out.

    Raises:
        LabelError: ``E_RENAME``.
    """
    classes: dict[str, str] = {}
    for text in texts:
        old, equals, new = text.rpartition("=")
        if not (equals and old and _is_class(new)) or old in classes:
            raise LabelError(
                "E_RENAME",
                "not a new name for a class",
                expected="old=new, each old name once; new of letters, digits and _ . + -",
                found=f"'{text}'",
                fix="Write old=- to leave a class out",
            )
        classes[old] = new
    return Renames(classes=classes)


def _shown(name: str) -> str:
    """A name as a screen can show it, whatever a file made of it."""
    return name[:40].encode(errors="replace").decode()


def _is_class(name: str) -> bool:
    return name == LEFT_OUT or (_CLASS.fullmatch(name) is not None and name not in RESERVED)
