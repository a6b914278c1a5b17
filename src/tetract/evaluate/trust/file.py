"""``calibration.json`` beside a model: read only with the weights that it was made for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tetract.errors import BundleError
from tetract.evaluate.rows_codec import decode, encode
from tetract.evaluate.trust.calibration import Calibration
from tetract.io import atomic_write_text

CALIBRATION_NAME: Final = "calibration.json"
SCHEMA: Final = "tetract.calibration/1"
AGAIN: Final = "Run tetract calibrate on this run again"


def save_calibration(folder: Path, calibration: Calibration) -> Path:
    """Write it into a model's folder."""
    path = folder / CALIBRATION_NAME
    record = {
        "schema": SCHEMA,
        "use": "Research use only, not a medical device.",
        "calibration": encode(calibration),
    }
    atomic_write_text(path, json.dumps(record, indent=1, allow_nan=False) + "\n")
    return path


def load_calibration(folder: Path, weights_sha256: str) -> Calibration | None:
    """What ``save_calibration`` wrote; None where the model was never calibrated.

    Raises:
        BundleError: ``E_BAD_CALIBRATION``, or ``E_OTHER_CALIBRATION`` for other weights.
    """
    path = folder / CALIBRATION_NAME
    if not path.is_file():
        return None
    try:
        found = _parse(path.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(
            "E_BAD_CALIBRATION",
            "the calibration cannot be understood",
            where=path.name,
            expected=SCHEMA,
            found=type(error).__name__,
            fix=AGAIN,
        ) from error
    if found.weights_sha256 != weights_sha256:
        raise BundleError(
            "E_OTHER_CALIBRATION",
            "the calibration was made for other weights",
            where=path.name,
            expected=f"weights {weights_sha256[:12]}...",
            found=f"weights {found.weights_sha256[:12]}...",
            fix=AGAIN,
        )
    return found


def _parse(text: str) -> Calibration:
    record = json.loads(text)
    if record["schema"] != SCHEMA:
        raise ValueError(str(record["schema"])[:40])
    return decode(Calibration, record["calibration"])
