"""The files of COVID-19-CT-Seg: which image, which masks, which case, under either naming.

The files of the record on Zenodo carry the same name in each folder; a copy in wide use calls the
images ``coronacases_org_001`` or ``radiopaedia_org_covid-19-pneumonia-10_85902_1-dcm`` and keeps
the short names for the masks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tetract.errors import ReadError

IMAGES: Final = ("COVID-19-CT-Seg_20cases", "ct_scans")
INFECTION: Final = ("Infection_Mask", "infection_mask")
LUNG: Final = ("Lung_Mask", "lung_mask")
_CORONA = re.compile(r"coronacases(?:_org)?_(?:case)?(\d{3})")
_RADIO = re.compile(r"radiopaedia_(?:org_covid-19-pneumonia-)?(\d+)_(\d+)_(\d+)(?:-dcm)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Covid19Case:
    """One scan.

    Attributes:
        name: Its short name, as the masks have it.
        patient: Case number of its publisher: the scans of one case are one patient's.
        study: Study number of radiopaedia.org, or None.
        image: The scan.
        infection: Infection mask, or None where the file is missing.
        lung: Lung mask, or None likewise.
    """

    name: str
    patient: str
    study: str | None
    image: Path
    infection: Path | None
    lung: Path | None


def find_covid19_cases(root: Path) -> tuple[list[Covid19Case], list[str]]:
    """The cases of a folder, and base names of images whose name is none of theirs.

    Raises:
        ReadError: ``E_BAD_LAYOUT`` when one of the three folders is missing.
    """
    images = _files(root, IMAGES)
    infections = _by_case(_files(root, INFECTION))
    lungs = _by_case(_files(root, LUNG))
    cases: list[Covid19Case] = []
    strangers: list[str] = []
    for path in images:
        key = _key(path)
        if key is None:
            strangers.append(path.name)
            continue
        name, patient, study = key
        cases.append(
            Covid19Case(
                name=name,
                patient=patient,
                study=study,
                image=path,
                infection=infections.get(name),
                lung=lungs.get(name),
            )
        )
    return cases, strangers


def _files(root: Path, names: tuple[str, ...]) -> list[Path]:
    folder = next((root / name for name in names if (root / name).is_dir()), None)
    if folder is None:
        raise ReadError(
            "E_BAD_LAYOUT",
            f"the folder {names[0]} is missing",
            where=root.name,
            expected=", ".join((IMAGES[0], INFECTION[0], LUNG[0])),
            fix="Unpack the archives side by side and give the folder above them",
        )
    # Some archives unpack into a folder of the same name inside.
    nested = folder / folder.name
    place = nested if nested.is_dir() else folder
    return sorted(p for p in place.iterdir() if p.is_file() and not p.name.startswith("."))


def _by_case(paths: list[Path]) -> Mapping[str, Path]:
    keyed = ((_key(path), path) for path in paths)
    return {key[0]: path for key, path in keyed if key is not None}


def _key(path: Path) -> tuple[str, str, str | None] | None:
    """Short name, patient and study of a file."""
    stem = path.name.removesuffix(".gz").removesuffix(".nii")
    if corona := _CORONA.fullmatch(stem):
        name = f"coronacases_{corona[1]}"
        return name, name, None
    if radio := _RADIO.fullmatch(stem):
        name = f"radiopaedia_{radio[1]}_{radio[2]}_{radio[3]}"
        return name, f"radiopaedia_{radio[1]}", f"radiopaedia_{radio[2]}"
    return None
