"""A tiny profile over a phantom cohort."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from recipe_cases import write_cohort
from tetract.data import open_dataset
from tetract.reproduce.arm import Arm, Chart, Pair, Part
from tetract.reproduce.basis import Basis, read_basis
from tetract.reproduce.place import lay_out
from tetract.reproduce.plan import Plan, Where, make_plan
from tetract.reproduce.profile import SMOKE, Extent, Profile

TINY: Profile = replace(
    SMOKE,
    encoders=("resnet18", "vgg13"),
    settings={
        **SMOKE.settings,
        "segmentation.widths": [8, 8, 8, 8, 8],
    },
    sizes=dict.fromkeys(SMOKE.sizes, Extent(px=64, steps=2, batch=2)),
)

DICE = Arm(name="S dice", tasks="S", encoder="resnet18", changes={"segmentation.loss": "dice"})
PLAIN = Arm(name="SR plain", tasks="SR", encoder="resnet18")
LOSS = "train/loss/segmentation"
PART = Part(
    key="X1",
    title="A small table",
    about="For tests.",
    arms=(PLAIN, DICE),
    pairs=(Pair(label="dice against plain", baseline=("SR plain",), arm=("S dice",)),),
    charts=(Chart(title="Loss", lines=(("plain", "SR plain", LOSS), ("dice", "S dice", LOSS))),),
)


def tiny_basis(folder: Path) -> Basis:
    return read_basis(TINY, open_dataset(write_cohort(folder)))


def where_in(out: Path, cohort: Path, basis: Basis) -> Where:
    return lay_out(out, open_dataset(cohort), basis.left)


def two_runs(out: Path, cohort: Path) -> Plan:
    basis = read_basis(TINY, open_dataset(cohort))
    return make_plan([PART], basis, where_in(out, cohort, basis), seeds=1)
