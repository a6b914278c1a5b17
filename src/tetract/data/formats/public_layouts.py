"""Public sets in the layout they are published in: a walker makes records, a preset reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tetract.data.finish_import import ImportOptions, ImportReport, Skipped
from tetract.data.formats.covid_ct_md import walk_covid_ct_md
from tetract.data.formats.iq_oth_nccd import walk_iq_oth_nccd
from tetract.data.formats.lung_pet_ct_dx import walk_lung_pet_ct_dx
from tetract.data.formats.ucsd_covid_ct import walk_ucsd_covid_ct
from tetract.data.import_csv import import_records
from tetract.data.mapping import ImportMapping, load_mapping
from tetract.data.records import Record
from tetract.errors import InputError, ReadError

PRESETS: Final = Path(__file__).parents[1] / "presets"

Walker = Callable[[Path], Sequence[Record | Skipped]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a set lies on the disk and what that means.

    Attributes:
        walk: Tabulates the folder; it decides nothing.
        preset: The mapping that says what the cells mean.
    """

    walk: Walker
    preset: str

    def mapping(self) -> ImportMapping:
        """The rules of the preset."""
        return load_mapping(PRESETS / f"{self.preset}.yaml")


LAYOUTS: Final = {
    "covid-ct-md": Layout(walk=walk_covid_ct_md, preset="covid-ct-md"),
    "iq-oth-nccd": Layout(walk=walk_iq_oth_nccd, preset="iq-oth-nccd"),
    "lung-pet-ct-dx": Layout(walk=walk_lung_pet_ct_dx, preset="lung-pet-ct-dx"),
    "lung-pet-ct-dx-histology": Layout(walk=walk_lung_pet_ct_dx, preset="lung-pet-ct-dx-histology"),
    "ucsd-covid-ct": Layout(walk=walk_ucsd_covid_ct, preset="ucsd-covid-ct"),
}


def import_public_set(
    name: str, source: Path, folder: Path, options: ImportOptions | None = None
) -> ImportReport:
    """Make a dataset folder out of a public set. Images stay where they are.

    Args:
        name: A key of ``LAYOUTS``.
        source: The folder with the set in it, at any depth.
        folder: The dataset folder to write.
        options: Seed and overwriting.

    Raises:
        InputError: ``E_SET_UNKNOWN``; ``E_BAD_LAYOUT`` when the folder does not look like the set;
            ``E_NO_FILE``, ``E_DUPLICATE_FILE``, ``E_BAD_TABLE`` or ``E_NO_COLUMN`` for its tables;
            and what ``finish_import`` refuses.
    """
    if name not in LAYOUTS:
        raise InputError(
            "E_SET_UNKNOWN",
            "no importer knows the layout of this set",
            expected="one of " + ", ".join(LAYOUTS),
            found=f"'{name}'",
            fix=f"tetract data sets {name} names the importer of another set",
        )
    if not source.is_dir():
        raise ReadError("E_NOT_FOUND", "no such folder", where=source.name, fix="Check the path")
    layout = LAYOUTS[name]
    root = source.resolve()
    return import_records(
        layout.walk(root),
        layout.mapping(),
        folder,
        options or ImportOptions(),
        root=root,
        origin=source.name,
    )
