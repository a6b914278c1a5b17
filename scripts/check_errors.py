"""Gate: every error code in ``src`` is explained in ``docs/reference/errors.md``, and no other.

Run from the repository's root. A code is a whole string such as ``"E_NO_GEOMETRY"``; codes are
never assembled, so that a reader can search for the one on the screen.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from python_files import parsed, python_files, verdict

PAGE = Path("docs/reference/errors.md")
CODE = re.compile(r"(?<![A-Z_])E_[A-Z][A-Z0-9_]*")


def codes_in(path: Path) -> dict[str, str]:
    """Each code of a file with the first place that uses it."""
    places: dict[str, str] = {}
    for node in ast.walk(parsed(path)):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and CODE.fullmatch(text):
            places.setdefault(text, f"{path}:{getattr(node, 'lineno', 1)}")
    return places


def main() -> int:
    """Compare both lists; 1 when they differ."""
    used: dict[str, str] = {}
    for path in python_files("src"):
        used = codes_in(path) | used
    page = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    listed = set(CODE.findall(page))
    offences = [
        f"{used[code]}: {code} is not explained in {PAGE}" for code in sorted(set(used) - listed)
    ]
    offences += [
        f"{PAGE}: {code} is explained, but nothing raises it" for code in sorted(listed - set(used))
    ]
    return verdict("errors", offences, f"{len(used)} codes in src, {len(listed)} explained")


if __name__ == "__main__":
    sys.exit(main())
