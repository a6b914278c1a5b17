"""Write docs/reference/public-data.md from the catalogue; `--check` only compares."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tetract.data.catalogue import PublicSet, RemoteFile, public_sets
from tetract.data.catalogue_text import import_command

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "public-data.md"
HEAD = """# Public data

The catalogue behind `tetract data sets`: public chest CT sets, their terms, how to get them. This
page is written by `python scripts/public_data_reference.py` from `src/tetract/data/catalogue`.
[How to get and import them](../how-to/get-public-data.md).

Nothing here was checked on the live web: addresses, licences and sizes come from stored copies of
public pages and programs. What could not be confirmed is listed with each set. Read the licence on
the home page before you use a set; it decides, not this page.

*Can teach*: c classification, s segmentation, r reconstruction, d detection. *Access*: `open`, the
program downloads it; `by hand`, free but fetched with a browser or the archive's own program;
`registration`, an account or a form comes first.

"""


def table(sets: tuple[PublicSet, ...]) -> Iterator[str]:
    """One row per set."""
    yield "| set | patients | size | can teach | licence | access |"
    yield "|---|---|---|---|---|---|"
    for public in sets:
        patients = "not published" if public.patients is None else str(public.patients)
        teach = " ".join(task[0] for task in public.tasks)
        name = f"[{public.name}](#{public.name})"
        cells = (name, patients, public.size, teach, public.licence, public.access)
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def section(public: PublicSet) -> Iterator[str]:
    """All of an entry."""
    yield f"## {public.name}\n"
    yield f"[{public.title}]({public.home}). {public.holds.strip()}\n"
    yield f"- Licence: {public.licence}. It asks you to: {'; '.join(public.obligations)}."
    yield f"- Cite: {public.citation}."
    if public.files:
        listed = ", ".join(map(told, public.files))
        yield f"- `tetract data download {public.name} -o DIR` fetches {listed}."
    if public.by_hand:
        yield f"- By hand: {public.by_hand.strip()}"
    yield f"- Import: `{import_command(public)}`."
    if public.notes:
        yield f"- Know: {public.notes.strip()}"
    if public.unverified:
        yield f"- Not verified: {'; '.join(public.unverified)}."
    yield ""


def told(file: RemoteFile) -> str:
    """A file with what is known of it."""
    kind = "sha256" if file.sha256 else "md5"
    known = f"{kind} from {file.checked_by}" if file.checked_by else "no published checksum"
    extra = "; on request" if file.optional else ""
    return f"`{file.path}` ({known}{extra})"


def page() -> str:
    """The whole page."""
    sets = public_sets()
    lines = [*table(sets), ""]
    for public in sets:
        lines += section(public)
    return HEAD + "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write the page, or say whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        TARGET.write_text(page(), encoding="utf-8")
        return 0
    if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != page():
        sys.stderr.write(f"{TARGET.name} is out of date: run scripts/public_data_reference.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
