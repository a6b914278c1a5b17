"""A dataset folder becomes Pascal VOC XML files, lists of splits and pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from tetract.data.cells import Split
from tetract.data.formats.box_export import BoxExportChoices, export_boxes
from tetract.data.formats.box_export_report import BoxExportReport, BoxTally
from tetract.data.formats.boxed_slices import BoxedSlice
from tetract.data.formats.voc_read import SHIFTS, TAGS, Convention, Key
from tetract.data.load import DatasetFolder
from tetract.io import Kind, atomic_write_text, make_folder, read_ct_grid, sniff
from tetract.io.dicom.instances import read_instance_uid


def export_voc(
    dataset: DatasetFolder,
    out: Path,
    choices: BoxExportChoices,
    *,
    key: Key,
    convention: Convention,
) -> BoxExportReport:
    """Write ``Annotations``, ``ImageSets/Main`` and, unless named by UID, ``JPEGImages``.

    A looked-at negative has a file without an object.

    Args:
        dataset: The data set.
        out: A new folder.
        choices: What a person said.
        key: ``name``: files are named after the pictures beside them; ``uid``: after the SOP
            Instance UID of the slice, without pictures. UIDs identify.
        convention: How corners are counted, as for ``import_voc``.

    Raises:
        InputError: As ``export_boxes``.
        MachineError: As ``export_boxes``.
    """
    return export_boxes(dataset, out, _Voc(key=key, convention=convention), choices)


class _Voc:
    """The XML files under way."""

    name = "voc"

    def __init__(self, *, key: Key, convention: Convention) -> None:
        self._by_uid = key == "uid"
        self._shifts = SHIFTS[convention]
        self._keys: dict[Split, list[str]] = {}
        self._instances: dict[Path, dict[int, str]] = {}

    def pictures(self, found: BoxedSlice) -> Path | None:
        """One folder for all splits, or no pictures where DICOM slices are named."""
        del found
        return None if self._by_uid else Path("JPEGImages")

    def refusal(self, found: BoxedSlice) -> str:
        """Only DICOM slices have UIDs."""
        if self._by_uid and not self._uid(found):
            return "not a DICOM slice with a UID of its own"
        return ""

    def add(self, place: Path, found: BoxedSlice) -> None:
        """Write the file of a slice."""
        key = self._uid(found) if self._by_uid else found.name
        self._keys.setdefault(found.split, []).append(key)
        folder = place / "Annotations"
        make_folder(folder)
        atomic_write_text(folder / f"{key}.xml", self._rendered(found, key))

    def finish(self, place: Path, tally: BoxTally, notes: Sequence[str]) -> None:
        """Write the lists of splits."""
        del tally, notes
        folder = place / "ImageSets" / "Main"
        make_folder(folder)
        for split, keys in self._keys.items():
            atomic_write_text(folder / f"{split}.txt", "".join(f"{key}\n" for key in keys))

    def _rendered(self, found: BoxedSlice, key: str) -> str:
        root = ET.Element("annotation")
        ET.SubElement(root, "filename").text = key if self._by_uid else f"{key}.png"
        size = ET.SubElement(root, "size")
        for tag, value in zip(("height", "width", "depth"), (*found.canvas, 1), strict=True):
            ET.SubElement(size, tag).text = str(value)
        for lesion in found.lesions:
            element = ET.SubElement(root, "object")
            ET.SubElement(element, "name").text = lesion.label
            box = ET.SubElement(element, "bndbox")
            for tag, corner, shift in zip(TAGS, lesion.xyxy, self._shifts, strict=True):
                ET.SubElement(box, tag).text = _number(corner - shift)
        ET.indent(root)
        return ET.tostring(root, encoding="unicode") + "\n"

    def _uid(self, found: BoxedSlice) -> str:
        """UID of a slice, or "" where it has none."""
        path = found.row.image
        if not found.hu_known:
            return ""
        if path not in self._instances:
            self._instances[path] = _instances(path)
        return self._instances[path].get(found.index, "")


def _instances(path: Path) -> dict[int, str]:
    """Slice to UID of a DICOM file or of a folder with one series."""
    if path.is_dir():
        return {index: uid for uid, index in read_ct_grid(path).instances.items()}
    return {0: read_instance_uid(path)} if sniff(path) is Kind.DICOM else {}


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
