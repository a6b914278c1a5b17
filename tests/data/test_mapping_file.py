from __future__ import annotations

from pathlib import Path

import pytest

from tetract.data.mapping import Take, load_mapping
from tetract.errors import TetractError

GOOD = """
name: toy
classes: [normal, covid, cancer]
mask_classes: [lung]
box_classes: [nodule]
sources:
  - card: {name: s, citation: c, licence: l, hu_known: true, patient_ids: known, group_by: g,
           mask_classes: [lung]}
    when: {kind: 'ct|CT'}
    image: {column: file}
    patient: {column: patient}
    class: [{is: unknown}]
    mask: [{is: unknown}]
    boxes: [{is: unknown}]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "map.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mapping_knows_the_columns_it_reads_and_the_card_it_makes(tmp_path: Path) -> None:
    mapping = load_mapping(written(tmp_path, GOOD))
    assert mapping.columns() == ("kind", "file", "patient")
    assert mapping.dataset_card().sources[0].name == "s"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("is: unknown}]\n    mask", "is: flu}]\n    mask", "'flu'"),
        ("class: [{is: unknown}]", "class: []", "class"),
        ("mask: [{is: unknown}]", "mask: [{is: maybe}]", "mask.0.is"),
        ("mask: [{is: unknown}]", "mask: [{is: empty, column: m}]", "exactly one"),
        ("mask: [{is: unknown}]", "mask: [{column: m}]", "belong together"),
        ("mask: [{is: unknown}]", "mask: [{column: m, files: [{class: heart}]}]", "'heart'"),
        ("boxes: [{is: unknown}]", "boxes: [{is: empty}]", "nothing was looked for"),
        ("boxes: [{is: unknown}]", "boxes: [{column: b}]", "belong together"),
        ("boxes: [{is: unknown}]", "boxes: [{column: b, label: nodule}]", "'nodule'"),
        ("'ct|CT'", "'ct('", "regular expression"),
        ("image:", "picture:", "picture"),
        ("class: [{is: unknown}]", "class: [{is: {no: covid}}]", "class.0.is"),
        ("class: [{is: unknown}]", "slice: all\n    class: [{is: covid, if_mask: lung}]", "whole"),
    ],
)
def test_a_wrong_key_is_refused_and_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD
    with pytest.raises(TetractError, match=r"E_BAD_MAPPING map.yaml") as caught:
        load_mapping(written(tmp_path, text))
    assert told in str(caught.value)


def test_a_missing_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TetractError, match="E_NO_FILE"):
        load_mapping(tmp_path / "map.yaml")


def test_a_pattern_must_match_the_whole_cell_and_gives_its_first_group() -> None:
    take = Take.model_validate({"column": "note", "pattern": "id=(.*)", "unknown": ["0+"]})
    assert take.of({"note": "id=7"}) == "7"
    assert take.of({"note": "my id=7"}) is None
    assert take.of({"note": "id=000"}) is None
    assert take.of({"note": "id="}) is None
