"""The catalogue of public chest CT sets: what they hold, under which terms, and where they lie.

Facts only, one YAML file per set beside this module. A checksum stands there only where somebody
published it; what could not be verified is said in ``unverified``.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from tetract.data.yaml_model import Strict, load_yaml_model
from tetract.errors import InputError
from tetract.types import Task

CATALOGUE: Final = Path(__file__).with_name("catalogue")
_PART: Final = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"

Access = Literal["open", "by hand", "registration"]


def _secure(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        raise ValueError("an https address without a user name is needed")
    return url


Address = Annotated[str, AfterValidator(_secure)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Text = Annotated[str, Field(min_length=1)]


class RemoteFile(Strict):
    """One file of a set.

    Attributes:
        path: Where it goes below the download folder, with ``/``.
        url: Where it lies.
        size_bytes: Its size where published, or None.
        sha256: Its checksum where published, or None.
        md5: The same; Zenodo and many mirrors publish only this.
        checked_by: Who published the checksum.
        optional: Not downloaded unless asked for by name.
        holds: What is in it.
    """

    path: Annotated[str, Field(pattern=rf"^{_PART}(/{_PART})*$")]
    url: Address
    size_bytes: Annotated[int, Field(gt=0)] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    checked_by: str = ""
    optional: bool = False
    holds: str = ""

    @property
    def name(self) -> str:
        """Base name."""
        return PurePosixPath(self.path).name

    @model_validator(mode="after")
    def _checksum_has_a_source(self) -> RemoteFile:
        if bool(self.checked_by) != bool(self.sha256 or self.md5):
            raise ValueError("a checksum and checked_by belong together")
        return self


class PublicSet(Strict):
    """One public set.

    Attributes:
        name: Name on the command line.
        title: Its own name.
        holds: What images and labels it has, and what it has not.
        tasks: What its labels can teach; reconstruction needs none.
        patients: Number of patients where published.
        size: Size in words, as published.
        licence: Name of the licence, or what is known of the terms.
        obligations: What the licence asks, in short.
        citation: How to cite it.
        home: Its page.
        access: ``open``: this program downloads it. ``by hand``: free, but fetched with a browser
            or the archive's own program. ``registration``: an account or a form comes first.
        by_hand: How to get what this program does not download; needed unless ``open``.
        files: What this program downloads.
        import_as: Word after ``tetract data import``, or None where only ``csv`` fits.
        unverified: What of this entry could not be checked, and why.
        notes: What a user should know before trusting labels.
    """

    name: Name
    title: Text
    holds: Text
    tasks: tuple[Task, ...]
    patients: Annotated[int, Field(gt=0)] | None = None
    size: str = "not published"
    licence: Text
    obligations: Annotated[tuple[Text, ...], Field(min_length=1)]
    citation: Text
    home: Address
    access: Access
    by_hand: str = ""
    files: tuple[RemoteFile, ...] = ()
    import_as: str | None = None
    unverified: tuple[Text, ...] = ()
    notes: str = ""

    @model_validator(mode="after")
    def _can_be_had(self) -> PublicSet:
        if self.access == "open" and not self.files:
            raise ValueError("an open set lists its files")
        if self.access == "registration" and self.files:
            raise ValueError("nothing is downloaded before registration")
        if self.access != "open" and not self.by_hand:
            raise ValueError("by_hand says how to get it")
        paths = [file.path for file in self.files]
        if len(set(paths)) != len(paths):
            raise ValueError("two files have one path")
        return self


def load_set(path: Path) -> PublicSet:
    """Read one entry.

    Raises:
        InputError: ``E_BAD_CATALOGUE`` naming the first wrong key, or a name unlike its file's.
        ReadError: ``E_NO_FILE``.
    """
    found = load_yaml_model(
        path, PublicSet, code="E_BAD_CATALOGUE", page="how-to/get-public-data.md"
    )
    if found.name != path.stem:
        raise InputError(
            "E_BAD_CATALOGUE",
            "the name of an entry is not that of its file",
            where=path.name,
            expected=path.stem,
            found=found.name,
        )
    return found


def public_sets(folder: Path = CATALOGUE) -> tuple[PublicSet, ...]:
    """All sets, in the order of their names.

    Raises:
        InputError: As ``load_set``.
    """
    return tuple(load_set(path) for path in sorted(folder.glob("*.yaml")))


def public_set(name: str, folder: Path = CATALOGUE) -> PublicSet:
    """The set of that name.

    Raises:
        InputError: ``E_SET_UNKNOWN`` with the names there are.
    """
    sets = {found.name: found for found in public_sets(folder)}
    if name not in sets:
        raise InputError(
            "E_SET_UNKNOWN",
            "the catalogue has no such set",
            expected="one of " + ", ".join(sets),
            found=f"'{name}'",
            fix="List them with tetract data sets",
        )
    return sets[name]
