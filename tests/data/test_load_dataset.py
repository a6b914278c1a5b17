from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from dataset_maker import a_card, a_row, a_source, write_table

from tetract.data import (
    DatasetCard,
    Split,
    SplitCard,
    open_dataset,
    split_hash,
    write_dataset,
)
from tetract.data.card import render_card
from tetract.data.load import holds_dataset
from tetract.errors import TetractError


def refusal(folder: Path, *rows: dict[str, str], card: DatasetCard | None = None) -> str:
    (folder / "dataset.yaml").write_text(render_card(card or a_card()), encoding="utf-8")
    write_table(folder, *rows)
    with pytest.raises(TetractError) as caught:
        open_dataset(folder)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("cell", "start", "told"),
    [
        ({"split": "dev"}, "E_SPLIT_WORD table.csv row 2 column split", "'dev'"),
        ({"class": ""}, "E_BLANK_LABEL table.csv row 2 column class", "unknown"),
        ({"mask": ""}, "E_BLANK_LABEL table.csv row 2 column mask", "empty"),
        ({"boxes": ""}, "E_BLANK_LABEL table.csv row 2 column boxes", "empty"),
        ({"class": "covd"}, "E_LABEL_UNKNOWN table.csv row 2 column class", "'covid'"),
        ({"mask": "heart=a.png"}, "E_LABEL_UNKNOWN table.csv row 2 column mask", "lung, nodule"),
        ({"boxes": "mass 1 2 3 4"}, "E_LABEL_UNKNOWN table.csv row 2 column boxes", "nodule"),
        ({"boxes": "nodule 1 2 1 4"}, "E_BOX_EMPTY table.csv row 2 column boxes", "x1=1"),
        ({"source": "nowhere"}, "E_SOURCE_UNKNOWN table.csv row 2 column source", "site"),
        ({"patient": ""}, "E_BAD_CELL table.csv row 2 column patient", "unknown"),
        ({"slice": "x"}, "E_BAD_SLICE table.csv row 2 column slice", "all"),
        ({"image": "b.png"}, "E_MISSING_IMAGE b.png", "1 image"),
        ({"mask": "lung=b.png"}, "E_MISSING_MASK b.png", "1 mask"),
    ],
)
def test_a_bad_cell_is_refused_by_place(
    tmp_path: Path, cell: dict[str, str], start: str, told: str
) -> None:
    line = refusal(tmp_path, cell)
    assert line.startswith(start)
    assert told in line


def test_all_problems_are_counted_and_the_first_is_told(tmp_path: Path) -> None:
    line = refusal(tmp_path, {"split": "a"}, {"split": "b"}, {"class": ""})
    assert "row 2" in line
    assert "(2 more problems in this table)" in line


def test_missing_images_are_counted_and_only_three_named(tmp_path: Path) -> None:
    line = refusal(tmp_path, *({"image": f"{i}.png"} for i in range(5)))
    assert "0.png, 1.png, 2.png and 2 more: 5 image files" in line


def test_one_patient_in_two_splits_is_refused_by_name(tmp_path: Path) -> None:
    first = {"patient": "p7", "slice": "0"}
    line = refusal(tmp_path, first, {"patient": "p7", "slice": "1", "split": "test"})
    assert line.startswith("E_PATIENT_LEAK rows 2 and 3: patient 'p7'")
    assert "train and test" in line


@pytest.mark.parametrize(("one", "two"), [("-", "-"), ("4", "4"), ("all", "4"), ("4", "-")])
def test_a_slice_that_stands_twice_is_refused(tmp_path: Path, one: str, two: str) -> None:
    assert "E_DUPLICATE_ROW table.csv rows 2 and 3" in refusal(
        tmp_path, {"slice": one}, {"slice": two}
    )


def test_a_mask_class_that_the_source_did_not_look_for_is_refused(tmp_path: Path) -> None:
    card = a_card(a_source(mask_classes=("lung",)))
    assert "for source site" in refusal(tmp_path, {"mask": "nodule=empty"}, card=card)


def test_empty_boxes_need_a_source_that_looked(tmp_path: Path) -> None:
    card = a_card(a_source(box_classes=()))
    assert refusal(tmp_path, {"boxes": "empty"}, card=card).startswith("E_BAD_CELL")


def test_an_unknown_patient_contradicts_a_source_with_known_ones(tmp_path: Path) -> None:
    card = a_card(a_source(patient_ids="known"))
    assert refusal(tmp_path, {}, card=card).startswith("E_PATIENT_UNKNOWN")


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path).startswith("E_EMPTY_DATASET")


def test_an_extra_column_is_refused(tmp_path: Path) -> None:
    write_dataset(tmp_path, a_card(), [a_row(tmp_path)])
    table = tmp_path / "table.csv"
    table.write_text("".join(f"{line},x\n" for line in table.read_text().splitlines()))
    with pytest.raises(TetractError, match=r"E_BAD_TABLE.*unknown column 'x'"):
        open_dataset(tmp_path)


def test_unknown_patients_and_a_changed_split_are_warned_of(tmp_path: Path) -> None:
    row = a_row(tmp_path, split=Split.TEST)
    split = SplitCard(seed=0, train=1, val=0, test=0, hash=split_hash([row]))
    write_dataset(tmp_path, a_card().model_copy(update={"split": split}), [row])
    assert [w.split()[0] for w in open_dataset(tmp_path).warnings] == ["W_NO_PATIENT_IDS"]
    write_table(tmp_path, {"split": "train"})
    assert [w.split()[0] for w in open_dataset(tmp_path).warnings][1:] == ["W_SPLIT_CHANGED"]


@pytest.mark.parametrize("used", [("ct", "png"), ("ct", "ct")])
def test_hu_beside_grey_values_are_normalised_knowingly(
    tmp_path: Path, used: tuple[str, str]
) -> None:
    card = a_card(a_source("ct"), a_source("png", hu_known=False))
    rows = [replace(a_row(tmp_path, f"{n}.png"), source=name) for n, name in enumerate(used)]
    write_dataset(tmp_path, card, rows)
    told = [w for w in open_dataset(tmp_path).warnings if w.startswith("W_MIXED_GREYS")]
    assert len(told) == (used == ("ct", "png"))
    assert all("HU of ct are" in line and "grey values of png by" in line for line in told)


def test_known_patients_need_no_warning(tmp_path: Path) -> None:
    write_dataset(tmp_path, a_card(), [a_row(tmp_path, patient="p")])
    assert open_dataset(tmp_path).warnings == ()


def test_a_bad_row_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    good = a_row(tmp_path)
    write_dataset(tmp_path, a_card(), [good])
    with pytest.raises(TetractError, match="E_LABEL_UNKNOWN"):
        write_dataset(tmp_path, a_card(), [a_row(tmp_path, label=frozenset({"flu"}))])
    assert holds_dataset(tmp_path, a_card(), [good])


def test_an_interrupted_write_is_no_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(tmp_path, a_card(), [a_row(tmp_path)])

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tetract.data.load.atomic_write_text", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path, a_card(), [a_row(tmp_path, patient="p")])
    with pytest.raises(TetractError, match="E_NOT_A_DATASET"):
        open_dataset(tmp_path)
