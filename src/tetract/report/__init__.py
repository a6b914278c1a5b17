"""Pictures and pages: findings as a folder, a run as one HTML file (``run``). Research use only.

``figure`` is not imported here: it alone needs matplotlib, and a machine that only predicts has
none.
"""

from __future__ import annotations

from tetract.report.curves import learning_curves
from tetract.report.findings_files import FindingsFiles, write_findings
from tetract.report.folder import check_free
from tetract.report.overlay import draw_slice
from tetract.report.page import findings_page

__all__ = [
    "FindingsFiles",
    "check_free",
    "draw_slice",
    "findings_page",
    "learning_curves",
    "write_findings",
]
