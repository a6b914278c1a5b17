"""Maps of what speaks for the answers to the chosen slices, checked, as more pictures of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float

from tetract.data.collate import collate
from tetract.data.dataset import SliceDataset
from tetract.evaluate.choose_cases import Choice
from tetract.evaluate.collect import Predictor
from tetract.infer.explain.explain import CHECKED_SLICES, map_words
from tetract.infer.explain.maps import draw_maps
from tetract.infer.explain.sanity import check_sanity
from tetract.io import encode_png
from tetract.model import Network
from tetract.recipe.cases import sample_of
from tetract.report.pixels import heat_bytes
from tetract.types import Task
from tetract.types.batch import Batch
from tetract.types.case import Case, Layer
from tetract.types.explanation import Sanity

_Maps = Mapping[str, Float[np.ndarray, "N H W"]]


def explain_cases(
    network: Network,
    predictor: Predictor,
    dataset: SliceDataset,
    choices: Sequence[Choice],
    cases: Sequence[Case],
) -> tuple[Case, ...]:
    """The cases with a map or two more, of what speaks for the answer to their task.

    Classification: Grad-CAM of the class that is most probable, and of the labelled one where that
    is another. Detection: objectness. Reconstruction: the hidden residual. Masks have none.

    Args:
        network: The model, in evaluation mode.
        predictor: What was evaluated: the model, or its mean over mirror images.
        dataset: The split it was evaluated on.
        choices: Which slices the cases show, in their order.
        cases: From ``draw_cases``.
    """
    if not cases:
        return ()
    samples = [sample_of(dataset, choice.identity) for choice in choices]
    batch = collate(samples, dataset.label_space)
    maps = {name: one.numpy() for name, one in draw_maps(network, batch.image).items()}
    checks = _checked(network, batch)
    asked = [_names(network, predictor, batch, row, case.task) for row, case in enumerate(cases)]
    return tuple(
        replace(case, layers=(*case.layers, *(_layer(maps, name, row, checks) for name in names)))
        for row, (case, names) in enumerate(zip(cases, asked, strict=True))
    )


def _checked(network: Network, batch: Batch) -> Mapping[str, Sanity]:
    """Whether each kind of map depends on the weights, on up to 6 slices, none of them twice."""
    first = {(who.row, who.slice_index): row for row, who in enumerate(batch.identity)}
    rows = sorted(first.values())
    picked = np.unique(np.linspace(0, len(rows) - 1, CHECKED_SLICES).round().astype(int))
    chosen = [rows[one] for one in picked]
    frames = [batch.identity[row].frame_px for row in chosen]
    found = check_sanity(draw_maps, network, batch.image[torch.tensor(chosen)], frames)
    return {one.name: one for one in found}


def _names(
    network: Network, predictor: Predictor, batch: Batch, row: int, task: Task
) -> tuple[str, ...]:
    """The maps that belong to the task a case was chosen for."""
    if task is Task.DETECTION:
        return ("objectness",)
    if task is Task.RECONSTRUCTION and network.spec.reconstruction.mode == "masked":
        return ("hidden-residual",)
    if task is not Task.CLASSIFICATION:
        return ()
    shares = predictor.predict(batch.image[row : row + 1], (task,)).class_probabilities
    allowed: list[int] = batch.label[row].nonzero().flatten().tolist()
    wanted = [] if shares is None else [int(shares[0].argmax())]
    wanted += [k for k in allowed if len(allowed) == 1 and k not in wanted]
    return tuple(f"class-{network.label_space.classes[k]}" for k in wanted)


def _layer(maps: _Maps, name: str, row: int, checks: Mapping[str, Sanity]) -> Layer:
    title, unit = map_words(name)
    top = float(maps[name].max())  # of all cases: one scale for all
    scale = f"Dark 0, brightest {top:.3g} {unit}." if top else "0 everywhere."
    return Layer(
        name=name.replace("-", "_"),
        title=title,
        note=f"{scale} {sanity_words(checks[name])}",
        png=encode_png(heat_bytes(maps[name][row], top or 1.0)),
    )


def sanity_words(one: Sanity) -> str:
    """What the check found and what that means, for a caption."""
    if one.correlation is None:
        return f"Not checked against random weights: {one.reason}."
    verdict = (
        "the map depends on the model; whether it is right, that does not say"
        if one.passed
        else "FAILED, the map shows the picture more than the model: do not read it"
    )
    return (
        f"Rank correlation with the maps of {one.networks} networks of random weights on "
        f"{one.slices} slices: {one.correlation:.2f} (limit {one.threshold:g}): {verdict}."
    )
