"""``tetract data split``: split a data set anew, once or into folds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def split(
    folder: Annotated[Path, typer.Argument(help="Dataset folder.")],
    seed: Annotated[int, typer.Option(help="Another seed draws another split.")] = 0,
    train: Annotated[float, typer.Option(help="Share of rows to train on.")] = 0.7,
    val: Annotated[float, typer.Option(help="Share to tune and stop on.")] = 0.1,
    test: Annotated[float, typer.Option(help="Share for the final evaluation.")] = 0.2,
    folds: Annotated[
        int | None, typer.Option(help="Write folds.json with so many folds; keep the table.")
    ] = None,
) -> None:
    """Split the patients of FOLDER anew, source by source and label by label.

    Every split that the table has is given up, published ones too. Patients between whom an audit
    found the same picture stay together.
    """
    from tetract.data import SplitFractions, open_dataset
    from tetract.data.resplit import split_dataset, split_into_folds
    from tetract.data.summary import render_summary, summarise

    dataset = open_dataset(folder)
    if folds is None:
        done = split_dataset(dataset, SplitFractions(train=train, val=val, test=test), seed)
    else:
        done = split_into_folds(dataset, folds, seed)
    for number, rows in enumerate(done.splits):
        if folds is not None:
            typer.echo(f"fold {number}")
        typer.echo(render_summary(summarise(rows, dataset.card)))
    if folds is None:
        typer.echo(f"{done.moved} of {len(dataset.rows)} rows have another split than before")
    if done.joined:
        typer.echo(f"{done.joined} patients kept together with others: they share pictures")
    typer.echo(f"hash {done.hash}")
