"""A check report for people: one line per file or series, then counts and bars per source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from tetract.data.check.report import CheckReport, Entry, Verdict
from tetract.data.check.summary import columns

# This many reasons under one code and this many names under one reason; the rest is counted.
SHOWN: Final = 20
NAMED: Final = 8


def render_check(report: CheckReport) -> str:
    """The whole report as plain text."""
    lines = [_head(report)]
    lines += [f"PROBLEM {problem}" for problem in report.problems]
    if report.kind == "dataset":
        lines += _entries(report.entries)
    else:
        for (number, folder), mine in groupby(
            report.entries, lambda e: (e.folder_number, e.folder)
        ):
            lines += ["", f"[{number}] {folder}", *_indented(_entries(tuple(mine)))]
    for section in report.sections:
        lines += ["", f"{section.name}:", *_indented(section.text)]
    lines += ["", *report.warnings] if report.warnings else []
    return "\n".join([*lines, "", _answer(report)])


def _head(report: CheckReport) -> str:
    if report.kind == "dataset":
        return f"data set {report.name}"
    hidden = f", {report.hidden} hidden and not looked at" if report.hidden else ""
    folders = len({entry.folder_number for entry in report.entries})
    return f"{report.name}: files in {folders} folder{'s' if folders != 1 else ''}{hidden}"


def _answer(report: CheckReport) -> str:
    left_out = (Verdict.REFUSED, Verdict.SKIPPED, Verdict.IGNORED)
    counts = [f"{report.usable_slices} slices usable"]
    counts += [f"{n} {verdict}" for verdict in left_out if (n := report.count(verdict))]
    if report.kind == "dataset" and report.count(Verdict.REFUSED) and not report.problems:
        counts[-1] += "; training stops there unless data.skip_unreadable is true"
    return f"{report.name}: {report.answer} ({', '.join(counts)})"


def _entries(entries: Sequence[Entry]) -> list[str]:
    """The entries of one folder or one table: usable, refused, skipped, ignored."""
    by_verdict = {verdict: [e for e in entries if e.verdict is verdict] for verdict in Verdict}
    usable = by_verdict[Verdict.USABLE]
    pictures = [entry for entry in usable if entry.slices and entry.spacing_mm is None]
    if len(pictures) <= 1:
        pictures = []
    named = [entry for entry in usable if entry not in pictures]
    lines = columns([["usable", e.what, e.name, _facts(e)] for e in named]) if named else []
    lines += _pictures(pictures)
    for verdict in (Verdict.REFUSED, Verdict.SKIPPED):
        lines += _told(by_verdict[verdict])
    if ignored := Counter(entry.what for entry in by_verdict[Verdict.IGNORED]):
        told = ", ".join(f"{count} x {what}" for what, count in sorted(ignored.items()))
        lines.append(f"ignored  {told}")
    return lines


def _facts(entry: Entry) -> str:
    if entry.matrix is None:
        return entry.line
    slices = "1 slice" if entry.slices == 1 else f"{entry.slices} slices"
    facts = [f"{slices} of {entry.matrix[0]} x {entry.matrix[1]} px"]
    if entry.spacing_mm is not None:
        facts.append(" x ".join(f"{step:.4g}" for step in entry.spacing_mm) + " mm")
    facts.append("no HU" if entry.hu is None else f"HU {entry.hu[0]} to {entry.hu[1]}")
    return ", ".join([*facts, *_codes([entry])])


def _pictures(pictures: Sequence[Entry]) -> list[str]:
    """Pictures of one kind in one line: a folder may hold thousands."""
    lines: list[str] = []
    for what in sorted({entry.what for entry in pictures}):
        mine = [entry for entry in pictures if entry.what == what]
        matrices = [entry.matrix for entry in mine if entry.matrix is not None]
        rows, cols = (sorted(sides) for sides in zip(*matrices, strict=True))
        facts = [f"{_span(rows)} x {_span(cols)} px", "no HU", *_codes(mine)]
        lines.append(f"usable  {len(mine)} x {what}  {', '.join(facts)}")
    return lines


def _told(entries: Sequence[Entry]) -> list[str]:
    """Each reason once, with the files it holds for; many reasons under one code are counted."""
    reasons: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        # The first part names the file; what follows is the same for all files of one fault.
        reason = entry.line.partition(": ")[2] if entry.code else entry.line
        reasons.setdefault((entry.code or entry.what, reason), []).append(entry)
    told: Counter[str] = Counter()
    lines: list[str] = []
    for (kind, _), mine in reasons.items():
        told[kind] += 1
        if told[kind] <= SHOWN:
            lines += _reason(mine)
    for kind, count in told.items():
        if count > SHOWN:
            lines.append(f"{count - SHOWN} further reasons: {kind} (--json lists them)")
    return lines


def _reason(mine: Sequence[Entry]) -> list[str]:
    first = mine[0]
    line = first.line if first.code else f"{first.name}: {first.line}"
    alone = f" {first.alone} of its files can be read one by one." if first.alone else ""
    lines = [f"{first.verdict}  {first.what}  {line}{alone}"]
    if others := [entry.name for entry in mine[1:]]:
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        lines.append(f"  the same: {', '.join(others[:NAMED])}{more}")
    return lines


def _codes(entries: Sequence[Entry]) -> list[str]:
    """Codes of the readers' warnings; the lines themselves stand in the section below."""
    codes = Counter(line.split(" ", 1)[0] for entry in entries for line in entry.warnings)
    return [code if count == 1 else f"{code} ({count})" for code, count in sorted(codes.items())]


def _span(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if numbers[0] == numbers[-1] else f"{numbers[0]}-{numbers[-1]}"


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]
