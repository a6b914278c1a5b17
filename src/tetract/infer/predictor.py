"""A saved model put to work on a study: file in, Findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from tetract.data.neighbours import Neighbours
from tetract.data.preprocess import PreparedSlice, normalise, prepare_slice
from tetract.evaluate.trust.calibration import Calibration
from tetract.evaluate.trust.file import load_calibration
from tetract.evaluate.trust.text import calibration_lines, unused
from tetract.infer.decode import decode_slice
from tetract.infer.explain.explain import explain_study
from tetract.infer.judge import Judge
from tetract.io import once_per_code, read_study
from tetract.model import Bundle, Mirrored, Network, load_bundle
from tetract.model.bundle import find_bundle
from tetract.types import Findings, LabelSpace, Provenance, SliceFindings, Task, Volume
from tetract.types.explanation import Explanations

SLICES_PER_PASS = 8
MIRRORED = " (mean of each slice and its mirror image)"
Progress = Callable[[int, int], None]


def load(path: str | Path, *, flips: bool = False) -> Predictor:
    """Load a saved model, or a run's best one, ready to predict on the CPU.

    Args:
        path: A model folder or the run folder that ``tetract train`` wrote.
        flips: Whether it also looks at each slice mirrored and says the mean; twice the time.

    Raises:
        BundleError: ``E_NO_MODEL``, ``E_BAD_MODEL``, ``E_MODEL_DIGEST``, ``E_BAD_CALIBRATION``
            or ``E_OTHER_CALIBRATION``.
    """
    bundle = load_bundle(Path(path))
    folder, digest = find_bundle(Path(path)), bundle.description.weights_sha256
    return Predictor(bundle, flips, load_calibration(folder, digest))


@dataclass(frozen=True, slots=True)
class Predictor:
    """A model that reads studies. Research use only: not a medical device."""

    bundle: Bundle
    flips: bool = False
    calibration: Calibration | None = None

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that the model has a head for."""
        return self.bundle.network.tasks

    @property
    def label_space(self) -> LabelSpace:
        """Names behind the model's channels."""
        return self.bundle.network.label_space

    def predict(self, path: str | Path, *, progress: Progress | None = None) -> Findings:
        """What the model sees in a study.

        Args:
            path: A PNG, JPEG, DICOM or NIfTI file, a folder with one DICOM series, or a folder
                of pictures.
            progress: Told (slices done, slices in all).

        Raises:
            TetractError: Whatever makes the study unreadable or its numbers doubtful.
        """
        return self.predict_study(read_study(Path(path)), progress=progress)

    def predict_study(
        self, study: Sequence[Volume], *, progress: Progress | None = None
    ) -> Findings:
        """As ``predict``, for volumes that were read already."""
        total = sum(volume.depth for volume in study)
        slices: list[SliceFindings] = []
        judge = self._judge()
        for passed in _passes(self._prepared(study)):
            slices += self._one_pass(passed, judge, first=len(slices))
            if progress:
                progress(len(slices), total)
        names = tuple(name for volume in study for name in volume.provenance.slice_names)
        return Findings(
            slices=tuple(slices),
            tasks=self.tasks,
            label_space=self.label_space,
            geometry=study[0].geometry if len(study) == 1 else None,
            window_hu=self.bundle.description.spec.window_hu,
            provenance=Provenance(
                reader=study[0].provenance.reader,
                name=study[0].provenance.name if len(study) == 1 else f"{len(study)} pictures",
                slice_names=names,
                warnings=(*_told(study), *self._repeated(study), *self._unused()),
                derived=any(volume.provenance.derived for volume in study),
            ),
            model=self.bundle.identity + (MIRRORED if self.flips else ""),
            calibration=() if judge is None else calibration_lines(judge.calibration),
            judgement=None if judge is None else judge.study(),
        )

    def explain(self, study: Sequence[Volume], indices: Sequence[int]) -> Explanations:
        """Maps of the slices at ``indices``, counted from 0: what speaks for classes and boxes.

        Each kind of map is checked against networks of random weights; see ``Sanity``.
        """
        return explain_study(self.bundle.network, study, indices, around=self._around)

    def pictures(self, study: Sequence[Volume]) -> list[Float32[np.ndarray, "H W"]]:
        """Every slice at its own size in [0, 1] over the model's window, for showing."""
        window = self.bundle.description.spec.window_hu
        return [
            normalise(values, hu_known=volume.hu_known, window_hu=window)[0]
            for volume in study
            for values in volume.values
        ]

    def _prepared(self, study: Sequence[Volume]) -> Iterator[_Slice]:
        spec = self.bundle.description.spec
        around = self._around
        for volume in study:
            for index in range(volume.depth):
                fitted = prepare_slice(
                    volume,
                    index,
                    image_px=spec.image_px,
                    window_hu=spec.window_hu,
                    around=around,
                )
                spacing = None if volume.geometry is None else volume.geometry.spacing_mm[1:]
                yield _Slice(volume.provenance.slice_names[index], fitted, spacing)

    @property
    def _network(self) -> Network | Mirrored:
        network = self.bundle.network
        return Mirrored(network) if self.flips else network

    def _judge(self) -> Judge | None:
        known = self.calibration
        if known is None or self._unused():
            return None
        return Judge(self._network, self.bundle.network.spec, known)

    def _unused(self) -> tuple[str, ...]:
        return unused(self.calibration, flips=self.flips)

    @property
    def _around(self) -> Neighbours:
        spec = self.bundle.description.spec
        return Neighbours(each_side=spec.neighbours, distance_mm=spec.neighbour_mm)

    def _repeated(self, study: Sequence[Volume]) -> tuple[str, ...]:
        """Say where slices stand for neighbours that are not there."""
        around = self._around
        repeated = sum(
            len(set(around.slices(volume, index))) < 1 + 2 * around.each_side
            for volume in study
            for index in range(volume.depth)
        )
        if repeated == 0:
            return ()
        total = sum(volume.depth for volume in study)
        return (
            f"W_NEIGHBOURS_REPEATED {repeated} of {total} slices have too few slices beside them: "
            "the last one was repeated",
        )

    def _one_pass(
        self, passed: list[_Slice], judge: Judge | None, *, first: int
    ) -> list[SliceFindings]:
        image = torch.from_numpy(np.stack([one.fitted.image for one in passed]))
        said = self._network.predict(image)
        found = [
            decode_slice(
                said,
                row,
                fitted=one.fitted,
                label_space=self.label_space,
                name=(first + row, one.name),
                spacing_mm=one.spacing_mm,
            )
            for row, one in enumerate(passed)
        ]
        if judge is None:
            return found
        return judge.slices(found, image, said, [one.fitted.letterbox.frame_px for one in passed])


def _told(study: Sequence[Volume]) -> tuple[str, ...]:
    """The readers' warnings: all of one volume, one line per code for many pictures."""
    if len(study) == 1:
        return study[0].provenance.warnings
    lines = (line for volume in study for line in volume.provenance.warnings)
    return once_per_code(lines, "pictures")


@dataclass(frozen=True, slots=True)
class _Slice:
    name: str
    fitted: PreparedSlice
    spacing_mm: tuple[float, float] | None  # of the original slice


def _passes(slices: Iterator[_Slice]) -> Iterator[list[_Slice]]:
    waiting: list[_Slice] = []
    for one in slices:
        waiting.append(one)
        if len(waiting) == SLICES_PER_PASS:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
