"""Images and label maps of an export, written into a folder that appears only when it is whole."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from tetract.data.cells import Split
from tetract.data.formats.export_cases import Content, ExportCase
from tetract.data.formats.export_report import Tally, WrittenCase
from tetract.data.formats.one_label_map import Coding, draw_label_map
from tetract.data.load import DatasetFolder
from tetract.data.read_image import read_image
from tetract.data.read_row import RowReader
from tetract.errors import InputError, LabelError
from tetract.io import make_folder, write_nifti_labels, write_nifti_volume, write_png
from tetract.types import Volume


class LeftOutError(Exception):
    """An image that the layout cannot take, for a reason that is no fault."""


@contextmanager
def whole_folder(out: Path) -> Generator[Path]:
    """A folder to write into, which becomes ``out`` at the end or disappears.

    Raises:
        InputError: ``E_OUT_NOT_EMPTY``.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(
            "E_OUT_NOT_EMPTY", "this place is taken", where=out.name, fix="Give a new folder"
        )
    part = out.absolute().with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        make_folder(part)
        yield part
        if out.exists():
            out.rmdir()
        part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageWriter:
    """Writes the images of an export.

    Attributes:
        dataset: The data set.
        content: Which kind of images is wanted.
        place: Folder to write into.
        suffix: What follows a case's name in image files, such as ``_0000``.
    """

    dataset: DatasetFolder
    content: Content
    place: Path
    suffix: str

    @property
    def ending(self) -> str:
        """End of the file names."""
        return ".png" if self.content is Content.PICTURES else ".nii.gz"

    def read(self, case: ExportCase) -> Volume:
        """The image of a case, as its source's card says it is.

        Raises:
            LeftOutError: It is of another kind, or cannot be written without loss.
            LabelError: ``E_HU_CARD``.
            InputError: Whatever makes it unreadable.
        """
        source = self.dataset.card.source(case.source)
        if source.hu_known != (self.content is Content.HU):
            raise LeftOutError(f"not of the kind {self.content}")
        volume = read_image(case.image, grey=not source.hu_known)
        if volume.hu_known != source.hu_known:
            raise LabelError(
                "E_HU_CARD",
                "the file's values are not what the card of its source says",
                where=case.image.name,
                fix="Correct hu_known of the source, or split the source in two",
            )
        is_picture = not volume.hu_known and volume.geometry is None and volume.depth == 1
        if is_picture != (self.content is Content.PICTURES):
            raise LeftOutError(f"not of the kind {self.content}")
        if is_picture and volume.values.dtype != np.uint8:
            raise LeftOutError("a picture of 16 bits")
        if not is_picture and volume.geometry is None:
            raise LeftOutError("a volume without a place in space, whose spacing would be made up")
        return volume

    def write_image(self, case: ExportCase, volume: Volume) -> str:
        """Write an image; its path below the export."""
        path = self._path("images", case, f"{case.name}{self.suffix}{self.ending}")
        if self.content is Content.PICTURES:
            write_png(path, volume.values[0])
        else:
            write_nifti_volume(path, volume.values, volume.geometry)
        return path.relative_to(self.place).as_posix()

    def write_labels(
        self, case: ExportCase, volume: Volume, labels: UInt8[np.ndarray, "D H W"]
    ) -> str:
        """Write a label map; its path below the export."""
        path = self._path("labels", case, f"{case.name}{self.ending}")
        if self.content is Content.PICTURES:
            write_png(path, labels[0])
        else:
            write_nifti_labels(path, labels, volume.geometry)
        return path.relative_to(self.place).as_posix()

    def _path(self, kind: str, case: ExportCase, name: str) -> Path:
        folder = self.place / f"{kind}{'Ts' if case.split == Split.TEST else 'Tr'}"
        make_folder(folder)
        return folder / name


def write_each(
    cases: list[ExportCase], write: Callable[[ExportCase], WrittenCase], tally: Tally, origin: str
) -> None:
    """Write every case that can be written and count the rest.

    Raises:
        InputError: ``E_EMPTY_EXPORT`` when nothing is left.
        MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
    """
    for case in cases:
        if case.split == Split.UNASSIGNED:
            tally.left_out["not assigned to a split"] += 1
            continue
        try:
            tally.cases.append(write(case))
        except LeftOutError as reason:
            tally.left_out[str(reason)] += 1
        except InputError as error:
            tally.skipped.append(str(error))
    if not tally.cases:
        reasons = [f"{n} x {why}" for why, n in tally.left_out.most_common(3)]
        raise InputError(
            "E_EMPTY_EXPORT",
            "no image can be exported",
            where=origin,
            found="; ".join([*reasons, *tally.skipped[:1]]),
            fix="Choose others with --content, --source or --class, or allow --ignore-label",
        )


def write_masked(
    case: ExportCase, writer: ImageWriter, coding: Coding, reader: RowReader, tally: Tally
) -> WrittenCase:
    """Write an image with its label map.

    Raises:
        LeftOutError: Not all that the map would say is known.
        InputError: Whatever is wrong with its files.
    """
    cells = [row.mask or {} for row in case.rows]
    if not any(name in cell for cell in cells for name in coding.classes):
        raise LeftOutError("masks unknown")
    partial = "masks known in part only; --ignore-label can say so"
    if coding.ignore is None and any(n not in cell for cell in cells for n in coding.classes):
        raise LeftOutError(partial)
    volume = writer.read(case)
    drawn = draw_label_map(case, volume, coding, reader)
    if coding.ignore is None and not drawn.known:
        raise LeftOutError(partial)
    if not drawn.told:
        raise LeftOutError("no voxel can be told, since a class of higher precedence is unknown")
    tally.overlaps.update(drawn.overlaps)
    return WrittenCase(
        name=case.name,
        split=case.split,
        source=case.source,
        row=case.rows[0].number,
        image=writer.write_image(case, volume),
        label=writer.write_labels(case, volume, drawn.values),
    )
