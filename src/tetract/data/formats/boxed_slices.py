"""The slices of a data set whose boxes are known, one by one, ready to be written elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Shaped

from tetract.data.cells import ALL, BoxEntry, Split
from tetract.data.formats.box_export_report import BoxTally
from tetract.data.label_algebra import Resolved, Rules, resolve_targets
from tetract.data.load import DatasetFolder
from tetract.data.read_row import RowReader, slice_index
from tetract.data.table import TABLE_NAME, Row
from tetract.errors import InputError, LabelError
from tetract.io import count_slices


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """One lesion of a slice.

    Attributes:
        label: Its box class.
        xyxy: ``x0 y0 x1 y1`` in px, half-open.
        mask: (H, W) its own pixels, or None where only the box is known.
    """

    label: str
    xyxy: tuple[float, float, float, float]
    mask: Bool[np.ndarray, "H W"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxedSlice:
    """One slice whose boxes are known.

    Attributes:
        name: What it is called elsewhere: numbers only, which tell nobody who the patient is.
            Slices of one patient share ``p0001``; ``u0002`` is of an unknown one.
        row: Its row.
        index: Its slice in the row's file.
        values: (H, W) HU or grey levels as read.
        hu_known: Whether ``values`` are Hounsfield units.
        lesions: What it shows; ``()`` where somebody looked in vain.
    """

    name: str
    row: Row
    index: int
    values: Shaped[np.ndarray, "H W"]
    hu_known: bool
    lesions: tuple[Lesion, ...]

    @property
    def split(self) -> Split:
        """Where it belongs."""
        return self.row.split

    @property
    def canvas(self) -> tuple[int, int]:
        """``(H, W)`` in px."""
        return self.values.shape[0], self.values.shape[1]


def boxed_slices(
    dataset: DatasetFolder, sources: Sequence[str], tally: BoxTally
) -> Generator[BoxedSlice]:
    """Each slice with known boxes, measured or derived of masks, in the order of the table.

    Slices whose boxes are unknown are counted in ``tally`` and left out; those that cannot be
    read are told there.

    Args:
        dataset: The data set.
        sources: Names of sources; none: all of them.
        tally: What is counted.

    Raises:
        LabelError: ``E_SOURCE_UNKNOWN``.
    """
    for name in sources:
        dataset.card.source(name)
    reader, names = RowReader(), _Names()
    for row in dataset.rows:
        if sources and row.source not in sources:
            continue
        try:
            indices: list[int | None] = _indices(row)
        except InputError as error:
            tally.skip(row, error)
            continue
        for index in indices:
            name = names.next(row)
            try:
                found = _boxed(dataset, row, index, name, reader=reader, tally=tally)
            except InputError as error:
                tally.skip(row, error)
                continue
            if found is not None:
                yield found


class _Names:
    """Numbers in place of patients."""

    def __init__(self) -> None:
        self._patients: dict[str, int] = {}
        self._slices: Counter[str] = Counter()

    def next(self, row: Row) -> str:
        """A name that no other slice has."""
        number = self._patients.setdefault(row.group, len(self._patients) + 1)
        self._slices[row.group] += 1
        kind = "u" if row.patient is None else "p"
        return f"{kind}{number:04d}_{self._slices[row.group]:04d}"


def _indices(row: Row) -> list[int | None]:
    if row.slice != ALL:
        return [None]
    if row.boxes:
        raise LabelError(
            "E_BOXES_ON_VOLUME",
            "boxes need a slice, but the row stands for all slices of its volume",
            where=f"{TABLE_NAME} row {row.number}",
        )
    return list(range(count_slices(row.image)))


def _boxed(
    dataset: DatasetFolder,
    row: Row,
    index: int | None,
    name: str,
    *,
    reader: RowReader,
    tally: BoxTally,
) -> BoxedSlice | None:
    card = dataset.card
    source = card.source(row.source)
    volume = reader.volume(row, source)
    place = slice_index(row, volume) if index is None else index
    rules = Rules(lesions=frozenset(card.box_classes))
    labels = reader.labels(row, volume, place)
    resolved = resolve_targets(labels, source, card.label_space, rules)
    if resolved.targets.boxes is None:
        tally.left_out["boxes unknown"] += 1
        return None
    annotated = resolved.targets.boxes.annotated
    tally.sought(row.source, card.box_classes, annotated)
    return BoxedSlice(
        name=name,
        row=row,
        index=place,
        values=volume.values[place],
        hu_known=volume.hu_known,
        lesions=_lesions(resolved, row.boxes or (), card.box_classes),
    )


def _lesions(
    resolved: Resolved, measured: Sequence[BoxEntry], classes: tuple[str, ...]
) -> tuple[Lesion, ...]:
    target = resolved.targets.boxes
    if target is None:
        return ()
    boxes = target.boxes
    # Measured corners are taken from the table, which has more digits than the float32 of boxes.
    exact = {name: iter([b.xyxy for b in measured if b.label == name]) for name in classes}
    found: list[Lesion] = []
    for place, (index, derived) in enumerate(
        zip(boxes.labels.tolist(), resolved.derived.tolist(), strict=True)
    ):
        x0, y0, x1, y1 = boxes.xyxy[place].tolist()
        name = classes[index]
        found.append(
            Lesion(
                label=name,
                xyxy=(x0, y0, x1, y1) if derived else next(exact[name]),
                mask=None if boxes.masks is None else boxes.masks[place],
            )
        )
    return tuple(found)
