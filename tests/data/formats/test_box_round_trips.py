"""A data set written in a foreign format and read back says the same as before."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from box_sets import choices, picture
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tetract.data import (
    EMPTY,
    BoxEntry,
    DatasetCard,
    MaskSource,
    Row,
    SourceCard,
    Split,
    open_dataset,
    write_dataset,
)
from tetract.data.finish_import import ImportOptions
from tetract.data.formats.box_choices import BoxChoices
from tetract.data.formats.box_export import BoxExportChoices
from tetract.data.formats.box_export_report import BoxExportReport
from tetract.data.formats.coco_read import import_coco
from tetract.data.formats.coco_write import export_coco
from tetract.data.formats.patient_rule import patient_rule
from tetract.data.formats.voc_read import VocRules, import_voc
from tetract.data.formats.voc_write import export_voc
from tetract.data.formats.yolo_read import import_yolo
from tetract.data.formats.yolo_write import export_yolo
from tetract.data.lesions import lesion_parts, tight_boxes
from tetract.io import read_label_map, write_png

HEIGHT, WIDTH = 24, 40
CLASSES = ("nodule", "mass")
PATIENTS = {"p": Split.TRAIN, "q": Split.VAL, "r": Split.TEST, None: Split.TRAIN}
Trip = Callable[[Path, Path, Path], BoxExportReport]


def said(there: Path) -> BoxChoices:
    """What a person would say: whether there are patients shows in the names of the pictures."""
    pattern = r"(?:.*/)?(?:(p\d{4})|u\d{4})_\d{4}\.png"
    known = any(there.rglob("p*_*.png"))
    return choices(patients=patient_rule(pattern if known else None))


def coco_trip(data: Path, there: Path, back: Path) -> BoxExportReport:
    report = export_coco(open_dataset(data), there, BoxExportChoices())
    files = sorted((there / "annotations").glob("*.json"))
    splits = {file.name: Split(file.stem.removeprefix("instances_")) for file in files}
    import_coco(files, there / "images", back, said(there), ImportOptions(), splits=splits)
    return report


def yolo_trip(data: Path, there: Path, back: Path) -> BoxExportReport:
    report = export_yolo(open_dataset(data), there, BoxExportChoices())
    import_yolo(there / "data.yaml", back, said(there), ImportOptions())
    return report


def outline_trip(data: Path, there: Path, back: Path) -> BoxExportReport:
    report = export_yolo(open_dataset(data), there, BoxExportChoices(), outlines=True)
    import_yolo(there / "data.yaml", back, said(there), ImportOptions(), four_corners="mask")
    return report


def voc_trip(data: Path, there: Path, back: Path) -> BoxExportReport:
    choice = BoxExportChoices()
    report = export_voc(open_dataset(data), there, choice, key="name", convention="from-1")
    rules = VocRules(key="name", convention="from-1", image_sets=there / "ImageSets" / "Main")
    place, images = there / "Annotations", there / "JPEGImages"
    import_voc(place, images, back, said(there), ImportOptions(), rules=rules)
    return report


def corners(limit: int) -> st.SearchStrategy[tuple[float, float]]:
    """Two different multiples of a quarter pixel, rising."""
    ends = st.tuples(st.integers(0, 4 * limit), st.integers(0, 4 * limit))
    return ends.filter(lambda e: e[0] != e[1]).map(lambda e: (min(e) / 4, max(e) / 4))


BOXES = st.lists(
    st.builds(
        lambda label, x, y: BoxEntry(label=label, xyxy=(x[0], y[0], x[1], y[1])),
        st.sampled_from(CLASSES), corners(WIDTH), corners(HEIGHT),
    ),
    max_size=3,
    unique_by=lambda box: box.xyxy,
).map(tuple)  # fmt: skip
ROWS = st.lists(
    st.tuples(st.sampled_from(list(PATIENTS)), st.none() | BOXES), min_size=1, max_size=5
).filter(lambda rows: any(boxes for _, boxes in rows))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    return [picture(folder / f"{i}.png", (HEIGHT, WIDTH)) for i in range(5)]


def save(folder: Path, rows: list[Row], *, masks: tuple[str, ...] = ()) -> Path:
    source = SourceCard(
        name="site",
        citation="none",
        licence="none stated",
        hu_known=False,
        mask_classes=masks,
        box_classes=CLASSES,
        patient_ids="partly",
        group_by="patient",
    )
    card = DatasetCard(name="toy", mask_classes=masks, box_classes=CLASSES, sources=(source,))
    write_dataset(folder, card, rows)
    return folder


def returned(back: Path) -> dict[str, Row]:
    return {row.image.stem: row for row in open_dataset(back).rows}


@pytest.mark.parametrize("trip", [coco_trip, yolo_trip, voc_trip])
@settings(deadline=None, max_examples=8)  # other work on the machine is no failure
@given(described=ROWS)
def test_boxes_splits_and_silence_come_back_as_they_went(
    pictures: list[Path],
    trip: Trip,
    described: list[tuple[str | None, tuple[BoxEntry, ...] | None]],
) -> None:
    rows = [
        Row(image=image, source="site", patient=key, split=PATIENTS[key], boxes=boxes)
        for image, (key, boxes) in zip(pictures, described, strict=False)
    ]
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        data = save(root / "data", rows)
        report = trip(data, root / "there", root / "back")
        after = returned(root / "back")
        before = {row.number: row for row in open_dataset(data).rows}
    assert report.tally.left_out["boxes unknown"] == sum(row.boxes is None for row in rows)
    assert set(after) == {name for name, _, _ in report.tally.written}
    patients: dict[str | None, str | None] = {}
    for name, _, number in report.tally.written:
        went, came = before[number], after[name]
        assert (came.split, sorted_boxes(came)) == (went.split, sorted_boxes(went))
        assert patients.setdefault(came.patient, went.patient) == went.patient


def sorted_boxes(row: Row) -> list[tuple[str, tuple[float, ...]]] | None:
    return None if row.boxes is None else sorted((box.label, box.xyxy) for box in row.boxes)


@pytest.mark.parametrize("trip", [coco_trip, outline_trip])
@settings(deadline=None, max_examples=8)  # other work on the machine is no failure
@given(mask=arrays(np.bool_, (HEIGHT, WIDTH), fill=st.just(value=False)))
def test_masks_come_back_to_the_pixel_with_a_box_around_each_part(
    pictures: list[Path], trip: Trip, mask: np.ndarray
) -> None:
    mask[2:4, 3:7] = True
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write_png(root / "mask.png", mask.astype(np.uint8))
        cell = {"nodule": MaskSource(path=root / "mask.png"), "mass": EMPTY}
        rows = [
            Row(image=pictures[0], source="site", split=Split.TRAIN, mask=cell),
            Row(
                image=pictures[1],
                source="site",
                split=Split.TRAIN,
                mask=dict.fromkeys(CLASSES, EMPTY),
            ),
        ]
        trip(save(root / "data", rows, masks=CLASSES), root / "there", root / "back")
        first, second = (row for _, row in sorted(returned(root / "back").items()))
        source = (first.mask or {})["nodule"]
        assert isinstance(source, MaskSource)
        assert np.array_equal(read_label_map(source.path).values[0] > 0, mask)
    parts = tight_boxes(lesion_parts(mask)).tolist()
    assert sorted(box.xyxy for box in first.boxes or ()) == sorted(map(tuple, parts))
    assert (second.boxes, second.mask) == ((), {"nodule": EMPTY})
