"""The chosen slices once more through the network, as pictures of what is true and what it says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tetract.data.collate import collate
from tetract.data.dataset import SliceDataset
from tetract.evaluate.choose_cases import FIGURES, Choice
from tetract.evaluate.collect import Predictor, hidden_patches
from tetract.evaluate.result import Hiding
from tetract.io import encode_png
from tetract.report.pixels import grey_bytes, heat_bytes
from tetract.report.trace import outline_path
from tetract.tasks.reconstruction.hide import hide
from tetract.types import LabelSpace, Task
from tetract.types.batch import Batch, Sample
from tetract.types.case import Case, Frame, Layer, Outline
from tetract.types.identity import Identity
from tetract.types.predictions import Predictions

# Fainter boxes than this are not drawn: a detector keeps a hundred of them on every slice.
SHOWN_SCORE = 0.3
MOST_BOXES = 10
# The residual's brightest colour, as a share of the window; the same in every picture.
RESIDUAL_TOP = 0.2
_Grey = Float[np.ndarray, "H W"]


def draw_cases(
    network: Predictor, dataset: SliceDataset, choices: Sequence[Choice], hiding: Hiding
) -> tuple[Case, ...]:
    """Run ``network``, which is in evaluation mode, on each chosen slice and keep pictures.

    Args:
        network: The model that was evaluated.
        dataset: The split it was evaluated on.
        choices: Which slices.
        hiding: Which pixels to withhold; as in the evaluation, so the same.
    """
    cases: list[Case] = []
    for choice in choices:
        batch = collate([sample_of(dataset, choice.identity)], dataset.label_space)
        said = network.predict(batch.image)
        if choice.task is Task.RECONSTRUCTION:
            layers = _hidden_layers(network, batch, hiding)
        else:
            layers = _layers(batch, said, dataset.label_space)
        cases.append(
            Case(
                task=choice.task,
                place=choice.place,
                figure=FIGURES[choice.task],
                value=choice.value,
                row=choice.identity.row,
                slice_index=choice.identity.slice_index,
                source=choice.identity.source,
                size_px=(int(batch.image.shape[2]), int(batch.image.shape[3])),
                facts=_facts(batch, said, dataset.label_space),
                layers=layers,
            )
        )
    return tuple(cases)


def sample_of(dataset: SliceDataset, who: Identity) -> Sample:
    """The slice that was scored, as the network saw it."""
    position = dataset.find(who)
    if position is None:
        msg = f"row {who.row} was scored but is not in its split"
        raise ValueError(msg)
    return dataset.sample(position)


def _layers(batch: Batch, said: Predictions, space: LabelSpace) -> tuple[Layer, ...]:
    image = _middle(batch.image)
    png = encode_png(grey_bytes(image))
    layers = [
        Layer(name="image", title="Image", note="What the network is shown.", png=png),
        _truth(batch, space, png),
        _prediction(said, space, png),
    ]
    if said.reconstruction is not None:
        layers.append(_residual(image, _middle(said.reconstruction)))
    return tuple(layers)


def _hidden_layers(network: Predictor, batch: Batch, hiding: Hiding) -> tuple[Layer, ...]:
    hidden = hidden_patches(batch, hiding)
    shown = hide(batch.image, hidden)
    said = network.predict(shown, (Task.RECONSTRUCTION,)).reconstruction
    if said is None:
        msg = "a slice chosen for its reconstruction has none"
        raise ValueError(msg)
    image, drawn = _middle(batch.image), _middle(said)
    return (
        Layer(
            name="image",
            title="Image",
            note="The slice in the model's window.",
            png=encode_png(grey_bytes(image)),
        ),
        Layer(
            name="hidden",
            title="What is shown",
            note=f"{100 * hiding.fraction:.0f} % of the {hiding.patch_px} px patches are withheld.",
            png=encode_png(grey_bytes(_middle(shown))),
        ),
        Layer(
            name="prediction",
            title="Reconstruction",
            note="The whole slice, redrawn from what is shown.",
            png=encode_png(grey_bytes(drawn)),
        ),
        _residual(image, drawn),
    )


def _truth(batch: Batch, space: LabelSpace, png: bytes) -> Layer:
    known = batch.masks_annotated[0].cpu().numpy()
    row = batch.boxes[0]
    names = [name for name, one in zip(space.mask_classes, known, strict=True) if one]
    words = f"Looked for: {', '.join(names)}." if names else "No mask was drawn for this slice."
    frames: list[Frame] = []
    if row is not None:
        boxes = zip(row.xyxy.tolist(), row.labels.tolist(), strict=True)
        frames = [
            Frame(label=space.box_classes[label], xyxy_px=_corners(xyxy)) for xyxy, label in boxes
        ]
    else:
        words += " No box was drawn."
    return Layer(
        name="truth",
        title="Reference",
        note=words,
        png=png,
        outlines=_outlines(batch.masks[0].cpu().numpy() & known[:, None, None], space),
        frames=tuple(frames),
    )


def _prediction(said: Predictions, space: LabelSpace, png: bytes) -> Layer:
    outlines: tuple[Outline, ...] = ()
    frames: list[Frame] = []
    if said.mask_probabilities is not None:
        outlines = _outlines(_array(said.mask_probabilities[0]) >= 0.5, space)
    if said.boxes is not None:
        found = said.boxes[0]
        boxes = zip(found.xyxy.tolist(), found.labels.tolist(), found.scores.tolist(), strict=True)
        frames = [
            Frame(label=space.box_classes[label], xyxy_px=_corners(xyxy), score=score)
            for xyxy, label, score in boxes
            if score >= SHOWN_SCORE
        ][:MOST_BOXES]
    return Layer(
        name="prediction",
        title="Prediction",
        note=f"Masks from probability 0.5, at most {MOST_BOXES} boxes from score {SHOWN_SCORE:g}.",
        png=png,
        outlines=outlines,
        frames=tuple(frames),
    )


def _residual(image: _Grey, drawn: _Grey) -> Layer:
    return Layer(
        name="residual",
        title="Residual",
        note=(
            "|image - reconstruction|, dark 0, "
            f"brightest {100 * RESIDUAL_TOP:.0f} % of the window or more."
        ),
        png=encode_png(heat_bytes(np.abs(image - drawn), RESIDUAL_TOP)),
    )


def _facts(batch: Batch, said: Predictions, space: LabelSpace) -> tuple[str, ...]:
    """What the label allows and what the classifier says."""
    if said.class_probabilities is None:
        return ()
    allowed = [
        name for name, one in zip(space.classes, batch.label[0].tolist(), strict=True) if one
    ]
    shares = _array(said.class_probabilities[0])
    order = np.argsort(-shares, kind="stable")
    words = ", ".join(f"{space.classes[k]} {shares[k]:.2f}" for k in order.tolist())
    truth = f"Class: {' or '.join(allowed)}." if allowed else "Class: not labelled."
    return (truth, f"Said: {words}.")


def _outlines(masks: Bool[np.ndarray, "M H W"], space: LabelSpace) -> tuple[Outline, ...]:
    return tuple(
        Outline(label=name, path=outline_path(mask))
        for name, mask in zip(space.mask_classes, masks, strict=True)
        if mask.any()
    )


def _corners(xyxy: Sequence[float]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (round(float(side), 2) for side in xyxy)
    return x0, y0, x1, y1


def _middle(image: Float[Tensor, "B C H W"]) -> _Grey:
    """The slice itself; channels before and after it are its neighbours."""
    return _array(image[0, image.shape[1] // 2])


def _array(tensor: Tensor) -> Float[np.ndarray, "..."]:
    return tensor.detach().to("cpu", torch.float64).numpy()
