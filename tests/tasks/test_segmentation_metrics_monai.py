"""HD95 and NSD against MONAI, where it is installed.

It is no dependency: ``pytest tests/tasks/test_segmentation_metrics_monai.py`` in an environment of
its own, with MONAI beside TetraCT.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tetract.tasks.segmentation.contours import compare_contours

# It warns of its own deprecated keyword; version 1.7 is expected to end that.
pytestmark = [pytest.mark.nightly, pytest.mark.filterwarnings("ignore::FutureWarning:monai")]
SIDES = st.sampled_from([0.5, 0.75, 1.0, 2.0])
MASKS = arrays(np.bool_, (11, 9))


@settings(deadline=None, max_examples=500)
@given(MASKS, MASKS, st.tuples(SIDES, SIDES), st.sampled_from([0.0, 1.0, 2.0, 3.3]))
def test_contours_are_compared_as_monai_does(
    said: np.ndarray, true: np.ndarray, spacing: tuple[float, float], tolerance: float
) -> None:
    monai = pytest.importorskip("monai.metrics")
    assume(said.any() and true.any())
    pair = [torch.from_numpy(mask[None, None].astype(np.float32)) for mask in (said, true)]
    more = {"include_background": True, "spacing": list(spacing)}
    hd95, nsd = compare_contours(said, true, spacing=spacing, tolerance=tolerance)
    theirs = monai.compute_hausdorff_distance(*pair, percentile=95, **more)
    assert hd95 == pytest.approx(theirs.item(), rel=1e-6, abs=1e-6)
    assert nsd == pytest.approx(
        monai.compute_surface_dice(*pair, [tolerance], **more).item(), abs=1e-6
    )
