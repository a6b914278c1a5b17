"""Names of other programs as names of classes: blanks become ``_``, nothing else is changed."""

from __future__ import annotations

import re
from typing import Final

from tetract.data.card import RESERVED
from tetract.errors import LabelError

_CLASS: Final = re.compile(r"[A-Za-z0-9_.+-]+")
_ILLEGAL: Final = re.compile(r"[^A-Za-z0-9_.+-]+")


def class_name(text: str, where: str) -> str:
    """``left lung`` as ``left_lung``.

    Raises:
        LabelError: ``E_CLASS_NAME`` where the name cannot stand in a cell of the table.
    """
    name = "_".join(text.split())
    if _CLASS.fullmatch(name) is None or name in (*RESERVED, "-"):
        raise LabelError(
            "E_CLASS_NAME",
            "this cannot be the name of a class",
            where=where,
            expected="letters, digits and _ . + -; not unknown, empty, all, not",
            found=f"'{text}'",
            fix="Give the class another name",
        )
    return name


def source_name(text: str, fallback: str) -> str:
    """A name for a source or a case, made of whatever stands in a file: illegal signs become _."""
    return _ILLEGAL.sub("_", text).strip("_.-") or fallback


def check_lesions(lesions: tuple[str, ...], classes: tuple[str, ...]) -> None:
    """Refuse a lesion that is no mask class.

    Raises:
        LabelError: ``E_LABEL_UNKNOWN``.
    """
    strangers = [name for name in lesions if name not in classes]
    if strangers:
        raise LabelError(
            "E_LABEL_UNKNOWN",
            f"unknown lesion '{strangers[0]}'",
            expected="one of " + ", ".join(classes),
            fix="Name a mask class with --lesion",
        )
