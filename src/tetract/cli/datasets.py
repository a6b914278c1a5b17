"""``tetract data sets``, ``download`` and ``import set``: public chest CT sets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tetract.cli.sets_in_out import AsJson, Out, Overwrite, Seed, tell
from tetract.errors import Exit

if TYPE_CHECKING:
    from tetract.data.catalogue import PublicSet

SetName = Annotated[str, typer.Argument(help="Name of the set; tetract data sets lists them.")]


def add_to(app: typer.Typer, importers: typer.Typer) -> None:
    """Add the commands of this file to ``tetract data`` and ``tetract data import``."""
    app.command("sets")(sets)
    app.command("download")(download)
    importers.command("set")(import_set)


def sets(
    name: Annotated[str | None, typer.Argument(help="Tell all of this set.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List public chest CT sets: what they hold, their licences, how to get them."""
    import json

    from tetract.data.catalogue import public_set, public_sets
    from tetract.data.catalogue_text import render_list, render_set

    found = public_sets() if name is None else (public_set(name),)
    if as_json:
        typer.echo(json.dumps([public.model_dump(mode="json") for public in found], indent=1))
    else:
        typer.echo(render_list(found) if name is None else render_set(found[0]))


def download(
    name: SetName,
    folder: Annotated[Path, typer.Option("--out", "-o", help="Folder for this set.")],
    files: Annotated[
        list[str] | None,
        typer.Option("--file", help="Only this file; may be given again [default: the usual ones]"),
    ] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="I have read the licence and accept it.")
    ] = False,
    unpack: Annotated[
        bool, typer.Option("--unpack", help="Unpack archives into folders beside them.")
    ] = False,
) -> None:
    """Download a public set, after its licence is accepted. Goes on where it stopped.

    Exits with 1 when a part of the set has to be fetched by hand.
    """
    from tetract.cli.progress import counting
    from tetract.data.catalogue import public_set
    from tetract.data.catalogue_text import render_terms
    from tetract.data.download.download import Web
    from tetract.data.download.download_set import DownloadPlan, download_set
    from tetract.data.download.transfer import Manners
    from tetract.data.download.unpack import unpack_downloads

    public = public_set(name)
    typer.echo(render_terms(public))
    plan = DownloadPlan(public=public, folder=folder, only=tuple(files or ()))
    plan.files()  # refuse before asking
    _check_accepted(public, accepted=accept_licence)
    with counting("Downloading (MB)") as count:
        manners = Manners(progress=lambda done, total: count(done // 10**6, total // 10**6))
        found = download_set(plan, Web(), manners, lambda one: typer.echo(one.as_text()))
    if unpack:
        for line in unpack_downloads(one.path for one in found):
            typer.echo(line)
    if public.by_hand:
        typer.echo(f"Still to be fetched by hand: {public.by_hand}\n{public.home}")
        raise typer.Exit(Exit.SKIPPED)


def import_set(
    name: SetName,
    source: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the set in it.")],
    folder: Out,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a dataset folder out of a public set in its published layout.

    Images stay where they are. Exits with 1 when something was skipped unforeseen.
    """
    from tetract.data.finish_import import ImportOptions
    from tetract.data.formats.public_layouts import import_public_set

    options = ImportOptions(seed=seed, overwrite=overwrite)
    tell(import_public_set(name, source, folder, options), as_json=as_json)


def _check_accepted(public: PublicSet, *, accepted: bool) -> None:
    """Ask at a terminal, refuse elsewhere: a licence is never accepted silently."""
    from tetract.errors import InputError

    if not accepted and sys.stdin.isatty():
        question = f"Do you accept the licence of {public.name} and what it asks of you?"
        accepted = typer.confirm(question, default=False)
    if not accepted:
        raise InputError(
            "E_LICENCE",
            "the licence was not accepted; nothing was downloaded",
            where=public.name,
            fix="Read it on the home page and add --accept-licence",
        )
