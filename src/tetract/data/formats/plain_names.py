"""Names in foreign files that a file system can take and a screen can show."""

from __future__ import annotations

from typing import Final, TypeGuard

_LONGEST: Final = 2000
_LONGEST_PART: Final = 255


def is_plain_name(value: object) -> TypeGuard[str]:
    """Whether a value is a text, not blank, whose parts between ``/`` can be names of files.

    JSON and YAML can spell halves of characters, which no file system and no screen takes.
    """
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST or "\0" in value:
        return False
    whole = not any("\ud800" <= sign <= "\udfff" for sign in value)
    return whole and all(len(part.encode()) <= _LONGEST_PART for part in value.split("/"))
