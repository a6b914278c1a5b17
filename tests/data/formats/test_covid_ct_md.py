"""COVID-CT-MD: a patient's class, infected slices by Slice Location."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from published import make_series, refused, run, surprises


class Covid:
    """P001 and cap001 with slice labels, P002 without, normal001."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "covid"
        self.labels = np.zeros((4, 9), dtype=np.uint8)
        self.labels[0, [1, 2]] = 1
        self.labels[3, 5] = 1
        self.add("COVID-19 subjects", "P001")
        self.add("COVID-19 subjects", "P002")
        self.add("CAP subjects", "cap001")
        self.add("Normal subjects", "normal001")
        self.write_index([(0, "COVID-19", "P001"), (3, "CAP", "cap001")])
        self.write_labels()

    def add(self, kind: str, patient: str) -> None:
        folder = self.root / "set" / kind / patient
        make_series(folder, patient)
        for path in folder.iterdir():
            self.edit(path, lambda h: setattr(h, "SliceLocation", h.ImagePositionPatient[2]))

    def edit(self, path: Path, change: Callable[[pydicom.Dataset], object]) -> None:
        header = pydicom.dcmread(path)
        change(header)
        header.save_as(path)

    def files(self, patient: str) -> list[Path]:
        folder = next(self.root.rglob(patient))
        return sorted(folder.iterdir(), key=lambda p: pydicom.dcmread(p).ImagePositionPatient[2])

    def write_index(self, rows: list[tuple[int, str, str]]) -> None:
        lines = ["Label Index,Diagnosis,Relative Path,Folder/ID"]
        lines += [f"{number},{kind},./{kind}/,{patient}" for number, kind, patient in rows]
        (self.root / "Index.csv").write_text("\n".join(lines))

    def write_labels(self, name: str = "Slice-level-labels.npy") -> None:
        np.save(self.root / name, self.labels)

    def classes(self) -> dict[str, list[str | None]]:
        rows = run("covid-ct-md", self.root)[1].rows
        found: dict[str, list[str | None]] = {}
        for row in sorted(rows, key=lambda r: (r.patient, r.slice)):
            (name,) = row.label or (None,)
            found.setdefault(row.patient or "", []).append(name)
        return found


@pytest.fixture
def covid(tmp_path: Path) -> Covid:
    return Covid(tmp_path)


def test_a_patients_class_reaches_infected_slices_only(covid: Covid) -> None:
    assert covid.classes() == {
        "covid-ct-md-P001": [None, "covid", "covid", None, None, None],
        "covid-ct-md-P002": [None] * 6,
        "covid-ct-md-cap001": [None] * 5 + ["pneumonia"],
        "covid-ct-md-normal001": ["normal"] * 6,
    }


def test_normal_patients_are_not_called_free_of_lesions(covid: Covid) -> None:
    card = run("covid-ct-md", covid.root)[1].card.sources[0]
    assert (card.class_unit, card.normal_means_lesion_free) == ("patient", False)


def test_labels_follow_slice_location_whatever_the_names_and_directions(covid: Covid) -> None:
    for path in covid.files("P001"):
        covid.edit(path, lambda h: setattr(h, "SliceLocation", -h.ImagePositionPatient[2]))
    assert covid.classes()["covid-ct-md-P001"] == [None, None, None, "covid", "covid", None]


def test_the_corrected_labels_come_first(covid: Covid) -> None:
    covid.labels[0] = 0
    covid.labels[0, 0] = 1
    covid.write_labels("Slice-level-labels-updated-1.npy")
    assert covid.classes()["covid-ct-md-P001"] == ["covid", None, None, None, None, None]
    notes = {row.note for row in run("covid-ct-md", covid.root)[1].rows}
    assert notes == {"", "slice label of Slice-level-labels-updated-1.npy"}


def longer(covid: Covid) -> None:
    covid.labels[0, 7] = 1
    covid.write_labels()


def drop_last(covid: Covid) -> None:
    covid.files("P001")[-1].unlink()


def drop_first(covid: Covid) -> None:
    covid.files("P001")[0].unlink()


