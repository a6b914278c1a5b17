"""The page is whole, safe and honest about what is missing."""

from __future__ import annotations

import dataclasses
import html
import re

import numpy as np
import pytest
from report_phantom import headless, study

from tetract.report import findings_page
from tetract.report import page as page_module

HOSTILE = "<script>alert('x')</script>\" onload=alert(1) x.png"


def changed(**fields: object) -> tuple[object, list[np.ndarray]]:
    """A one-slice study with some fields of its slice replaced."""
    findings, images = study(1)
    return dataclasses.replace(
        findings, slices=(dataclasses.replace(findings.slices[0], **fields),)
    ), images


def test_the_page_asks_nothing_of_the_network() -> None:
    page = findings_page(*study(3))
    words = re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert not re.search(r"https?:|//\w|@import|url\(|<link|<iframe|<img", words)
    assert "default-src 'none'" in html.unescape(page)


def test_the_page_says_research_use_only_first() -> None:
    page = findings_page(*study(1))
    assert page.index("Research use only. Not a medical device") < page.index("<main>")


def test_hostile_names_stay_text() -> None:
    findings, images = study(2)
    slices = tuple(dataclasses.replace(found, name=HOSTILE) for found in findings.slices)
    source = dataclasses.replace(findings.provenance, name=HOSTILE, warnings=(f"W_X {HOSTILE}",))
    hostile = dataclasses.replace(findings, slices=slices, provenance=source, model=HOSTILE)
    page = findings_page(hostile, images)
    assert page.count("<script") == 1  # ours
    assert "&lt;script&gt;alert(" in page
    assert not re.search(r"<[^>]*\sonload=", page)


def test_hostile_class_names_stay_text() -> None:
    findings, images = study(1)
    bad = "<img src=x onerror=alert(1)>"
    space = dataclasses.replace(
        findings.label_space, classes=(bad, "b", "c"), mask_classes=(bad, "d"), box_classes=(bad,)
    )
    box = dataclasses.replace(findings.slices[0].boxes[0], label=bad)
    slices = (dataclasses.replace(findings.slices[0], boxes=(box,)),)
    page = findings_page(dataclasses.replace(findings, label_space=space, slices=slices), images)
    assert "<img" not in page


@pytest.mark.parametrize(
    ("field", "head"),
    [
        ("boxes", "detection"),
        ("masks", "segmentation"),
        ("class_probabilities", "classification"),
        ("reconstruction", "reconstruction"),
        ("residual", "reconstruction"),
    ],
)
def test_an_absent_head_is_called_absent(field: str, head: str) -> None:
    assert f"This model has no {head} head" in findings_page(*changed(**{field: None}))
    assert f"This model has no {head} head" not in findings_page(*study(1))


def test_looked_and_found_nothing_is_said_differently_from_absent() -> None:
    page = findings_page(*changed(boxes=(), masks=np.zeros((2, 128, 128), dtype=bool)))
    assert "Looked; found nothing above the threshold" in page
    assert "Looked; found no pixel of any class" in page
    assert "This model has no" not in page


def test_a_model_without_any_head_still_gives_a_page() -> None:
    findings, images = study(1)
    page = findings_page(dataclasses.replace(findings, slices=(headless(),)), images)
    assert page.count("nothing was looked for") == 5


def test_sizes_are_in_mm_only_on_a_known_grid() -> None:
    findings, images = study(2, on_grid=False)
    flat = tuple(
        dataclasses.replace(s, boxes=tuple(dataclasses.replace(b, size_mm=None) for b in s.boxes))
        for s in findings.slices
    )
    picture_page = findings_page(dataclasses.replace(findings, slices=flat), images)
    assert not re.search(r"\d mm<|\d HU|\d ml", picture_page)
    assert "9.8 \u00d7 9.8 mm" in findings_page(*study(2))


def test_without_scripts_every_slice_is_visible() -> None:
    page = findings_page(*study(4))
    assert page.count('class="slice"') == 4
    assert "html lang" in page  # the class that hides slices is only set by the script


def test_a_long_study_says_how_many_slices_it_shows_and_stays_below_ten_megabytes() -> None:
    findings, images = study(300, 96)
    page = findings_page(findings, images)
    assert "40 of 300 slices are shown" in page
    assert len(page.encode()) < 10_000_000


def test_large_slices_stop_at_the_size_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    findings, images = study(60, 96)
    whole = len(findings_page(findings, images))
    monkeypatch.setattr(page_module, "MAX_BYTES", whole // 2)
    short = findings_page(findings, images)
    assert 10 < int(re.search(r"(\d+) of 60 slices are shown", short).group(1)) < 30
    assert len(short) < 0.65 * whole


def test_many_lesions_are_cut_to_the_best_with_a_word_about_it() -> None:
    findings, images = study(1)
    box = findings.slices[0].boxes[0]
    many = tuple(dataclasses.replace(box, score=at / 1000) for at in range(999, 0, -1))
    page = findings_page(*(changed(boxes=many)[0], images))
    assert "The 200 best of 999" in page
