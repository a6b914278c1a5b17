"""The picture at the top of the README: four outputs on one slice of the demo's unseen phantom.

``python scripts/readme_picture.py [demo-out]``, after ``make demo``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import tetract
from tetract.io import read_study, write_png
from tetract.report.figure import four_outputs

TARGET = Path(__file__).parents[1] / "docs/images/four-outputs.png"


def main(demo: Path) -> None:
    """Take the slice with the largest lesion that was boxed with most confidence."""
    model = tetract.load(demo / "run")
    volumes = read_study(demo / "phantom" / "unseen")
    findings = model.predict_study(volumes)
    shown = max(findings.slices, key=lambda one: max((b.score for b in one.boxes or ()), default=0))
    picture = model.pictures(volumes)[shown.index]
    drawn = four_outputs(np.asarray(picture), shown, model.label_space)
    write_png(TARGET, drawn)
    sys.stdout.write(f"{TARGET}: slice {shown.index}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out"))
