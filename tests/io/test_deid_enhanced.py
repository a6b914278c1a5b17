"""Nothing of a patient is left in an enhanced CT, and every frame stays what it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from enhanced_makers import Edit, make_enhanced
from io_makers import make_volume
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import CTImageStorage, RLELossless

from canary import CANARY, UNIQUE, canary, salt
from tetract.errors import TetractError
from tetract.io import read_volume
from tetract.io.deid.actions import (
    EMPTIED,
    EMPTIED_IF_PRESENT,
    ENHANCED_DUMMIES,
    ENHANCED_KEPT,
    ENHANCED_SEQUENCES,
    ENHANCED_UIDS,
    KEPT,
    KEPT_SEQUENCES,
    NEW_UIDS,
    PSEUDONYMS,
    TABLE_E1_1,
)
from tetract.io.deid.deid import DeidReport, deidentify
from tetract.io.deid.secret import Renamer
from tetract.types import Volume

_RANDOM = make_volume(shape=(6, 40, 48))
MADE: Volume = replace(_RANDOM, values=(_RANDOM.values // 2 * 2).astype(np.int16))
ALLOWED = (
    KEPT | ENHANCED_KEPT | NEW_UIDS | ENHANCED_UIDS | KEPT_SEQUENCES | ENHANCED_SEQUENCES | EMPTIED
    | EMPTIED_IF_PRESENT | PSEUDONYMS | set(ENHANCED_DUMMIES) | {
        "AcquisitionContextSequence", "AnatomicRegionSequence", "StackID", "PixelData",
        "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
        "LongitudinalTemporalInformationModified", "CodeValue", "CodingSchemeDesignator",
        "CodeMeaning",
    }
)  # fmt: skip


def deid(folder: Path, edit: Edit | None = None) -> tuple[DeidReport, Path]:
    """One enhanced CT de-identified; the report and the file."""
    make_enhanced(folder / "in.dcm", MADE, edit=edit)
    out = folder / "out"
    report = deidentify(folder / "in.dcm", out, Renamer(secret=b"a secret of the tests"))
    (found,) = out.rglob("*.dcm")
    return report, found


def code_of(folder: Path, edit: Edit) -> str:
    with pytest.raises(TetractError) as caught:
        deid(folder, edit)
    assert not (folder / "out").exists()
    return caught.value.code


def items_of(made: Dataset) -> list[Dataset]:
    """Every item of every sequence, at all depths."""
    found: list[Dataset] = []
    for element in made:
        if element.VR == "SQ":
            for item in element.value:
                found += [item, *items_of(item)]
    return found


def region(scheme: str, value: str, meaning: str) -> Dataset:
    code, anatomy = Dataset(), Dataset()
    code.CodingSchemeDesignator, code.CodeValue, code.CodeMeaning = scheme, value, meaning
    anatomy.FrameLaterality, anatomy.AnatomicRegionSequence = "U", [code]
    return anatomy


def rich(made: Dataset) -> None:
    """Groups as scanners write them, with a canary in every text, date and UID of them."""
    groups = [*made.SharedFunctionalGroupsSequence, *made.PerFrameFunctionalGroupsSequence]
    places = [item for group in groups for item in (group, *group.get("FrameContentSequence", []))]
    for keyword in frozenset().union(*TABLE_E1_1.values()) - {"FrameOfReferenceUID"}:
        vr, tag = dictionary_VR(keyword).split(" or ")[0], tag_for_keyword(keyword)
        for place in places:
            if vr != "SQ" and tag is not None:
                place.add_new(tag, vr, canary(vr))
    index = Dataset()
    index.DimensionOrganizationUID = UNIQUE
    index.DimensionIndexPointer, index.FunctionalGroupPointer = 0x00209057, 0x00209111
    index.DimensionDescriptionLabel = "ZZTEST"
    made.DimensionIndexSequence = [index]
    organization = Dataset()
    organization.DimensionOrganizationUID = UNIQUE
    made.DimensionOrganizationSequence = [organization]
    for number, group in enumerate(made.PerFrameFunctionalGroupsSequence, 1):
        content = group.FrameContentSequence[0]
        content.StackID, content.InStackPositionNumber = "ZZTEST stack", number
        content.DimensionIndexValues = [number]
        content.FrameLabel = content.FrameComments = "ZZTEST"
        content.FrameAcquisitionDateTime = content.FrameReferenceDateTime = "19870605040302"
        group.FrameAnatomySequence = [region("SCT", "51185008", "ZZTEST chest")]
        block = content.private_block(0x0029, "ZZTEST MAKER", create=True)
        block.add_new(0x01, "LO", "ZZTEST private")
    made.SharedFunctionalGroupsSequence[0].FrameVOILUTSequence = [
        voi(WindowCenter=40, WindowWidth=400, WindowCenterWidthExplanation="ZZTEST")
    ]
    made.AcquisitionContextSequence = [region("99ZZTEST", "987654321", "ZZTEST")]


def voi(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def salted(made: Dataset) -> None:
    rich(made)
    keep = made.FrameOfReferenceUID
    salt(made)
    made.FrameOfReferenceUID = keep
    made.BurnedInAnnotation = "NO"


def test_nothing_that_was_salted_is_written(tmp_path: Path) -> None:
    report, path = deid(tmp_path, salted)
    assert CANARY.search((tmp_path / "in.dcm").read_bytes())
    assert not CANARY.search(path.read_bytes())
    assert not CANARY.search(str(path.relative_to(tmp_path)).encode())
    assert not CANARY.search((report.as_text() + report.as_json()).encode())


def test_only_allowed_attributes_are_written_at_any_depth(tmp_path: Path) -> None:
    _, path = deid(tmp_path, salted)
    found = pydicom.dcmread(path)
    for place in (found, *items_of(found)):
        assert {element.keyword for element in place} <= ALLOWED


def test_no_option_of_the_table_is_overruled() -> None:
    listed = frozenset().union(*TABLE_E1_1.values())
    assert not (ENHANCED_KEPT | ENHANCED_SEQUENCES) & listed
    assert TABLE_E1_1["U"] >= ENHANCED_UIDS
    dummies = {action for action, names in TABLE_E1_1.items() if names & set(ENHANCED_DUMMIES)}
    assert all("D" in action for action in dummies)


@pytest.mark.parametrize("edit", [None, salted, lambda made: made.compress(RLELossless)])
def test_the_volume_is_the_same(tmp_path: Path, edit: Edit | None) -> None:
    _, path = deid(tmp_path, edit)
    before, after = read_volume(tmp_path / "in.dcm"), read_volume(path)
    assert np.array_equal(after.hu, MADE.values)
    assert before.geometry is not None
    assert after.geometry is not None
    assert np.array_equal(before.geometry.affine, after.geometry.affine)


def test_frames_keep_their_order_their_stack_and_their_dimensions(tmp_path: Path) -> None:
    _, path = deid(tmp_path, rich)
    found = pydicom.dcmread(path)
    content = [g.FrameContentSequence[0] for g in found.PerFrameFunctionalGroupsSequence]
    assert [item.InStackPositionNumber for item in content] == [1, 2, 3, 4, 5, 6]
    assert {item.StackID for item in content} == {"1"}
    (index,), (organization,) = found.DimensionIndexSequence, found.DimensionOrganizationSequence
    assert index.DimensionOrganizationUID == organization.DimensionOrganizationUID != UNIQUE
    assert index.DimensionIndexPointer == 0x00209057
    anatomy = found.PerFrameFunctionalGroupsSequence[0].FrameAnatomySequence[0]
    assert anatomy.AnatomicRegionSequence[0].CodeMeaning == "Chest"


def test_what_may_not_be_empty_is_a_dummy(tmp_path: Path) -> None:
    _, path = deid(tmp_path, rich)
    found = pydicom.dcmread(path)
    assert (found.ContentDate, found.ContentTime) == ("19000101", "000000")
    assert found.DeviceSerialNumber == found.SoftwareVersions == "REMOVED"
    assert found.AcquisitionContextSequence == []
    content = found.PerFrameFunctionalGroupsSequence[3].FrameContentSequence[0]
    assert content.FrameAcquisitionDateTime == "19000101000000"
    assert found.SOPClassUID == found.file_meta.MediaStorageSOPClassUID
    assert found.SOPClassUID.name == "Enhanced CT Image Storage"


def test_an_unknown_region_is_left_out(tmp_path: Path) -> None:
    def elsewhere(made: Dataset) -> None:
        made.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = [
            region("99LOCAL", "ZZTEST", "ZZTEST ward 4")
        ]

    _, path = deid(tmp_path, elsewhere)
    assert b"ZZTEST" not in path.read_bytes()


def _without_groups(made: Dataset) -> None:
    del made.PerFrameFunctionalGroupsSequence


def _of_another_class(made: Dataset) -> None:
    made.SOPClassUID = CTImageStorage


def _one_group_less(made: Dataset) -> None:
    made.PerFrameFunctionalGroupsSequence = made.PerFrameFunctionalGroupsSequence[:-1]


def _in_colour(made: Dataset) -> None:
    made.PixelPresentation = "COLOR"


def _burned_in(made: Dataset) -> None:
    made.BurnedInAnnotation = "YES"


def _cut(made: Dataset) -> None:
    made.PixelData = made.PixelData[:-100]


def _overlay_in_compressed(made: Dataset) -> None:
    frames = np.frombuffer(made.PixelData, dtype="<u2").reshape(6, -1)
    made.PixelData = encapsulate([frame.tobytes() for frame in frames])
    made.file_meta.TransferSyntaxUID = RLELossless
    made.add_new(0x60000102, "US", 14)


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (_without_groups, "E_ENHANCED"),
        (_of_another_class, "E_ENHANCED"),
        (_one_group_less, "E_BAD_ATTRIBUTE"),
        (_in_colour, "E_COLOUR"),
        (_burned_in, "E_BURNED_IN"),
        (_cut, "E_PIXEL_TRUNCATED"),
        (_overlay_in_compressed, "E_BURNED_IN"),
    ],
)
def test_what_cannot_be_vouched_for_is_refused(
    tmp_path: Path, edit: Callable[[Dataset], None], code: str
) -> None:
    assert code_of(tmp_path, edit) == code


def test_bytes_behind_the_last_frame_are_removed(tmp_path: Path) -> None:
    def trail(made: Dataset) -> None:
        made.PixelData += b"ZZTEST"

    _, path = deid(tmp_path, trail)
    assert len(pydicom.dcmread(path).PixelData) == 6 * 40 * 48 * 2
