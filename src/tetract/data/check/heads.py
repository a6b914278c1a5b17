"""The rows of a split, checked by the headers of their files: cheap before every training."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path

from tetract.data.cells import ALL, Split
from tetract.data.read_row import slice_within
from tetract.data.row_slices import LeftOut, check_boxes_have_a_slice, leave_out, naming_row
from tetract.data.table import Row
from tetract.errors import InputError, TetractError
from tetract.io import Kind, count_slices
from tetract.io.pictures.image_head import read_image_head
from tetract.io.sniff import sniff_image

_PICTURES = (Kind.PNG, Kind.JPEG, Kind.TIFF)


def check_heads(rows: Iterable[Row], split: Split, *, skip_unreadable: bool) -> tuple[str, ...]:
    """Look at the headers of the images of one split; no pixel is decoded and no mask opened.

    Whoever trains for days should not learn afterwards that the test split cannot be opened.

    Args:
        rows: All rows of the data set.
        split: The split that matters.
        skip_unreadable: Whether a row that cannot be read is only warned of.

    Returns:
        Warnings: ``W_HEADS_UNREADABLE`` with the number of rows and the first reason, or none.

    Raises:
        TetractError: The first row that cannot be used, unless ``skip_unreadable``.
    """
    heads = _Heads()
    mine = [row for row in rows if row.split == split]
    left_out: list[LeftOut] = []
    for row in mine:
        try:
            heads.check(row)
        except TetractError as error:
            if not skip_unreadable:
                raise
            left_out.append(leave_out(row, error))
    if not left_out:
        return ()
    return (
        f"W_HEADS_UNREADABLE {len(left_out)} of {len(mine)} rows of split {split} cannot be read "
        f"and will be left out, such as {left_out[0].error}",
    )


class _Heads:
    """Headers, each file's read once however many rows name it."""

    def __init__(self) -> None:
        self._depths: dict[Path, int | InputError] = {}

    def check(self, row: Row) -> None:
        """Refuse a row whose file cannot be opened or lacks its slice.

        Raises:
            TetractError: Naming the row.
        """
        check_boxes_have_a_slice(row)
        try:
            depth = self._depth(row.image)
            if row.slice != ALL:
                slice_within(row, depth)
        except TetractError as error:
            raise naming_row(error, row) from error

    def _depth(self, image: Path) -> int:
        if image not in self._depths:
            try:
                self._depths[image] = _depth(image)
            except InputError as refusal:
                self._depths[image] = refusal
        found = self._depths[image]
        if isinstance(found, InputError):
            raise copy.copy(found)
        return found


def _depth(image: Path) -> int:
    if image.is_file() and sniff_image(image) in _PICTURES:
        read_image_head(image)
        return 1
    return count_slices(image)
