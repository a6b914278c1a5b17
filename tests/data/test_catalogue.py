"""The catalogue of public sets: facts in one form, and a page made of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tetract.cli.data import importers
from tetract.data.catalogue import CATALOGUE, PublicSet, load_set, public_set, public_sets
from tetract.data.catalogue_text import render_list, render_set, render_terms
from tetract.data.formats.public_layouts import LAYOUTS
from tetract.errors import TetractError

ROOT = Path(__file__).parents[2]
NAMES = [path.stem for path in sorted(CATALOGUE.glob("*.yaml"))]
WANTED = {
    "covid-19-ct-seg", "msd-lung", "luna16", "lidc-idri", "lung-pet-ct-dx", "covid-ct-md",
    "ucsd-covid-ct", "iq-oth-nccd", "deeplesion", "mosmed-1110", "ricord-1a", "sars-cov-2-ct",
    "covid-19-ny-sbu",
}  # fmt: skip

ENTRY = """
name: toy
title: Toy
holds: Nothing.
tasks: [classification]
licence: CC0
obligations: [none]
citation: none
home: https://example.org/
access: open
files:
  - {path: a/b.zip, url: 'https://example.org/b.zip'}
"""


def entry(folder: Path, text: str, name: str = "toy") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_promised_sets_are_there() -> None:
    assert {public.name for public in public_sets()} == WANTED


@pytest.mark.parametrize("name", NAMES)
def test_each_set_tells_its_terms(name: str) -> None:
    public = public_set(name)
    for text in (render_set(public), render_terms(public)):
        words = " ".join(text.split())
        for part in (public.licence, public.citation, public.home, *public.obligations):
            assert " ".join(part.split()) in words
    assert "non-commercial" in render_terms(public) or "NC" not in public.licence.split("BY")[-1]
    assert public.name in render_list(public_sets())


@pytest.mark.parametrize("name", NAMES)
def test_sets_without_a_published_checksum_say_so(name: str) -> None:
    public = public_set(name)
    unchecked = [file for file in public.files if not (file.sha256 or file.md5)]
    assert not any(file.checked_by for file in unchecked)


def test_the_importers_of_this_package_are_named() -> None:
    named = {p.import_as for p in public_sets() if (p.import_as or "").startswith("set ")}
    assert named == {f"set {name}" for name in LAYOUTS if not name.endswith("-histology")}


def test_each_importer_is_a_command() -> None:
    commands = {command.name for command in importers.registered_commands}
    assert {p.import_as.split()[0] for p in public_sets() if p.import_as} <= commands


def test_the_page_is_made_of_the_catalogue() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/public_data_reference.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_plain_entry_is_read(tmp_path: Path) -> None:
    found = load_set(entry(tmp_path, ENTRY))
    assert isinstance(found, PublicSet)
    assert found.files[0].name == "b.zip"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("access: open", "access: by hand"),
        ("access: open", "access: registration\nby_hand: ask"),
        ("files:", "notes: x\nfile:"),
        ("https://example.org/b.zip", "http://example.org/b.zip"),
        ("https://example.org/b.zip", "https://me:secret@example.org/b.zip"),
        ("a/b.zip", "../b.zip"),
        ("a/b.zip", "/b.zip"),
        ("a/b.zip", "a/.b"),
        ("path: a/b.zip", f"sha256: {'0' * 64}, path: a/b.zip"),
        ("path: a/b.zip", "md5: 123, checked_by: me, path: a/b.zip"),
        ("path: a/b.zip", "size_bytes: 0, path: a/b.zip"),
        ("obligations: [none]", "obligations: []"),
        ("name: toy", "name: Toy"),
        ("name: toy", "name: other"),
        ("tasks: [classification]", "tasks: [guessing]"),
        ("  - {path", "  - {path: a/b.zip, url: 'https://example.org/c'}\n  - {path"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path: Path, old: str, new: str) -> None:
    assert old in ENTRY
    with pytest.raises(TetractError, match="E_BAD_CATALOGUE"):
        load_set(entry(tmp_path, ENTRY.replace(old, new, 1)))


def test_an_unknown_set_names_the_known_ones() -> None:
    with pytest.raises(TetractError, match="E_SET_UNKNOWN") as caught:
        public_set("luna")
    assert "luna16" in str(caught.value)
