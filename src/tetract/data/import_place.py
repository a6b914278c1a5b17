"""Where an import writes: beside its folder until all is well, so that a refusal leaves nothing."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tetract.data.cells import MaskCell, MaskSource
from tetract.data.table import Row
from tetract.errors import MachineError
from tetract.io import atomic_write_text, make_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlace:
    """The folder of an import under way.

    Attributes:
        folder: The dataset folder, absolute; nothing in it changes before ``publish``.
        part: Temporary folder on the same disk, made by whoever writes first.
    """

    folder: Path
    part: Path

    def settled(self, rows: Iterable[Row]) -> list[Row]:
        """The rows, with the masks that lie in ``part`` named as they will be."""
        return [
            row if row.mask is None else replace(row, mask=self._settled(row.mask)) for row in rows
        ]

    def publish(self, texts: Mapping[str, str], *, last: str) -> None:
        """Move everything to the dataset folder.

        A new folder appears whole, by one renaming. In a folder that is there already, files of
        the same name are replaced and all others stay; ``last`` goes before anything else is
        replaced and comes when all is there, so a folder that was left half-way has none.

        Args:
            texts: Files to write besides those that lie in ``part``.
            last: Name of the file without which the folder is no data set.

        Raises:
            MachineError: ``E_DISK_FULL`` or ``E_CANNOT_WRITE``.
        """
        make_folder(self.part)
        for name, text in texts.items():
            atomic_write_text(self.part / name, text)
        if not self.folder.exists():
            _move(self.part, self.folder)
            return
        inner = (path for path in self.part.rglob("*") if path.parent != self.part)
        self._add(sorted(path for path in inner if path.is_file()))
        if last in texts:
            (self.folder / last).unlink(missing_ok=True)
        for name in sorted(texts, key=lambda name: name == last):
            _move(self.part / name, self.folder / name)

    def _add(self, files: Sequence[Path]) -> None:
        """Move files into sub-folders; where one cannot be moved, none of the new ones stays."""
        new: list[Path] = []
        try:
            for path in files:
                target = self.folder / path.relative_to(self.part)
                make_folder(target.parent)
                if not target.exists():
                    new.append(target)
                _move(path, target)
        except MachineError:
            for path in new:
                path.unlink(missing_ok=True)
            raise

    def _settled(self, cell: MaskCell) -> MaskCell:
        return {
            name: replace(source, path=self.folder / source.path.relative_to(self.part))
            if isinstance(source, MaskSource) and source.path.is_relative_to(self.part)
            else source
            for name, source in cell.items()
        }


@contextmanager
def import_place(folder: Path) -> Generator[ImportPlace]:
    """A place for one import, cleared at the end whatever happens.

    The temporary folder is a hidden sibling of ``folder``, or lies in it where it is there
    already, since the folder above may be another disk. A process that is killed leaves it.

    Args:
        folder: The dataset folder to write.
    """
    folder = folder.absolute()
    token = secrets.token_hex(4)
    if folder.exists():
        part = folder / f".import-{token}.part"
    else:
        part = folder.with_name(f".{folder.name}.{token}.part")
    absent = [parent for parent in part.parents if not parent.exists()]
    try:
        yield ImportPlace(folder=folder, part=part)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        for parent in absent:  # deepest first; what holds the data set now is not empty
            try:
                parent.rmdir()
            except OSError:
                break


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as fault:
        raise MachineError(
            "E_CANNOT_WRITE",
            "the file cannot be put in its place",
            where=target.name,
            found=type(fault).__name__,
            fix="Check that you may write to the folder",
        ) from None
