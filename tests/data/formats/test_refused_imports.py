"""An import that is refused at its very end leaves nothing behind, whatever masks it has drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from box_sets import Coco, annotation, choices
from volume_sets import a_label, raw_folder

from label_objects import ct_series, make_seg, save_seg
from tetract.data import finish_import, open_dataset
from tetract.data.finish_import import ImportOptions
from tetract.data.formats.coco_read import import_coco
from tetract.data.formats.dicom_labels import SEG, LabelChoices, import_label_objects
from tetract.data.formats.import_nnunet import NnunetChoices, import_nnunet
from tetract.data.formats.mask_files import MASKS
from tetract.data.formats.names import parse_rules
from tetract.errors import InputError

Import = Callable[[Path], object]


def coco(root: Path) -> Import:
    made = Coco(root)
    file = made.write(annotation(segmentation=[[10, 20, 40, 20, 40, 30, 10, 30]]))
    return lambda out: import_coco([file], made.images, out, choices(), ImportOptions())


def nnunet(root: Path) -> Import:
    labels = {"background": 0, "left": 1, "some": [1, 2], "other": 3}
    cases = {"a": a_label((0, 0, 0, 1), (0, 0, 1, 2), (0, 0, 2, 3))}
    raw = raw_folder(root / "raw", cases, labels=labels)
    return lambda out: import_nnunet(raw, out, NnunetChoices(), ImportOptions())


def segmentation(root: Path) -> Import:
    grid = ct_series(root / "ct")
    save_seg(make_seg(grid, {1: np.ones(grid.geometry.shape, dtype=bool)}), root / "seg.dcm")
    rules = LabelChoices(rules=parse_rules(("thing 1=lung",)), lesions=(), complete=False)
    return lambda out: import_label_objects(
        root / "seg.dcm", root, out, rules, SEG, ImportOptions()
    )


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(params=[coco, nnunet, segmentation])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Import:
    return request.param(tmp_path)


def refuse(*_: object) -> None:
    raise InputError("E_X", "refused at the end")


def test_a_new_folder_is_not_made(
    run: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(tmp_path)
    monkeypatch.setattr(finish_import, "check_rows", refuse)
    with pytest.raises(InputError, match="E_X"):
        run(tmp_path / "new" / "set")
    assert content(tmp_path) == before
    assert not (tmp_path / "new").exists()


def test_a_data_set_that_was_there_stays_as_it_was(run: Import, tmp_path: Path) -> None:
    out = tmp_path / "set"
    run(out)
    card = out / "dataset.yaml"
    card.write_text(card.read_text() + "# another one\n")
    for mask in (out / MASKS).iterdir():
        mask.unlink()
    before = content(tmp_path)
    with pytest.raises(InputError, match="E_EXISTS"):
        run(out)
    assert content(tmp_path) == before


def test_the_same_import_again_gives_the_same_bytes_and_mends_lost_masks(
    run: Import, tmp_path: Path
) -> None:
    out = tmp_path / "set"
    run(out)
    first = content(out)
    assert any(name.startswith(MASKS) for name in first)
    for mask in (out / MASKS).iterdir():
        mask.unlink()
    run(out)
    assert content(out) == first
    assert open_dataset(out).rows
