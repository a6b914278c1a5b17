"""The rows behind an evaluation, on disk: what comparisons, intervals and plots are made from.

One gzipped line of JSON per slice and task, so that a thousand slices are a few megabytes and
any program can read them. Who a patient is has been left behind in ``data.pseudonyms``.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tetract.errors import InputError
from tetract.evaluate.collect import Collected, Seen
from tetract.evaluate.result import Setting
from tetract.evaluate.rows_codec import decode, encode
from tetract.evaluate.signals import Signals
from tetract.io import atomic_write_bytes
from tetract.tasks.classification.metrics import ClassificationRow
from tetract.tasks.detection.metrics import DetectionRow
from tetract.tasks.reconstruction.metrics import ReconstructionRow
from tetract.tasks.segmentation.metrics import SegmentationRow
from tetract.types import LabelSpace, Task

ROWS_NAME: Final = "rows.jsonl.gz"
SCHEMA: Final = "tetract.rows/1"
_SEEN: Final = "seen"
_KINDS: Final[Mapping[str, type]] = {
    _SEEN: Seen,
    Task.CLASSIFICATION: ClassificationRow,
    Task.SEGMENTATION: SegmentationRow,
    Task.RECONSTRUCTION: ReconstructionRow,
    Task.DETECTION: DetectionRow,
    "signals": Signals,
}
# A thousand slices of a hundred boxes are 8 MB of text: this is a data set no machine evaluates.
_MOST_BYTES: Final = 4 << 30


def write_rows(folder: Path, collected: Collected) -> Path:
    """Write ``rows.jsonl.gz`` into ``folder``, identical for identical rows."""
    lines = "\n".join(json.dumps(line, allow_nan=False) for line in _lines(collected))
    path = folder / ROWS_NAME
    atomic_write_bytes(path, gzip.compress(lines.encode() + b"\n", compresslevel=6, mtime=0))
    return path


def read_rows(path: Path) -> Collected:
    """What ``write_rows`` wrote.

    Raises:
        InputError: ``E_BAD_ROWS``.
    """
    try:
        with gzip.open(path) as file:
            text = file.read(_MOST_BYTES)
        first, *others = (json.loads(line, parse_constant=_no_number) for line in text.splitlines())
        if first["schema"] != SCHEMA:
            raise _bad_rows(path, expected=SCHEMA, found=str(first["schema"])[:40])
        rows: dict[str, list[Any]] = {name: [] for name in _KINDS}
        for line in others:
            rows[line["task"]].append(decode(_KINDS[line["task"]], line["row"]))
        return Collected(
            tasks=tuple(Task(name) for name in first["tasks"]),
            label_space=decode(LabelSpace, first["label_space"]),
            setting=decode(Setting, first["setting"]),
            **{name: tuple(found) for name, found in rows.items()},
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise _bad_rows(path, found=type(error).__name__) from error


def _no_number(name: str) -> None:
    """JSON proper has no NaN and no Infinity; Python reads them."""
    msg = f"{name} is no number"
    raise ValueError(msg)


def _bad_rows(
    path: Path, *, found: str, expected: str = "a file of tetract evaluate"
) -> InputError:
    return InputError(
        "E_BAD_ROWS",
        "the rows of an evaluation cannot be read",
        where=path.name,
        expected=expected,
        found=found,
        fix="Run tetract evaluate again; it writes them beside its tables",
    )


def _lines(collected: Collected) -> Iterator[dict[str, Any]]:
    yield {
        "schema": SCHEMA,
        "use": "Research use only, not a medical device.",
        "tasks": [str(task) for task in collected.tasks],
        "label_space": encode(collected.label_space),
        "setting": encode(collected.setting),
    }
    for name in _KINDS:
        for row in getattr(collected, name):
            yield {"task": str(name), "row": encode(row)}
