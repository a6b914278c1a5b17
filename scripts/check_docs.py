"""Gate: links between the repository's own pages lead somewhere, and Python shown in them parses.

Run from the repository's root. Addresses on the web are not visited: the gate needs no network.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

from python_files import repository_files, verdict

LINK = re.compile(r"!?\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<kind>\w*)[^\n]*\n(?P<body>.*?)^(?P=fence)\s*$", re.MULTILINE | re.DOTALL
)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")


def broken_links(page: Path, text: str) -> Iterator[str]:
    """Relative links to files or headings that do not exist."""
    # An example inside a code block is not a link.
    for target in LINK.findall(re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists():
            yield f"{page}: link to {target}, which does not exist"
        elif anchor and file.suffix == ".md" and anchor not in anchors_of(file):
            yield f"{page}: link to {target}, but {file.name} has no such heading"


def anchors_of(page: Path) -> set[str]:
    """The names that headings and explicit anchors of a page can be linked by."""
    text = page.read_text(encoding="utf-8")
    headings = (re.sub(r"[`*]", "", title) for title in HEADING.findall(FENCE.sub("", text)))
    slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}
    return slugs | set(ANCHOR.findall(text))


def broken_python(page: Path, text: str) -> Iterator[str]:
    """Python blocks that do not parse; a block of ``>>>`` lines is a session, not a program."""
    for block in FENCE.finditer(text):
        if block["kind"] not in {"python", "py"} or block["body"].lstrip().startswith(">>>"):
            continue
        try:
            ast.parse(dedent(block["body"]))
        except SyntaxError as error:
            line = text[: block.start()].count("\n") + 1 + (error.lineno or 1)
            yield f"{page}:{line}: Python does not parse: {error.msg}"


def main() -> int:
    """Read every page; 1 when one has a broken link or block."""
    pages = [path for path in repository_files() if path.suffix == ".md"]
    offences: list[str] = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        offences += [*broken_links(page, text), *broken_python(page, text)]
    return verdict("docs", offences, f"{len(pages)} pages")


if __name__ == "__main__":
    sys.exit(main())
