from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tetract.data import ALL, EMPTY, BoxEntry, MaskSource
from tetract.data.cells import (
    check_known,
    format_boxes,
    format_class,
    format_mask,
    format_slice,
    parse_boxes,
    parse_class,
    parse_mask,
    parse_slice,
    parse_split,
)
from tetract.errors import LabelError

NAMES = st.text("abcXYZ019_.+-", min_size=1, max_size=6).filter(
    lambda name: name not in {"unknown", "empty", "all", "not"}
)
PATHS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).map(Path)
MASKS = st.dictionaries(
    NAMES,
    st.just(EMPTY)
    | st.builds(MaskSource, path=PATHS, value=st.none() | st.integers(0, 999_999_999)),
    min_size=1,
    max_size=4,
)
PIXELS = st.floats(0, 4096, width=32)
BOXES = st.builds(
    lambda label, x, y, w, h: BoxEntry(label=label, xyxy=(x, y, x + w, y + h)),
    NAMES, PIXELS, PIXELS, st.floats(1, 512), st.floats(1, 512),
)  # fmt: skip


@settings(deadline=None)  # other work on the machine is no failure
@given(st.none() | st.frozensets(NAMES, min_size=1))
def test_class_cells_round_trip(label: frozenset[str] | None) -> None:
    assert parse_class(format_class(label)) == label


@settings(deadline=None)  # other work on the machine is no failure
@given(MASKS, st.lists(NAMES, max_size=3).map(tuple))
def test_mask_cells_round_trip_or_are_refused(
    mask: dict[str, object], looked_for: tuple[str, ...]
) -> None:
    try:
        text = format_mask(mask, looked_for)  # pyright: ignore[reportArgumentType]  dict is invariant
    except LabelError:
        assume(condition=False)
        return
    assert parse_mask(text, looked_for) == mask


@settings(deadline=None)  # other work on the machine is no failure
@given(st.none() | st.lists(BOXES, max_size=4).map(tuple))
def test_box_cells_round_trip(boxes: tuple[BoxEntry, ...] | None) -> None:
    assert parse_boxes(format_boxes(boxes)) == boxes


@settings(deadline=None)  # other work on the machine is no failure
@given(st.none() | st.just(ALL) | st.integers(0, 99_999))
def test_slice_cells_round_trip(index: int | None) -> None:
    assert parse_slice(format_slice(index)) == index


@pytest.mark.parametrize("path", ["a;b.png", "a#3", " a", "empty", "unknown"])
def test_a_mask_path_that_could_be_misread_is_refused(path: str) -> None:
    with pytest.raises(LabelError, match="E_BAD_CELL"):
        format_mask({"lung": MaskSource(path=Path(path))}, ("lung",))


def test_the_three_states_of_a_mask_stay_apart() -> None:
    looked_for = ("infection", "lung")
    assert parse_mask("unknown", looked_for) is None
    assert parse_mask("empty", looked_for) == {"infection": EMPTY, "lung": EMPTY}
    assert parse_mask("infection=empty;lung=l.png#2", looked_for) == {
        "infection": EMPTY,
        "lung": MaskSource(path=Path("l.png"), value=2),
    }
    assert parse_mask("lung=l.png", looked_for) == {"lung": MaskSource(path=Path("l.png"))}


def test_the_three_states_of_boxes_stay_apart() -> None:
    assert parse_boxes("unknown") is None
    assert parse_boxes("empty") == ()
    assert parse_boxes("nodule 74 285 78 291; nodule 3 4 9.5 9") == (
        BoxEntry(label="nodule", xyxy=(74.0, 285.0, 78.0, 291.0)),
        BoxEntry(label="nodule", xyxy=(3.0, 4.0, 9.5, 9.0)),
    )


@pytest.mark.parametrize("parse", [parse_class, parse_boxes, lambda text: parse_mask(text, ())])
@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_label_is_refused(parse: object, blank: str) -> None:
    with pytest.raises(LabelError, match="E_BLANK_LABEL"):
        parse(blank)  # pyright: ignore[reportCallIssue]  one parser of three


@pytest.mark.parametrize("text", ["empty", "a|", "a|a", "a|unknown", "|"])
def test_a_malformed_class_is_refused(text: str) -> None:
    with pytest.raises(LabelError, match="E_BAD_CELL"):
        parse_class(text)


@pytest.mark.parametrize("text", ["a", "a=", "=p", "a=p;a=q", "a=p;", "a=unknown"])
def test_a_malformed_mask_is_refused(text: str) -> None:
    with pytest.raises(LabelError, match="E_BAD_CELL"):
        parse_mask(text, ("a",))


def test_empty_says_nothing_where_nothing_was_looked_for() -> None:
    with pytest.raises(LabelError, match="E_BAD_CELL"):
        parse_mask("empty", ())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nodule 1 2 3", "E_BAD_BOX"),
        ("nodule 1 2 3 4 5", "E_BAD_BOX"),
        ("1 2 3 4", "E_BAD_BOX"),
        ("nodule 1 2 nan 4", "E_BAD_BOX"),
        ("nodule 1 2 inf 4", "E_BAD_BOX"),
        ("nodule 1 2 3 4;", "E_BAD_BOX"),
        ("nodule 1 2 1 4", "E_BOX_EMPTY"),
        ("nodule 1 5 3 4", "E_BOX_EMPTY"),
        ("nodule -1 2 3 4", "E_BOX_OUTSIDE"),
    ],
)
def test_a_bad_box_is_refused(text: str, code: str) -> None:
    with pytest.raises(LabelError, match=code):
        parse_boxes(text)


def test_a_strange_split_word_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(LabelError, match=r"E_SPLIT_WORD.*train, val, test, unassigned.*'holdout'"):
        parse_split("holdout")


@pytest.mark.parametrize("text", ["", "-1", "1.5", "ALL", "²"])
def test_a_strange_slice_is_refused(text: str) -> None:
    with pytest.raises(LabelError, match="E_BAD_SLICE"):
        parse_slice(text)


def test_an_unknown_name_gets_the_nearest_known_one() -> None:
    with pytest.raises(LabelError, match=r"E_LABEL_UNKNOWN.*nodule, lung.*Did you mean 'nodule'"):
        check_known("nodul", ["nodule", "lung"], "mask class")
