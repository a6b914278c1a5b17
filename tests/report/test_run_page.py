"""The page of a run."""

from __future__ import annotations

import html
import re

from tetract.report import run_page
from tetract.report.markup import Html
from tetract.report.tables import render
from tetract.types.table import Table

GIVEN = [Table(title="T", columns=("Source", "Dice"), rows=(("a", 0.5), ("b", None)))]


def test_tables_of_an_evaluation_are_shown_with_a_dash_for_absent() -> None:
    page = run_page("demo", GIVEN, Html())
    assert '<td class="n">0.500</td>' in page
    assert '<td class="n">\u2013</td>' in page


def test_a_warning_stands_before_the_numbers_it_is_about() -> None:
    table = Table(title="T", columns=("a",), rows=(("0.9",),), warning="Class is source.")
    page = run_page("demo", [table], Html())
    assert 0 < page.index("Class is source.") < page.index("0.9</td>")


def test_not_a_number_is_absent() -> None:
    drawn = render(Table(title="", columns=("a",), rows=((float("nan"),),)))
    assert "\u2013" in drawn
    assert "nan" not in drawn


def test_hostile_words_stay_text_everywhere() -> None:
    bad = "<script>x</script>"
    tables = [Table(title=bad, columns=(bad,), rows=((bad,),), note=bad, warning=bad)]
    page = run_page(bad, tables, Html(), [(bad, b"png")], command=bad, environment={bad: bad})
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 9


def test_the_run_page_asks_nothing_of_the_network_and_runs_no_script() -> None:
    page = run_page("demo", GIVEN, Html(), [("a", b"png")], command="tetract demo")
    assert not re.search(r"https?:|<link|url\(", page)
    assert "script-src 'none'" in html.unescape(page)
    assert "Research use only" in page
