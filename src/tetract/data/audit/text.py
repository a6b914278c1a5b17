"""An audit for people: one line per pair, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tetract.data.audit.file import AuditFile, Finding, is_leak, leaks_of
from tetract.data.table import TABLE_NAME, Row

_SHOWN: Final = 20


def render_audit(audit: AuditFile, rows: Sequence[Row]) -> str:
    """What was compared, what was not, and the pairs that were found, by base name and row."""
    leaks = leaks_of(audit.findings, rows)
    two_ids = sum(finding.patients == "different" for finding in audit.findings)
    lines = [
        f"{audit.pictures} pictures compared, {audit.blank} blank, {len(audit.unread)} rows unread",
        f"{len(leaks)} pairs across two splits, {len(audit.findings) - len(leaks)} inside one; "
        f"{two_ids} between patients with different ids",
    ]
    lines += [_line(finding, rows) for finding in audit.findings[:_SHOWN]]
    if len(audit.findings) > _SHOWN:
        lines.append(f"and {len(audit.findings) - _SHOWN} more pairs")
    lines += [f"UNREAD {row.name}: {row.code}" for row in audit.unread[:_SHOWN]]
    if len(audit.unread) > _SHOWN:
        lines.append(f"and {len(audit.unread) - _SHOWN} more rows")
    return "\n".join(lines)


def _line(finding: Finding, rows: Sequence[Row]) -> str:
    one, other = rows[finding.first.row], rows[finding.second.row]
    word = "LEAK" if is_leak(one.split, other.split) else "twice"
    patients = {
        "same": "one patient",
        "different": "one patient under two ids, or a picture filed twice",
        "unknown": "patients unknown",
    }
    return (
        f"{word} {finding.kind} {finding.similarity:.2f}: "
        f"{_place(finding.first.name, one)} and {_place(finding.second.name, other)}; "
        f"{patients[finding.patients]}"
    )


def _place(name: str, row: Row) -> str:
    return f"{name} ({row.split}, {TABLE_NAME} row {row.number})"
