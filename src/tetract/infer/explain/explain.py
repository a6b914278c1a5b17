"""Maps of chosen slices of a study, on the slices' own pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float32

from tetract.data.neighbours import Neighbours
from tetract.data.preprocess import PreparedSlice, prepare_slice
from tetract.infer.explain.maps import draw_maps
from tetract.infer.explain.sanity import check_sanity
from tetract.model import Network
from tetract.types import Volume
from tetract.types.explanation import ExplainedSlice, Explanations, MapLayer

CHECKED_SLICES = 6


def explain_study(
    network: Network,
    study: Sequence[Volume],
    indices: Sequence[int],
    *,
    around: Neighbours,
) -> Explanations:
    """Maps of the slices at ``indices`` (from 0, at least one), checked on up to 6 of them."""
    wanted, prepared = set(indices), dict[int, PreparedSlice]()
    at, spec = 0, network.spec
    for volume in study:
        for index in range(volume.depth):
            if at in wanted:
                prepared[at] = prepare_slice(
                    volume,
                    index,
                    image_px=spec.image_px,
                    window_hu=spec.window_hu,
                    around=around,
                )
            at += 1
    slices = tuple(_explain(network, index, one) for index, one in sorted(prepared.items()))
    # Spread over the study: neighbours say the same thing twice.
    order = sorted(prepared)
    picked = np.unique(np.linspace(0, len(order) - 1, CHECKED_SLICES).round().astype(int))
    checked = [prepared[order[one]] for one in picked]
    image = torch.from_numpy(np.stack([one.image for one in checked]))
    frames = [one.letterbox.frame_px for one in checked]
    return Explanations(slices=slices, sanity=check_sanity(draw_maps, network, image, frames))


def _explain(network: Network, index: int, one: PreparedSlice) -> ExplainedSlice:
    maps = draw_maps(network, torch.from_numpy(one.image[None]))
    layers = [
        _layer(name, one.letterbox.resize_probabilities_to_original(values.numpy())[0])
        for name, values in maps.items()
    ]
    return ExplainedSlice(index=index, layers=tuple(layers))


def _layer(name: str, values: Float32[np.ndarray, "H W"]) -> MapLayer:
    title, unit = map_words(name)
    return MapLayer(name=name, title=title, values=values, unit=unit)


def map_words(name: str) -> tuple[str, str]:
    """Title and unit of a map of ``draw_maps``."""
    return _WORDS.get(name, (f"Grad-CAM for {name.removeprefix('class-')}", "logit per px"))


_WORDS: Mapping[str, tuple[str, str]] = {
    "objectness": ("Where the detector looks for lesions", "probability"),
    "hidden-residual": ("Distance from what was inferred unseen", "share of the window"),
}
