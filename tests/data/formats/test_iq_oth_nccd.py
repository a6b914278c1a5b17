"""IQ-OTH/NCCD: folders of cases."""

from __future__ import annotations

from pathlib import Path

import pytest
from published import by_name, picture, refused, run, surprises


@pytest.fixture
def iq(tmp_path: Path) -> Path:
    root = tmp_path / "The IQ-OTHNCCD lung cancer dataset"
    for folder, name in (
        ("Bengin cases", "Bengin case (1).png"),
        ("Bengin cases", "Bengin case (2).png"),
        ("Malignant cases", "Malignant case (1).png"),
        ("Normal cases", "Normal case (1).png"),
        ("Test cases", "000108.png"),
    ):
        picture(root / "deep" / folder / name)
    (root / "__MACOSX" / "Normal cases").mkdir(parents=True)
    (root / "__MACOSX" / "Normal cases" / "Normal case (9).png").write_bytes(b"x")
    (root / "deep" / "Normal cases" / "._Normal case (1).png").write_bytes(b"x")
    return root


def test_folders_of_cases_are_classes(iq: Path) -> None:
    report, found = run("iq-oth-nccd", iq)
    rows = by_name(found.rows)
    assert {name: set(row.label or ()) for name, row in rows.items()} == {
        "Bengin case (1).png": {"benign"},
        "Bengin case (2).png": {"benign"},
        "Malignant case (1).png": {"lung_cancer"},
        "Normal case (1).png": {"normal"},
    }
    assert not surprises(report)
    assert [row.declared for row in report.skipped] == [True]
    assert {(row.mask, row.boxes, row.patient) for row in found.rows} == {(None, None, None)}
    assert any(line.startswith("W_NO_PATIENT_IDS") for line in found.warnings)


def test_a_class_of_cases_does_not_call_a_slice_free_of_lesions(iq: Path) -> None:
    card = run("iq-oth-nccd", iq)[1].card.sources[0]
    assert (card.class_unit, card.normal_class) == ("patient", "normal")
    assert not card.normal_means_lesion_free


def test_a_picture_in_the_wrong_folder_is_no_guess(iq: Path) -> None:
    picture(iq / "deep" / "Normal cases" / "Malignant case (7).png")
    picture(iq / "deep" / "other" / "Normal case (7).png")
    report, found = run("iq-oth-nccd", iq)
    assert [reason.split(":")[0] for reason in surprises(report)] == ["E_NO_RULE", "E_NO_RULE"]
    assert len(found.rows) == 4


def test_other_folders_are_not_iq_oth_nccd(tmp_path: Path) -> None:
    picture(tmp_path / "set" / "cats" / "1.png")
    refused("iq-oth-nccd", tmp_path / "set", "E_BAD_LAYOUT")
