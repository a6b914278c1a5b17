"""The data a recipe names, opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tetract.data import DatasetFolder, open_dataset
from tetract.data.config import DataConfig
from tetract.data.dataset import SliceDataset
from tetract.data.fewer_labels import thin_labels
from tetract.data.fold_file import load_folds
from tetract.errors import RecipeError
from tetract.recipe.schema import Recipe

Count = Callable[[int, int], None]


def open_data(config: DataConfig) -> DatasetFolder:
    """The data set, split as its table says or as ``data.fold`` does.

    Raises:
        InputError: As ``open_dataset`` and ``load_folds``; ``E_NO_FOLD``.
    """
    folder = open_dataset(config.folder)
    if config.fold is None:
        return folder
    folds = load_folds(folder.root, folder.rows)
    if config.fold >= len(folds):
        raise RecipeError(
            "E_NO_FOLD",
            "there is no such fold",
            where="data.fold",
            expected=f"0 to {len(folds) - 1}",
            found=str(config.fold),
            fix="Give another fold, or make more with tetract data split --folds",
        )
    return replace(folder, rows=folds[config.fold])


def open_split(
    recipe: Recipe, folder: DatasetFolder, split: str, on_prepared: Count | None = None
) -> SliceDataset:
    """One split of the data set, every slice read and checked.

    Of training labels it holds those that ``data.label_share`` leaves.
    """
    folder = replace(folder, rows=thin_labels(folder.rows, recipe.data.label_share)[0])
    dataset = SliceDataset(
        folder,
        recipe.data,
        recipe.network_spec().label_space,
        split,
        strict=not recipe.data.skip_unreadable,
    )
    dataset.warm(on_prepared)
    return dataset


def fewer_labels(recipe: Recipe, folder: DatasetFolder) -> str:
    """Whose training labels ``data.label_share`` leaves, by column; "" where it leaves all."""
    return ", ".join(str(kept) for kept in thin_labels(folder.rows, recipe.data.label_share)[1])


def fewer_warnings(fewer: str) -> tuple[str, ...]:
    """``W_FEWER_LABELS`` with what ``fewer_labels`` says."""
    return (f"W_FEWER_LABELS data.label_share uses {fewer}",) if fewer else ()
