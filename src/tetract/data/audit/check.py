"""What the saved audit of a data set says to whoever trains on it or scores with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tetract.data.audit.file import AUDIT_NAME, Finding, leaks_of, load_audit, rows_hash
from tetract.data.table import Row
from tetract.errors import LabelError, ReadError


def check_audit(folder: Path, rows: Sequence[Row], *, allow_leaks: bool) -> list[str]:
    """Refuse a split that an audit has found to leak, and say what must travel with results.

    Pairs are held against the splits that ``rows`` have now, so an audit stays valid when a data
    set is split anew, and for each of its folds.

    Args:
        folder: The dataset folder.
        rows: All of its rows, in the order of the table.
        allow_leaks: Whether a leak is only warned of.

    Returns:
        Warnings: ``W_NOT_AUDITED`` without an audit of these rows, ``W_LEAK_ALLOWED``,
        ``W_AUDIT_PARTLY`` when some rows could not be compared.

    Raises:
        LabelError: ``E_LEAK`` with the number of pairs and the first one.
        ReadError: ``E_BAD_AUDIT`` when the audit cannot be read; a warning with ``allow_leaks``.
    """
    try:
        audit = load_audit(folder)
    except ReadError:
        if not allow_leaks:
            raise
        return [_not_audited(f"{AUDIT_NAME} cannot be read")]
    if audit is None:
        return [_not_audited("nobody has looked for pictures that lie in two splits")]
    if audit.rows_hash != rows_hash(rows):
        return [_not_audited(f"rows or patients have changed since {AUDIT_NAME} was written")]
    warnings: list[str] = []
    leaks = leaks_of(audit.findings, rows)
    if leaks and not allow_leaks:
        raise _leak(leaks, rows)
    if leaks:
        warnings.append(
            f"W_LEAK_ALLOWED {_counted(leaks)} lie in two splits, such as "
            f"{_shown(leaks[0], rows)}; scores are too high"
        )
    if audit.unread:
        warnings.append(
            f"W_AUDIT_PARTLY {len(audit.unread)} rows could not be read by the audit and may hold "
            f"pictures of another split, such as {audit.unread[0].name} ({audit.unread[0].code})"
        )
    return warnings


def _leak(leaks: Sequence[Finding], rows: Sequence[Row]) -> LabelError:
    return LabelError(
        "E_LEAK",
        f"{_counted(leaks)} lie in two splits",
        where=AUDIT_NAME,
        expected="no picture in two splits",
        found=_shown(leaks[0], rows),
        fix="Split again with tetract data split, which keeps them together, or set "
        "data.allow_leaks=true and say so with every score",
    )


def _counted(leaks: Sequence[Finding]) -> str:
    exact = sum(finding.kind == "exact" for finding in leaks)
    return f"{len(leaks)} pairs of the same picture ({exact} exact, {len(leaks) - exact} near)"


def _shown(finding: Finding, rows: Sequence[Row]) -> str:
    one, other = rows[finding.first.row], rows[finding.second.row]
    return (
        f"{finding.first.name} ({one.split}) and {finding.second.name} ({other.split}), "
        f"similarity {finding.similarity:.2f}"
    )


def _not_audited(why: str) -> str:
    return f"W_NOT_AUDITED {why}; scores may be too high: run tetract data audit"
