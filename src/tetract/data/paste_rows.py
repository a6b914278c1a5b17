"""Which slices give lesions to which: those of the training split, with alike grey values."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from tetract.data.config import PasteConfig
from tetract.data.dataset import SliceDataset
from tetract.data.lung_estimate import estimate_lungs
from tetract.data.paste import Chest, draw_copies, paste
from tetract.data.paste_labels import Meaning
from tetract.errors import RecipeError
from tetract.types import Task
from tetract.types.batch import Sample


class LesionPaste:
    """Copies lesions between the slices of one split.

    Slices of different sources are mixed only where both hold HU: what a picture's grey means is
    known in its own source at best.

    Raises:
        RecipeError: ``E_NO_PASTE`` where no slice shows a lesion, or none can be given one.
    """

    def __init__(self, dataset: SliceDataset, config: PasteConfig) -> None:
        self._dataset = dataset
        self._config = config
        lesions = dataset.lesion_classes
        lungs = np.array([n in config.lungs for n in dataset.label_space.mask_classes], dtype=bool)
        self._check(lesions, lungs)
        self._meanings = {
            source: _meaning(dataset, source, lesions, lungs) for source in set(dataset.sources)
        }
        shows = dataset.positive[:, list(Task).index(Task.SEGMENTATION)]
        self._donors = {
            source: [
                index
                for index in np.flatnonzero(shows).tolist()
                if self._kind(dataset.sources[index]) == self._kind(source)
            ]
            for source in self._meanings
        }

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """The sample with the lesions that ``rng`` draws, as far as labels and lungs allow."""
        copies = draw_copies(self._config, rng)
        source = sample.identity.source
        donors, meaning = self._donors[source], self._meanings[source]
        if not (copies and donors):
            return sample
        lungs = self._chest(sample, meaning).lungs
        for copy in copies:
            donor = self._dataset.sample(donors[int(copy.donor * len(donors))])
            sample = paste(
                Chest(sample=sample, lungs=lungs),
                self._chest(donor, meaning),
                copy,
                meaning=meaning,
                config=self._config,
            )
        return sample

    def _chest(self, sample: Sample, meaning: Meaning) -> Chest:
        """The slice and its lungs, by its mask, else estimated where that is asked for."""
        masks = sample.targets.masks
        if masks is not None and (masks.annotated & meaning.lungs).any():
            lungs = np.asarray(masks.pixels[masks.annotated & meaning.lungs].any(axis=0))
            return Chest(sample=sample, lungs=lungs)
        if not self._config.estimate_lungs:
            return Chest(sample=sample, lungs=None)
        known = self._dataset.folder.card.source(sample.identity.source).hu_known
        window_hu = self._dataset.config.window_hu if known else None
        return Chest(sample=sample, lungs=estimate_lungs(sample.centre, window_hu))

    def _kind(self, source: str) -> str:
        """Equal for sources whose grey values mean the same."""
        return "" if self._dataset.folder.card.source(source).hu_known else source

    def _check(self, lesions: Bool[np.ndarray, " M"], lungs: Bool[np.ndarray, " M"]) -> None:
        names = self._dataset.label_space.mask_classes
        shown = self._dataset.positive[:, list(Task).index(Task.SEGMENTATION)].any()
        if not (lesions.any() and shown):
            found, fix = "no training slice with a lesion's mask", "Set data.augment.paste.share=0"
        elif not (lungs.any() or self._config.estimate_lungs):
            found = "mask classes " + ", ".join(names)
            fix = "Name the lungs in data.augment.paste.lungs, or set ...paste.estimate_lungs=true"
        else:
            return
        raise RecipeError(
            "E_NO_PASTE",
            "no lesion can be copied into any slice",
            where="data.augment.paste",
            expected="masks of lesions, and of lungs unless these may be estimated",
            found=found,
            fix=fix,
        )


def _meaning(
    dataset: SliceDataset,
    source: str,
    lesions: Bool[np.ndarray, " M"],
    lungs: Bool[np.ndarray, " M"],
) -> Meaning:
    normal = dataset.folder.card.source(source).normal_class
    classes = dataset.label_space.classes
    renamed = None if normal is None else dataset.renamed(normal)
    return Meaning(
        lesions=lesions,
        lungs=lungs,
        normal=classes.index(renamed) if renamed in classes else None,
    )
