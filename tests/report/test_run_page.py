"""The page of a run."""

from __future__ import annotations

import html
import re

from tetract.report import Table, run_page
from tetract.report.markup import Html
from tetract.report.tables import render, tables_from

GIVEN = [{"title": "T", "columns": ["Source", "Dice"], "rows": [["a", 0.5], ["b", None]]}]


def test_tables_of_an_evaluation_are_shown_with_a_dash_for_absent() -> None:
    page = run_page("demo", GIVEN, Html())
    assert '<td class="n">0.500</td>' in page
    assert '<td class="n">\u2013</td>' in page


def test_a_nested_evaluation_becomes_tables() -> None:
    nested = {"seed": 1, "overall": {"dice": {"lung": 0.9, "infection": 0.7}, "ap": {"lung": 0.1}}}
    tables = tables_from(nested)
    assert [t.title for t in tables] == ["", "overall"]
    assert tables[1].columns == ("", "lung", "infection")
    assert tables[1].rows == (("dice", 0.9, 0.7), ("ap", 0.1, None))


def test_tables_under_a_key_are_the_same_tables() -> None:
    assert tables_from({"tables": GIVEN}) == tables_from(GIVEN)


def test_a_ready_table_is_taken_as_it_is() -> None:
    table = Table(title="T", columns=("a",), rows=((1,),))
    assert tables_from([table]) == (table,)


def test_not_a_number_is_absent() -> None:
    drawn = render(Table(title="", columns=("a",), rows=((float("nan"),),)))
    assert "\u2013" in drawn
    assert "nan" not in drawn


def test_hostile_words_stay_text_everywhere() -> None:
    bad = "<script>x</script>"
    tables = [{"title": bad, "columns": [bad], "rows": [[bad]], "note": bad}]
    page = run_page(bad, tables, Html(), [(bad, b"png")], command=bad, environment={bad: bad})
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 8


def test_the_run_page_asks_nothing_of_the_network_and_runs_no_script() -> None:
    page = run_page("demo", GIVEN, Html(), [("a", b"png")], command="tetract demo")
    assert not re.search(r"https?:|<link|url\(", page)
    assert "script-src 'none'" in html.unescape(page)
    assert "Research use only" in page
