"""The slices of one split, each ready for augmentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Int64
from torch.utils.data import Dataset

from tetract.data.cache.entry import Origins, Prepared
from tetract.data.cache.packed import PackedSample, pack, unpack
from tetract.data.cache.slices import SliceCache, SliceKey
from tetract.data.config import DataConfig
from tetract.data.label_algebra import (
    Origin,
    Resolved,
    RowLabels,
    Rules,
    check_merge,
    resolve_targets,
)
from tetract.data.load import DatasetFolder
from tetract.data.preprocess import fit_targets, prepare_slice
from tetract.data.pseudonyms import patient_names, series_names
from tetract.data.read_row import RowReader, slice_index
from tetract.data.row_slices import LeftOut, RowSlice, leave_out, naming_row, row_slices
from tetract.data.table import Row
from tetract.errors import TetractError
from tetract.types import LabelSpace, Task, Volume
from tetract.types.batch import Identity, Sample

Progress = Callable[[int, int], None]
FoundBoxes = tuple[Float32[np.ndarray, "N 4"], Int64[np.ndarray, " N"]]
"""Boxes of a slice, xyxy px on its square image, and their classes."""
Watch = Callable[[Row, Volume, Resolved], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCount:
    """What one source gives one task.

    Attributes:
        task: The task.
        source: The source.
        slices: Slices of this source in the split.
        labelled: Those that teach the task.
        positive: Those that show what the task looks for.
        derived: Labelled ones whose label follows from a label of another task.
        implied: Labelled ones that are negatives because the class is normal.
    """

    task: Task
    source: str
    slices: int
    labelled: int
    positive: int
    derived: int
    implied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a slice turned out to teach."""

    labelled: tuple[bool, ...]
    positive: tuple[bool, ...]
    origins: tuple[Origin | None, ...]
    boxes: FoundBoxes | None
    candidates: tuple[int, ...]
    alone: bool


