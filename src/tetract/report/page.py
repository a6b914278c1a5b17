"""One self-contained HTML page about one study."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Real

from tetract.report import svg
from tetract.report.markup import Html, el, join
from tetract.report.page_parts import HOW_TO_READ, SCRIPT, facts, lesions, masks, warnings
from tetract.report.panels import Scales, residual_top, slice_section
from tetract.report.rank import SUSPICION_RULE, choose_slices, suspicion
from tetract.report.style import NOTICE, document, header
from tetract.types import Findings

MAX_BYTES = 9_000_000  # of slice panels; the whole page stays under 10 MB
_ROWS = 200


def findings_page(findings: Findings, slices01: Sequence[Real[np.ndarray, "_ _"]]) -> str:
    """The page: study, slices with all panels, lesions, warnings, provenance, how to read it.

    Slices are embedded most suspicious first until ``choose_slices`` or the size limit ends;
    the page says how many. It needs no network, and shows everything as a gallery where scripts
    are off.

    Args:
        findings: What the model said; names in it may be hostile, they are escaped.
        slices01: One (H, W) picture in [0, 1] per slice, in the same order.
    """
    sections = _sections(findings, slices01)
    shown = sorted(sections)
    name = findings.provenance.name
    count = len(findings.slices)
    line = f"{count} {'slice' if count == 1 else 'slices'} · {findings.model}"
    body = join(
        (
            header("TetraCT findings", name, line),
            el(
                "main",
                el("h2", "Study"),
                el("div", _study_classes(findings), facts(findings), class_="two"),
                *warnings(findings),
                el("h2", "Slices"),
                _shown_words(len(shown), count),
                _control(findings, shown),
                *(sections[at] for at in shown),
                el("h2", "Lesions"),
                lesions(findings, frozenset(shown), _ROWS),
                el("h2", "Masks"),
                masks(findings),
                el("h2", "How to read this page"),
                HOW_TO_READ,
                el("footer", f"{NOTICE} Everything shown here is also in findings.json."),
            ),
        )
    )
    return document(f"{name}: TetraCT findings", body, SCRIPT)


def _sections(findings: Findings, slices01: Sequence[Real[np.ndarray, "_ _"]]) -> dict[int, Html]:
    """Panels by position in the study, up to the size limit; at least one slice."""
    chosen = choose_slices(findings)
    residuals = [r for at in chosen if (r := findings.slices[at].residual) is not None]
    scales = Scales(
        space=findings.label_space,
        residual_top=residual_top(residuals),
        # A picture without geometry has lost its HU: the window is then only the model's.
        window_hu=findings.window_hu if findings.geometry is not None else None,
    )
    sections: dict[int, Html] = {}
    used = 0
    for at in chosen:
        section = slice_section(slices01[at], findings.slices[at], scales)
        used += len(section)
        if used > MAX_BYTES and sections:
            break
        sections[at] = section
    return sections


def _study_classes(findings: Findings) -> Html:
    pooled = findings.class_probabilities
    title = el("h3", "Classes")
    if pooled is None:
        words = "This model has no classification head: nothing is said about the class."
        return el("div", title, el("p", words, class_="soft"))
    words = "Mean over all slices of each slice's probability; not calibrated."
    return el("div", title, svg.bars(list(pooled.items())), el("p", words, class_="soft"))


def _shown_words(shown: int, count: int) -> Html:
    if shown == count:
        return Html()
    words = f"{shown} of {count} slices are shown on this page. {SUSPICION_RULE}"
    return el("p", words, class_="soft")


def _control(findings: Findings, shown: Sequence[int]) -> Html:
    """The slider and the strip above it; hidden where scripts are off."""
    if len(shown) < 2:
        return Html()
    marks = [suspicion(found, findings.label_space) for found in findings.slices]
    first = max(shown, key=lambda at: (marks[at], -at))
    slider = el(
        "input",
        type="range",
        min="0",
        max=str(len(shown) - 1),
        value=str(shown.index(first)),
        step="1",
        id="pick",
        aria_label="Slice",
    )
    keys = el("span", "← → to move", class_="soft")
    line = el("label", keys, slider, el("output", ""))
    words = "Rank of every slice of the study; dark ones are on this page"
    return el("div", el("p", words, class_="soft"), svg.strip(marks, shown), line, class_="control")
