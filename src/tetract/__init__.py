"""TetraCT: one model, four tasks, on chest CT whose labels are never complete.

>>> import tetract                                       # doctest: +SKIP
>>> findings = tetract.load("runs/demo").predict("study/")  # doctest: +SKIP

Research use only. Not a medical device.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tetract.infer import Predictor

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def load(path: str | Path, *, flips: bool = False) -> Predictor:
    """Load a saved model, or a run's best one, ready to predict.

    Args:
        path: A model or run folder.
        flips: Whether it also looks at each slice mirrored and says the mean; twice the time.

    Raises:
        BundleError: Where there is no intact model.
    """
    # torch takes seconds to import; `tetract --help` must not wait for it.
    from tetract.infer import load as load_predictor  # noqa: PLC0415  see above

    return load_predictor(path, flips=flips)
