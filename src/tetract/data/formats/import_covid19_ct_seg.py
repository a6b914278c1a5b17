"""COVID-19-CT-Seg (20 scans with lung and infection masks) becomes a dataset folder.

Ma et al., Medical Physics 2021, doi 10.1002/mp.14676; Zenodo record 3757476.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tetract.data.cells import EMPTY, MaskCell, SliceIndex
from tetract.data.finish_import import ImportOptions, ImportReport, Skipped, finish_at
from tetract.data.formats.covid19_files import Covid19Case, find_covid19_cases
from tetract.data.formats.label_values import LabelValues
from tetract.data.formats.mask_cells import CaseMasks, case_masks
from tetract.data.formats.mask_files import MaskFiles
from tetract.data.formats.source_cards import About, import_card
from tetract.data.import_place import import_place
from tetract.data.read_image import labels_in_order, read_image, source_of
from tetract.data.table import Row
from tetract.errors import InputError, LabelError, ReadError
from tetract.io import read_label_map
from tetract.types import Volume

SOURCE: Final = "covid19_ct_seg"
_INFECTION: Final = LabelValues(classes={"infection": (1,)})
# 1 and 2 are the two lungs. They are one class here, so that its name fits other sources.
_LUNG: Final = LabelValues(classes={"lung": (1, 2)})
# A chest CT in HU holds lung and air. Grey levels that were resampled may reach below 0 and would
# pass the reader; they cannot reach down here.
_AIR_HU: Final = -500

_ABOUT: Final = About(
    name=SOURCE,
    group_by="case number of coronacases.org or radiopaedia.org in the file name",
    description="COVID-19 CT Lung and Infection Segmentation Dataset, 20 scans.",
    citation="Ma et al., Medical Physics 2021, doi 10.1002/mp.14676; Zenodo 3757476",
    licence="stated as CC BY 4.0 and as CC BY-NC-SA 4.0: treat as non-commercial",
    classes=("covid",),
    mask_classes=("lung", "infection"),
    lesions=("infection",),
    notes=(
        "All patients have COVID-19. A slice is called covid only where its infection mask has a"
        " voxel; elsewhere its class is unknown. The scans of radiopaedia.org are 8-bit grey"
        " levels whose window is lost, not HU: they have a source of their own."
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """The masks of one scan; None where the file is missing."""

    infection: CaseMasks | None
    lung: CaseMasks | None

    def cell(self, index: int) -> MaskCell | None:
        """The mask cell of a slice."""
        cell: MaskCell = {}
        for masks in (self.lung, self.infection):
            cell = {**cell, **((masks.of_slice(index) or {}) if masks else {})}
        return cell or None

    def is_infected(self, index: int) -> bool:
        """Whether the slice shows infection."""
        return (self.cell(index) or {}).get("infection", EMPTY) != EMPTY


def import_covid19_ct_seg(root: Path, folder: Path, options: ImportOptions) -> ImportReport:
    """Make a dataset folder, one row per slice.

    Scans in HU become the source ``covid19_ct_seg``. Scans of 0 to 255, which hold no HU, become
    ``covid19_ct_seg-grey`` with ``hu_known: false``. A scan that is neither is skipped and told.

    Args:
        root: The folder above ``COVID-19-CT-Seg_20cases``, ``Infection_Mask`` and ``Lung_Mask``.
        folder: The dataset folder to write.
        options: Seed, shares, overwriting.

    Raises:
        InputError: ``E_BAD_LAYOUT``, and what ``finish_at`` refuses.
    """
    cases, strangers = find_covid19_cases(root)
    outcomes: list[Row | Skipped] = []
    with import_place(folder) as place:
        files = MaskFiles(place=place)
        for number, case in enumerate(cases, 1):
            try:
                outcomes += _rows(case, number, files)
            except InputError as error:
                outcomes.append(Skipped(number=number, reason=str(error), declared=False))
        for number, name in enumerate(strangers, len(cases) + 1):
            error = LabelError("E_NO_RULE", "not the name of a scan of this collection", where=name)
            outcomes.append(Skipped(number=number, reason=str(error), declared=False))
        outcomes += _missing(cases)
        rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
        card = import_card(_ABOUT, rows or [Row(image=root, source=SOURCE, patient="none")])
        return finish_at(place, card, outcomes, options, origin=root.name)


def _rows(case: Covid19Case, number: int, files: MaskFiles) -> list[Row]:
    volume = read_image(case.image, grey=True)
    _check_air(volume)
    drawn = _Drawn(
        infection=_masks(case.infection, volume, _INFECTION, files, case.name),
        lung=_masks(case.lung, volume, _LUNG, files, case.name),
    )
    indices: Sequence[SliceIndex] = range(volume.depth)
    return [
        Row(
            image=case.image.absolute(),
            source=source_of(SOURCE, hu_known=volume.hu_known),
            slice=index,
            patient=case.patient,
            study=case.study,
            series=case.name,
            label=frozenset({"covid"}) if drawn.is_infected(int(index or 0)) else None,
            mask=drawn.cell(int(index or 0)),
            note="; ".join(volume.provenance.warnings),
            number=number,
        )
        for index in indices
    ]


def _masks(
    path: Path | None, volume: Volume, values: LabelValues, files: MaskFiles, stem: str
) -> CaseMasks | None:
    if path is None:
        return None
    labels = labels_in_order(volume, read_label_map(path))
    return case_masks(labels, path, values, files, stem)


def _check_air(volume: Volume) -> None:
    if volume.hu_known and int(volume.values.min()) > _AIR_HU:
        raise ReadError(
            "E_NOT_HU",
            "a chest without air: these are grey levels that were resampled, not Hounsfield units",
            where=volume.provenance.name,
            expected="air near -1000 HU, or levels from 0 to 255",
            found=f"{int(volume.values.min())} to {int(volume.values.max())}",
            fix="Take the file of the original record",
        )


def _missing(cases: Sequence[Covid19Case]) -> list[Skipped]:
    """Masks that are not there: the scan stays, unknown for that class, and it is told."""
    return [
        Skipped(
            number=number,
            reason=str(ReadError("E_MISSING_MASK", f"no {kind} mask: unknown", where=case.name)),
            declared=False,
        )
        for number, case in enumerate(cases, 1)
        for kind, path in (("infection", case.infection), ("lung", case.lung))
        if path is None
    ]
