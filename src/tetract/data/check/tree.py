"""A tree of files, each file and series given to the readers as any caller would give it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from tetract.data.check.other import what_else
from tetract.data.check.report import (
    CheckReport,
    Entry,
    Progress,
    Section,
    Verdict,
    refused_line,
    shown,
    shown_all,
)
from tetract.data.check.summary import ImageTally
from tetract.data.check.walk import Place, check_there, single, walk
from tetract.errors import TetractError
from tetract.io import Kind, ReadOptions, read_label_map, read_study, sniff
from tetract.io.guard import reading
from tetract.types import Volume

LABEL_MAP: Final = "label map"
_DICOMDIR: Final = "DICOMDIR"
_NOT_OURS: Final = frozenset({"E_MODALITY", "E_LOCALIZER", "E_NOT_AN_IMAGE"})
_LISTED: Final = re.compile(r"([0-9a-f]{8}) \((\d+) slices\)")
# Each series of a folder is read by itself, and its reader looks at every file of the folder.
_MOST_SERIES: Final = 40
# HU + 1024 and label maps both begin at 0; no label map we know has more names than this.
_MOST_LABELS: Final = 128
_DEFAULTS: Final = ReadOptions()


class TreeCheck:
    """Reads what lies in the folders of a walk, and counts it."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.tallies: defaultdict[str, ImageTally] = defaultdict(ImageTally)

    def place(self, place: Place) -> Iterator[int]:
        """Check one folder; yields the number of files done since the last time."""
        self.entries += place.entries
        dicom: list[Path] = []
        for path in place.files:
            try:
                kind = sniff(path)
            except TetractError as refusal:
                self._refuse(place, path, "file", refusal)
                yield 1
                continue
            if kind is Kind.DICOM and path.name != _DICOMDIR:
                dicom.append(path)
                continue
            self._file(place, path, kind)
            yield 1
        if dicom:
            self._dicom(place, dicom)
            yield len(dicom)

    def sections(self) -> tuple[Section, ...]:
        """The counts of each format."""
        return tuple(
            Section(name=name, text=tuple(tally.as_text()), plain=tally.as_json())
            for name, tally in sorted(self.tallies.items())
        )

    def _file(self, place: Place, path: Path, kind: Kind) -> None:
        what, verdict, line = kind.value, Verdict.REFUSED, ""
        if kind is Kind.DICOM:
            what, verdict = "dicomdir", Verdict.IGNORED
            line = "its references are not followed; the files themselves are checked"
        elif kind in (Kind.OTHER, Kind.EMPTY):
            what, verdict, line = what_else(path, kind)
        if verdict is not Verdict.REFUSED:
            self.entries.append(place.entry(path, what, verdict, line))
            return
        refusal = self._use(place, path, what)
        if refusal is None:
            return
        labels = _label_map(path) if refusal.code == "E_NOT_HU" else None
        if labels is None:
            self._refuse(place, path, what, refusal)
        else:
            self.entries.append(place.entry(path, LABEL_MAP, Verdict.USABLE, labels))

    def _dicom(self, place: Place, files: list[Path]) -> None:
        # One file is read as that file: both ways give the same slice.
        target = files[0] if len(files) == 1 else place.path
        what = "dicom slice" if len(files) == 1 else "dicom series"
        refusal = self._use(place, target, what)
        if refusal is None:
            return
        at = len(self.entries)
        self._refuse(place, target, what, refusal)
        if refusal.code == "E_SEVERAL_SERIES":
            self._each_series(place, refusal)
        elif len(files) > 1:
            alone = self._each_file(place, files, refusal)
            self.entries[at] = replace(self.entries[at], alone=alone)

    def _each_series(self, place: Place, refusal: TetractError) -> None:
        listed = _LISTED.findall(refusal.found)
        for series, _ in listed[:_MOST_SERIES]:
            what = f"dicom series {series}"
            fault = self._use(place, place.path, what, ReadOptions(series=series))
            if fault is not None:
                self._refuse(place, place.path, what, fault)
        if more := listed[_MOST_SERIES:]:
            slices = sum(int(count) for _, count in more)
            line = f"not looked at: {len(more)} more series, {slices} slices; one folder for each"
            self.entries.append(place.entry(place.path, "dicom series", Verdict.SKIPPED, line))

    def _each_file(self, place: Place, files: list[Path], refusal: TetractError) -> int:
        """Why a folder is no series: what is refused of its files; counts those that are not."""
        alone = 0
        for path in files:
            try:
                _read(path)
            except TetractError as fault:
                if str(fault) != str(refusal):
                    self._refuse(place, path, "dicom file", fault)
            else:
                alone += 1
        return alone

    def _use(
        self, place: Place, path: Path, what: str, options: ReadOptions = _DEFAULTS
    ) -> TetractError | None:
        """Read and count; what the readers say where they refuse."""
        try:
            volumes = _read(path, options)
        except TetractError as refusal:
            return refusal
        for volume in volumes:
            _, height, width = volume.values.shape
            grid = volume.geometry
            self.entries.append(
                replace(
                    place.entry(path, what, Verdict.USABLE),
                    slices=volume.depth,
                    matrix=(height, width),
                    spacing_mm=None if grid is None else grid.spacing_mm,
                    hu=self.tallies[volume.provenance.reader].add(volume),
                    warnings=shown_all(volume.provenance.warnings),
                )
            )
        return None

    def _refuse(self, place: Place, path: Path, what: str, refusal: TetractError) -> None:
        not_ours = what.startswith("dicom") and refusal.code in _NOT_OURS
        verdict = Verdict.SKIPPED if not_ours else Verdict.REFUSED
        self.entries.append(place.entry(path, what, verdict, refused_line(refusal)))


def check_tree(path: Path, progress: Progress | None = None) -> CheckReport:
    """Give every file and every DICOM folder under ``path`` to the readers.

    A folder's DICOM files are one series, as for ``read_study``; where the folder holds several
    series each is listed, and where it is refused its files are tried one by one. Pictures and
    NIfTI files stand for themselves. Nothing is written, no archive is opened, no link to a
    folder and no DICOMDIR is followed.

    Args:
        path: A folder, or one file.
        progress: Told (files done, files in all).

    Raises:
        ReadError: ``E_NOT_FOUND`` when there is no such path.
    """
    check_there(path)
    root = path.resolve()
    places = list(walk(root)) if root.is_dir() else [single(root)]
    total, done = sum(len(place.files) for place in places), 0
    check = TreeCheck()
    for place in places:
        for files in check.place(place):
            done += files
            if progress is not None:
                progress(done, total)
    return CheckReport(
        name=shown(root.name),
        kind="tree",
        entries=tuple(check.entries),
        sections=check.sections(),
        usable_slices=sum(tally.slices for tally in check.tallies.values()),
        hidden=sum(place.hidden for place in places),
    )


def _read(path: Path, options: ReadOptions = _DEFAULTS) -> tuple[Volume, ...]:
    with reading(path.name, code="E_CANNOT_READ", what="the file cannot be read"):
        return read_study(path, options=options)


def _label_map(path: Path) -> str | None:
    """Which labels a file holds whose values are no HU; None where it is no label map."""
    try:
        with reading(path.name, code="E_CANNOT_READ", what="the file cannot be read"):
            found = np.flatnonzero(np.bincount(read_label_map(path).values.ravel())).tolist()
    except TetractError:
        return None
    if len(found) > _MOST_LABELS:
        return None
    labels = [str(label) for label in found if label]
    return f"a mask, not an image; labels {', '.join(labels) or 'none'}"