def no_location(covid: Covid) -> None:
    covid.edit(covid.files("P001")[2], lambda h: delattr(h, "SliceLocation"))


def one_location(covid: Covid) -> None:
    for path in covid.files("P001")[:2]:
        covid.edit(path, lambda h: setattr(h, "SliceLocation", "1"))


def other_diagnosis(covid: Covid) -> None:
    covid.write_index([(0, "CAP", "P001"), (3, "CAP", "cap001")])


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (longer, "E_SLICE_LABELS"),
        (drop_first, "E_SLICE_LABELS"),
        (no_location, "E_BAD_ATTRIBUTE"),
        (one_location, "E_DUPLICATE_POSITIONS"),
        (other_diagnosis, "E_SLICE_LABELS"),
    ],
)
def test_labels_that_could_slip_cost_the_patient(
    covid: Covid, spoil: Callable[[Covid], None], code: str
) -> None:
    spoil(covid)
    report, found = run("covid-ct-md", covid.root)
    assert [reason.split()[0] for reason in surprises(report)] == [code]
    assert "covid-ct-md-P001" not in {row.patient for row in found.rows}


def test_a_lost_slice_at_the_end_numbered_1_is_noticed(covid: Covid) -> None:
    numbers = [int(pydicom.dcmread(p).InstanceNumber) for p in covid.files("P001")]
    assert numbers in ([1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1])
    # At the other end nothing in the files shows the loss, unless the labels go on.
    (drop_first if numbers[0] == 1 else drop_last)(covid)
    assert surprises(run("covid-ct-md", covid.root)[0])


def test_labels_of_absent_patients_are_counted(covid: Covid) -> None:
    shutil.rmtree(next(covid.root.rglob("cap001")))
    report, _ = run("covid-ct-md", covid.root)
    assert [row.reason for row in report.skipped] == [
        "labels of 1 patients whose slices are not here"
    ]
    assert not surprises(report)


def test_a_second_series_of_a_patient_is_told(covid: Covid) -> None:
    make_series(next(covid.root.rglob("P001")) / "more", "more")
    assert surprises(run("covid-ct-md", covid.root)[0])[0].startswith("E_SEVERAL_SERIES P001")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(9, np.uint8),
        np.full((4, 9), 2, np.uint8),
        np.full((4, 9), np.nan),
        np.array([["a"]]),
    ],
)
def test_other_arrays_are_refused(covid: Covid, array: np.ndarray) -> None:
    np.save(covid.root / "Slice-level-labels.npy", array)
    refused("covid-ct-md", covid.root, "E_BAD_TABLE")


def test_an_array_that_lies_about_its_size_or_holds_code_is_refused(covid: Covid) -> None:
    path = covid.root / "Slice-level-labels.npy"
    path.write_bytes(path.read_bytes().replace(b"(4, 9)", b"(9999, 99999)")[:200])
    refused("covid-ct-md", covid.root, "E_BAD_TABLE")
    np.save(path, np.array([[{}]], dtype=object), allow_pickle=True)
    refused("covid-ct-md", covid.root, "E_BAD_TABLE")


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda c: (c.root / "Index.csv").unlink(), "E_NO_FILE"),
        (lambda c: (c.root / "Slice-level-labels.npy").unlink(), "E_NO_FILE"),
        (lambda c: c.write_index([(4, "COVID-19", "P001")]), "E_BAD_TABLE"),
        (lambda c: c.write_index([(0, "Flu", "P001")]), "E_BAD_TABLE"),
        (lambda c: c.write_index([(0, "CAP", "P001"), (1, "CAP", "P001")]), "E_BAD_TABLE"),
        (lambda c: (c.root / "Index.csv").write_text("a,b\n1,2\n"), "E_NO_COLUMN"),
        (lambda c: shutil.copy(c.root / "Index.csv", c.root / "set"), "E_DUPLICATE_FILE"),
        (lambda c: shutil.rmtree(c.root / "set"), "E_BAD_LAYOUT"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_used_refuse_the_set(
    covid: Covid, edit: Callable[[Covid], object], code: str
) -> None:
    edit(covid)
    refused("covid-ct-md", covid.root, code)
