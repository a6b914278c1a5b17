"""Counts of a check as compact histograms: sizes, spacing and HU of images."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from jaxtyping import Int64, Shaped

from tetract.data.check.report import shown
from tetract.types import Volume

BAR_WIDTH: Final = 24
IN_PLANE_MM: Final = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.5, 2.5)
BETWEEN_MM: Final = (0.0, 0.8, 1.1, 1.6, 2.1, 2.6, 3.1, 4.1, 5.1, 7.6, 10.1)
HU_EDGES: Final = (-1024.0, -950.0, -800.0, -500.0, -200.0, 0.0, 100.0, 300.0, 1000.0, 3000.0)
_LEAST_HU: Final = -(2**15)
_SAMPLE_STEP: Final = 4  # every 4th row and column: a histogram of 1/16 of the voxels is enough
_LISTED_MATRICES: Final = 6


@dataclass(slots=True, kw_only=True)
class Histogram:
    """Counts in fixed half-open bins, so that two data sets can be laid side by side.

    Attributes:
        edges: Lower edge of each bin; the last bin is open upwards.
        unit: Of the edges.
        counts: One per bin.
    """

    edges: tuple[float, ...]
    unit: str
    counts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start every bin at 0."""
        self.counts = self.counts or [0] * len(self.edges)

    def add(self, value: float, times: int = 1) -> None:
        """Count ``value``; one below the first edge falls into the first bin."""
        # 2.4999999 mm from a header is 2.5 mm.
        self.counts[max(bisect_right(self.edges, round(value, 4)) - 1, 0)] += times

    def as_json(self) -> dict[str, Any]:
        """Lower edges and counts; the last bin is open upwards."""
        return {"unit": self.unit, "from": list(self.edges), "counts": list(self.counts)}

    def bars(self) -> list[str]:
        """One line per bin, empty bins at both ends left out."""
        filled = [index for index, count in enumerate(self.counts) if count]
        if not filled:
            return []
        kept = range(filled[0], filled[-1] + 1)
        total, most = sum(self.counts), max(self.counts)
        names = [self._name(index) for index in kept]
        width = max(map(len, names))
        lines: list[str] = []
        for index, name in zip(kept, names, strict=True):
            count = self.counts[index]
            share = f"{count / total:5.1%}" if count else "     -"
            lines.append(f"{name.rjust(width)} {bar(count, most)} {share.rjust(6)}  {count}")
        return lines

    def _name(self, index: int) -> str:
        low = f"{self.edges[index]:g}"
        last = index + 1 == len(self.edges)
        span = f">= {low}" if last else f"{low} to {self.edges[index + 1]:g}"
        return f"{span} {self.unit}"


def bar(count: int, most: int) -> str:
    """A bar of at most ``BAR_WIDTH`` characters; a thin line where a little is not nothing."""
    blocks = round(BAR_WIDTH * count / most) if most else 0
    return ("\N{FULL BLOCK}" * blocks or ("\N{LEFT ONE EIGHTH BLOCK}" if count else "")).ljust(
        BAR_WIDTH
    )


