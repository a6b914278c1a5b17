"""Real CT through the layouts and back."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from volume_sets import a_grid, put_json, put_labels, put_volume

from tetract.data import (
    ALL,
    DatasetCard,
    DatasetFolder,
    MaskSource,
    Row,
    SourceCard,
    Split,
    open_dataset,
    write_dataset,
)
from tetract.data.finish_import import ImportOptions
from tetract.data.formats.export_cases import Content
from tetract.data.formats.export_nnunet import ExportChoices, export_nnunet
from tetract.data.formats.import_covid19_ct_seg import import_covid19_ct_seg
from tetract.data.formats.import_nnunet import NnunetChoices, import_nnunet
from tetract.io import read_label_map, read_volume

pytestmark = pytest.mark.real


def a_set(
    root: Path, rows: list[Row], classes: tuple[str, ...], *, hu_known: bool
) -> DatasetFolder:
    source = SourceCard(
        name="real",
        citation="c",
        licence="l",
        hu_known=hu_known,
        mask_classes=classes,
        patient_ids="partly",
        group_by="patient",
    )
    write_dataset(root, DatasetCard(name="real", mask_classes=classes, sources=(source,)), rows)
    return open_dataset(root)


def test_a_real_volume_goes_round_without_a_change(shared: Path, tmp_path: Path) -> None:
    ct = shared / "data" / "ct" / "totalsegmentator_nifti"
    mask = MaskSource(path=ct / "pulmonary_artery.nii.gz")
    row = Row(
        image=ct / "pulmonary_ct_cropped.nii.gz",
        source="real",
        slice=ALL,
        split=Split.TRAIN,
        mask={"artery": mask},
    )
    export_nnunet(
        a_set(tmp_path / "set", [row], ("artery",), hu_known=True),
        tmp_path / "raw",
        ExportChoices(),
    )
    import_nnunet(tmp_path / "raw", tmp_path / "back", NnunetChoices(), ImportOptions())
    (after,) = open_dataset(tmp_path / "back").rows
    old, new = read_volume(row.image), read_volume(after.image)
    assert np.array_equal(old.hu, new.hu)
    assert old.geometry is not None
    assert new.geometry is not None
    assert np.abs(old.geometry.corners_mm - new.geometry.corners_mm).max() < 1e-3
    back = (after.mask or {})["artery"]
    assert isinstance(back, MaskSource)
    assert np.array_equal(
        read_label_map(back.path).values == back.value, read_label_map(mask.path).values != 0
    )


def test_a_folder_of_real_files_as_nnunet_wants_them_is_imported(
    shared: Path, tmp_path: Path
) -> None:
    ct, raw = shared / "data" / "ct" / "totalsegmentator_nifti", tmp_path / "raw"
    for name, source in (
        ("imagesTr/s_0000.nii.gz", "pulmonary_ct_cropped.nii.gz"),
        ("labelsTr/s.nii.gz", "pulmonary_artery.nii.gz"),
    ):
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ct / source, raw / name)
    meta = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "artery": 1}}
    put_json(raw / "dataset.json", {**meta, "numTraining": 1, "file_ending": ".nii.gz"})
    report = import_nnunet(raw, tmp_path / "set", NnunetChoices(), ImportOptions())
    assert (report.surprises, report.sources[0].counts["mask present"]) == ((), 1)


def test_real_pictures_of_msd_lung_go_round_as_png(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "ct" / "msd_lung"
    images = sorted(folder.glob("images/Subject_57/*.png"))[:4]
    rows = [
        Row(
            image=image,
            source="real",
            split=split,
            patient=f"s{number}",
            mask={"tumour": MaskSource(path=folder / "masks" / "Subject_57" / image.name)},
        )
        for number, (image, split) in enumerate(
            zip(images, (Split.TRAIN, Split.TRAIN, Split.VAL, Split.TEST), strict=True)
        )
    ]
    before = a_set(tmp_path / "set", rows, ("tumour",), hu_known=False)
    export_nnunet(before, tmp_path / "raw", ExportChoices(content=Content.PICTURES))
    import_nnunet(tmp_path / "raw", tmp_path / "back", NnunetChoices(), ImportOptions())
    after = open_dataset(tmp_path / "back").rows
    assert [row.split for row in after] == [row.split for row in rows]
    for old, new in zip(rows, after, strict=True):
        assert np.array_equal(read_volume(old.image).values, read_volume(new.image).values)


def test_real_grey_slices_stacked_as_covid19_ct_seg_are_never_hu(
    shared: Path, tmp_path: Path
) -> None:
    pictures, raw = shared / "data" / "ct" / "covid19_ct_seg", tmp_path / "raw"
    names = [path.name for path in sorted((pictures / "ct").glob("*.png"))[40:52]]
    stacks = {
        kind: np.concatenate([read_label_map(pictures / kind / name).values for name in names])
        for kind in ("covid", "lungs")
    }
    values = np.concatenate([read_volume(pictures / "ct" / name).values for name in names])
    grid = a_grid(values.shape)
    case = "radiopaedia_4_85506_1.nii.gz"
    put_volume(raw / "COVID-19-CT-Seg_20cases" / case, values, grid)
    put_labels(raw / "Infection_Mask" / case, (stacks["covid"] > 0).astype(np.uint8), grid)
    put_labels(raw / "Lung_Mask" / case, (stacks["lungs"] > 0).astype(np.uint8), grid)
    report = import_covid19_ct_seg(raw, tmp_path / "set", ImportOptions())
    folder = open_dataset(tmp_path / "set")
    assert report.surprises == ()
    assert [(s.name, s.hu_known) for s in folder.card.sources] == [("covid19_ct_seg-grey", False)]
    infected = [bool(plane.any()) for plane in stacks["covid"]]
    assert [row.label is not None for row in folder.rows] == infected
    assert any(infected)