class SliceDataset(Dataset[Sample]):
    """The slices of one split of a data set.

    Args:
        folder: The opened data set.
        config: How rows become samples.
        label_space: Names behind the recipe's channels.
        split: ``train``, ``val``, ``test`` or ``unassigned``.
        strict: Whether a slice that cannot be read is an error. Otherwise it is left out, from
            ``warm`` on, and told in ``left_out``; so is a row for all slices of a volume whose
            headers cannot be read, at once.
        watch: Told row, volume and resolved labels of each slice that was read from its files,
            once all of it went well; not of slices that a cache holds.

    Raises:
        RecipeError: ``E_MERGE_OVERLAP``.
        TetractError: Where ``strict``, as ``row_slices``.
        MachineError: ``E_CANNOT_WRITE`` when ``cache_dir`` cannot be made.
    """

    def __init__(
        self,
        folder: DatasetFolder,
        config: DataConfig,
        label_space: LabelSpace,
        split: str,
        *,
        strict: bool = True,
        watch: Watch | None = None,
    ) -> None:
        check_merge(config.merge, label_space)
        self.folder = folder
        self.config = config
        self.label_space = label_space
        self.split = split
        self.strict = strict
        self._watch = watch
        self._rules = Rules(
            merge=config.merge,
            derive_boxes=config.derive_boxes,
            lesions=frozenset(folder.card.box_classes),
        )
        self._items, self.left_out = self._opened()
        self._patients, self._series = patient_names(folder.rows), series_names(folder.rows)
        self._reader = RowReader()
        self._packed: dict[int, PackedSample] = {}
        self._keys: dict[tuple[int, int | None], SliceKey | None] = {}
        self.disk_cache: SliceCache | None = None
        if config.cache_dir is not None:
            self.disk_cache = SliceCache(config, label_space, folder.card.box_classes)
        self._known: list[_Known] | None = None

    def __len__(self) -> int:
        """Number of slices."""
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:
        """As ``sample``."""
        return self.sample(index)

    def sample(self, index: int) -> Sample:
        """Slice ``index``, unaugmented; the same numbers with and without the cache.

        Raises:
            TetractError: Whatever is wrong with its files or labels, naming the table's row.
        """
        packed = self._packed.get(index)
        return unpack(packed or self._prepare(self._items[index])[0].packed)

    def warm(self, progress: Progress | None = None) -> None:
        """Read every slice once, so that all is checked and counted before any training.

        Args:
            progress: Told (slices ready, slices in all).

        Raises:
            TetractError: The first slice that cannot be used, where ``strict``.
        """
        if self._known is not None:
            return
        usable: list[RowSlice] = []
        known: list[_Known] = []
        left_out = list(self.left_out)
        for done, item in enumerate(self._items, start=1):
            try:
                prepared, is_on_disk = self._prepare(item)
            except TetractError as error:
                if self.strict:
                    raise
                left_out.append(leave_out(item.row, error))
            else:
                if self.config.cache and not is_on_disk:
                    self._packed[len(usable)] = prepared.packed
                usable.append(item)
                known.append(self._judge(unpack(prepared.packed), prepared.origins))
            if progress is not None:
                progress(done, len(self._items))
        self._items, self._known = usable, known
        self.left_out = tuple(sorted(left_out, key=lambda one: one.row.number))

    @property
    def items(self) -> tuple[RowSlice, ...]:
        """The row behind each slice; nothing is read for it."""
        return tuple(self._items)

    @property
    def skipped(self) -> tuple[str, ...]:
        """Why each slice or row was left out, one line each, in the order of the table."""
        return tuple(str(one.error) for one in self.left_out)

    @property
    def labelled(self) -> Bool[np.ndarray, "N 4"]:
        """Which task each slice teaches, columns in the order of ``Task``."""
        rows = [known.labelled for known in self._all_known()]
        return np.array(rows, dtype=bool).reshape(-1, len(Task))

    @property
    def positive(self) -> Bool[np.ndarray, "N 4"]:
        """Which slices show what a task looks for.

        A class that is certain, a pixel of a lesion (of anything, where no mask class is a
        lesion), a box; every slice for reconstruction.
        """
        rows = [known.positive for known in self._all_known()]
        return np.array(rows, dtype=bool).reshape(-1, len(Task))

    @property
    def classes(self) -> Int64[np.ndarray, " N"]:
        """Which set of candidate classes each slice has, numbered from 0; unlabelled is a set."""
        found = [known.candidates for known in self._all_known()]
        numbers = {kind: number for number, kind in enumerate(sorted(set(found)))}
        return np.array([numbers[kind] for kind in found], dtype=np.int64)

    @property
    def candidates(self) -> Bool[np.ndarray, "N K"]:
        """Which classes each slice may be; none where it is not labelled."""
        found = np.zeros((len(self), len(self.label_space.classes)), dtype=bool)
        for row, known in zip(found, self._all_known(), strict=True):
            row[list(known.candidates)] = True
        return found

    @property
    def alone(self) -> int:
        """How many slices have no other slice beside them as a channel."""
        return sum(known.alone for known in self._all_known())

    @property
    def boxes(self) -> tuple[FoundBoxes | None, ...]:
        """The boxes of each slice, None where nobody looked for any."""
        return tuple(known.boxes for known in self._all_known())

    @property
    def sources(self) -> tuple[str, ...]:
        """The source of each slice."""
        return tuple(item.row.source for item in self._items)

    @property
    def lesion_classes(self) -> Bool[np.ndarray, " M"]:
        """Which mask classes are lesions, by the card's boxed classes and the recipe's merges."""
        names = self.label_space.mask_classes
        return np.array([self._rules.is_lesion(name) for name in names], dtype=bool)

    def renamed(self, name: str) -> str:
        """The recipe's name for a class of the data set."""
        return self._rules.renamed(name)

    def find(self, who: Identity) -> int | None:
        """Where the slice stands in the split; None where it does not."""
        for position, item in enumerate(self._items):
            if item.position == who.row and item.index in {None, who.slice_index}:
                return position
        return None

    def summary(self) -> tuple[TaskCount, ...]:
        """What each source gives each task, in the order of ``Task`` and of the card."""
        labelled, positive, sources = self.labelled, self.positive, np.asarray(self.sources)
        counts: list[TaskCount] = []
        for column, task in enumerate(Task):
            origins = np.array([str(known.origins[column]) for known in self._all_known()])
            for source in self.folder.card.sources:
                mine = sources == source.name
                counts.append(
                    TaskCount(
                        task=task,
                        source=source.name,
                        slices=int(mine.sum()),
                        labelled=int(labelled[mine, column].sum()),
                        positive=int(positive[mine, column].sum()),
                        derived=int((origins[mine] == Origin.DERIVED).sum()),
                        implied=int((origins[mine] == Origin.IMPLIED).sum()),
                    )
                )
        return tuple(counts)

    def _opened(self) -> tuple[list[RowSlice], tuple[LeftOut, ...]]:
        """The slices of this split, and rows whose number of slices cannot be told."""
        items: list[RowSlice] = []
        left_out: list[LeftOut] = []
        for position, row in enumerate(self.folder.rows):
            if row.split != self.split:
                continue
            try:
                items += row_slices(row, position)
            except TetractError as error:
                if self.strict:
                    raise
                left_out.append(leave_out(row, error))
        return items, tuple(left_out)

    def _all_known(self) -> list[_Known]:
        self.warm()
        return self._known or []

    def _prepare(self, item: RowSlice) -> tuple[Prepared, bool]:
        """The slice, and whether the disk holds it."""
        try:
            return self._found_or_read(item)
        except TetractError as error:
            raise naming_row(error, item.row) from error

    def _found_or_read(self, item: RowSlice) -> tuple[Prepared, bool]:
        cache, row = self.disk_cache, item.row
        if cache is None:
            return self._read(item), False
        at = (item.position, item.index)
        if at not in self._keys:
            self._keys[at] = cache.key(row, item.index, self.folder.card.source(row.source))
        key = self._keys[at]
        if key is None:
            return self._read(item), False
        found = cache.load(key, self._identity(item))
        if found is not None:
            return found, True
        prepared = self._read(item)
        return prepared, cache.save(key, prepared)

    def _identity(self, item: RowSlice) -> Identity:
        return Identity(
            row=item.position,
            patient=self._patients[item.position],
            source=item.row.source,
            slice_index=0,
            spacing_mm=None,
            series=self._series[item.position],
        )

    def _read(self, item: RowSlice) -> Prepared:
        row, config = item.row, self.config
        source = self.folder.card.source(row.source)
        volume = self._reader.volume(row, source)
        index = slice_index(row, volume) if item.index is None else item.index
        fitted = prepare_slice(
            volume,
            index,
            image_px=config.image_px,
            window_hu=config.window_hu,
            around=config.around,
        )
        labels = self._reader.labels(row, volume, index)
        resolved = self._resolve(labels, row, fitted.letterbox.scale)
        identity = replace(
            self._identity(item),
            slice_index=index,
            spacing_mm=fitted.spacing_mm,
            frame_px=fitted.letterbox.frame_px,
        )
        sample = Sample(
            image=fitted.image,
            targets=fit_targets(resolved, fitted.letterbox, min_lesion_px=config.min_lesion_px),
            identity=identity,
        )
        origins = Origins(label=resolved.label, masks=resolved.masks, boxes=resolved.boxes)
        prepared = Prepared(packed=pack(sample), origins=origins)
        if self._watch is not None:
            self._watch(row, volume, resolved)
        return prepared

    def _resolve(self, labels: RowLabels, row: Row, scale: float) -> Resolved:
        least = self.config.min_lesion_px
        # A model pixel is set from half its area on, so a part of fewer original pixels than
        # this cannot reach the least size; leaving it out early spares a mask per speckle.
        early = least / (2 * scale**2) if least > 1 else 1.0
        source = self.folder.card.source(row.source)
        rules = replace(self._rules, min_area_px=early)
        return resolve_targets(labels, source, self.label_space, rules)

    def _judge(self, sample: Sample, origins: Origins) -> _Known:
        targets = sample.targets
        certain = targets.label is not None and int(targets.label.sum()) == 1
        shows_lesion = targets.masks is not None and bool(
            targets.masks.pixels[self._lesion_channels() & targets.masks.annotated].any()
        )
        boxes = None if targets.boxes is None else targets.boxes.boxes
        boxed = boxes is not None and len(boxes) > 0
        taught_by = {
            Task.CLASSIFICATION: origins.label,
            Task.SEGMENTATION: _strongest(origins.masks),
            Task.RECONSTRUCTION: Origin.MEASURED,
            Task.DETECTION: _strongest(origins.boxes),
        }
        shown = {
            Task.CLASSIFICATION: certain,
            Task.SEGMENTATION: shows_lesion,
            Task.RECONSTRUCTION: targets.reconstruct,
            Task.DETECTION: boxed,
        }
        return _Known(
            labelled=tuple(targets.is_labelled(task) for task in Task),
            positive=tuple(shown[task] for task in Task),
            origins=tuple(taught_by[task] for task in Task),
            boxes=None if boxes is None else (boxes.xyxy, boxes.labels),
            candidates=()
            if targets.label is None
            else tuple(int(i) for i in np.flatnonzero(targets.label)),
            alone=bool((sample.image == sample.centre).all()),
        )

    def _lesion_channels(self) -> Bool[np.ndarray, " K"]:
        lesions = self.lesion_classes
        return lesions if lesions.any() else np.ones(len(lesions), dtype=bool)


def _strongest(origins: tuple[Origin | None, ...]) -> Origin | None:
    return next((origin for origin in Origin if origin in origins), None)