def columns(lines: Sequence[Sequence[str]]) -> list[str]:
    """A plain text table, columns two blanks apart."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    padded = ([cell.ljust(w) for cell, w in zip(line, widths, strict=True)] for line in lines)
    return ["  ".join(line).rstrip() for line in padded]


@dataclass(slots=True, kw_only=True)
class ImageTally:
    """What the volumes and pictures of one group are like. Files are counted, HU voxel by voxel.

    Attributes:
        files: Volumes and pictures.
        slices: Their slices.
        formats: Files per reader.
        matrices: Files per ``(rows, columns)`` in pixels.
        in_plane: Larger of row and column distance.
        between: Slice distance, of volumes with two slices or more.
        without_spacing: Files that do not say how large a pixel is.
        hu: Voxels per HU bin, every 4th row and column.
        hu_span: Lowest and highest HU of all voxels, or None.
        grey: ``uint8 0 to 255``, per picture of unknown window, to the number of files.
        derived: Files whose values were assumed or interpolated.
        warnings: Warning code to its number and first line.
    """

    files: int = 0
    slices: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    matrices: Counter[tuple[int, int]] = field(default_factory=Counter)
    in_plane: Histogram = field(default_factory=lambda: Histogram(edges=IN_PLANE_MM, unit="mm"))
    between: Histogram = field(default_factory=lambda: Histogram(edges=BETWEEN_MM, unit="mm"))
    without_spacing: int = 0
    hu: Histogram = field(default_factory=lambda: Histogram(edges=HU_EDGES, unit="HU"))
    hu_span: tuple[int, int] | None = None
    grey: dict[str, list[int]] = field(default_factory=dict)
    derived: int = 0
    warnings: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, volume: Volume) -> tuple[int, int] | None:
        """Count one volume; return its lowest and highest HU, None where it has no HU."""
        depth, height, width = volume.values.shape
        self.files += 1
        self.slices += depth
        self.formats[volume.provenance.reader] += 1
        self.matrices[height, width] += 1
        self.derived += volume.provenance.derived
        for line in volume.provenance.warnings:
            self.warn(line)
        if volume.geometry is None:
            self.without_spacing += 1
        else:
            between, row, column = volume.geometry.spacing_mm
            self.in_plane.add(max(row, column))
            if depth > 1:
                self.between.add(between)
        low, high = int(volume.values.min()), int(volume.values.max())
        if not volume.hu_known:
            seen = self.grey.setdefault(volume.values.dtype.name, [0, low, high])
            seen[:] = [seen[0] + 1, min(seen[1], low), max(seen[2], high)]
            return None
        self._count_hu(volume.hu)
        before = self.hu_span or (low, high)
        self.hu_span = (min(low, before[0]), max(high, before[1]))
        return low, high

    def warn(self, line: str) -> None:
        """Count one warning under its code."""
        code = line.split(" ", 1)[0]
        count, first = self.warnings.get(code, (0, shown(line)))
        self.warnings[code] = (count + 1, first)

    def as_json(self) -> dict[str, Any]:
        """Plain values in a fixed order."""
        return {
            "files": self.files,
            "slices_in_files": self.slices,
            "formats": dict(sorted(self.formats.items())),
            "matrices_px": {f"{h} x {w}": n for (h, w), n in sorted(self.matrices.items())},
            "spacing_in_plane": self.in_plane.as_json(),
            "spacing_between_slices": self.between.as_json(),
            "files_without_spacing": self.without_spacing,
            "hu": None
            if self.hu_span is None
            else {
                "lowest": self.hu_span[0],
                "highest": self.hu_span[1],
                "sampled_every": _SAMPLE_STEP,
                **self.hu.as_json(),
            },
            "no_hu": {
                kind: {"files": n, "lowest": low, "highest": high}
                for kind, (n, low, high) in sorted(self.grey.items())
            },
            "derived_files": self.derived,
            "warnings": {
                code: {"count": count, "first": first}
                for code, (count, first) in sorted(self.warnings.items())
            },
        }

    def as_text(self) -> list[str]:
        """Counts and bars."""
        if not self.files:
            return ["no image could be read"]
        formats = ", ".join(f"{n} {kind}" for kind, n in sorted(self.formats.items()))
        lines = [f"images: {formats}; {self.slices} slices in them"]
        lines.append(f"matrix (rows x columns): {self._matrices()}")
        lines += self._spacing()
        if self.hu_span is not None:
            low, high = self.hu_span
            lines += [
                f"HU {low} to {high}; every {_SAMPLE_STEP}th row and column:",
                *_indented(self.hu.bars()),
            ]
        lines += [
            f"no HU: {n} files of {kind} grey values, {low} to {high}"
            for kind, (n, low, high) in sorted(self.grey.items())
        ]
        if self.derived:
            lines.append(f"derived (assumed or interpolated on request): {self.derived} files")
        for _, (count, first) in sorted(self.warnings.items()):
            lines.append(first if count == 1 else f"{first} (and {count - 1} more)")
        return lines

    def _count_hu(self, hu: Shaped[np.ndarray, "D H W"]) -> None:
        counted: Int64[np.ndarray, " V"] = np.zeros(2**16, dtype=np.int64)
        for plane in hu:  # plane by plane: a whole volume of int64 would not fit everywhere
            sample = plane[::_SAMPLE_STEP, ::_SAMPLE_STEP].astype(np.int64).ravel()
            counted += np.bincount(sample - _LEAST_HU, minlength=2**16)
        starts = [0, *(int(edge) - _LEAST_HU for edge in HU_EDGES[1:])]  # below -1024: first bin
        for index, voxels in enumerate(np.add.reduceat(counted, starts).tolist()):
            self.hu.counts[index] += voxels

    def _matrices(self) -> str:
        common = sorted(self.matrices.items(), key=lambda item: (-item[1], item[0]))
        told = [f"{h} x {w} px ({n})" for (h, w), n in common[:_LISTED_MATRICES]]
        more = len(common) - len(told)
        if more:
            rows, cols = zip(*self.matrices, strict=True)
            told.append(
                f"and {more} more sizes, rows {min(rows)} to {max(rows)},"
                f" columns {min(cols)} to {max(cols)} px"
            )
        return ", ".join(told)

    def _spacing(self) -> list[str]:
        lines: list[str] = []
        if in_plane := self.in_plane.bars():
            lines += ["spacing in plane, files:", *_indented(in_plane)]
        if between := self.between.bars():
            lines += ["spacing between slices, volumes:", *_indented(between)]
        if self.without_spacing:
            lines.append(
                f"no spacing: {self.without_spacing} files do not say how large a pixel is"
            )
        return lines


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]
