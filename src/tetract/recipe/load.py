"""YAML and ``key=value`` overrides to a Recipe, and back."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel, ValidationError

from tetract.errors import RecipeError
from tetract.io import atomic_write_text
from tetract.recipe.schema import Recipe

DEMO = Path(__file__).with_name("demo.yaml")  # the recipe of `tetract demo`, shipped with it


def load_recipe(file: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply ``key=value`` overrides such as ``run.seed=3``.

    Values are YAML: ``tasks=[segmentation]`` is a list, ``run.init_from=null`` is none. A
    relative ``data.folder`` counts from the working directory.

    Raises:
        RecipeError: ``E_NO_RECIPE``, ``E_BAD_YAML``, ``E_BAD_OVERRIDE``, ``E_UNKNOWN_KEY`` or
            ``E_BAD_VALUE``, naming the key.
    """
    if not file.is_file():
        raise RecipeError(
            "E_NO_RECIPE", "no such recipe file", where=file.name, fix="Look in recipes/"
        )
    document = _parse(file.read_text(encoding="utf-8"), file.name)
    if not isinstance(document, dict):
        raise RecipeError(
            "E_BAD_YAML",
            "a recipe is a mapping of keys",
            where=file.name,
            found=type(document).__name__,
        )
    tree = cast("dict[str, Any]", document)
    for override in overrides:
        _apply(tree, override)
    return validate(tree, where=file.name)


def validate(tree: dict[str, Any], *, where: str) -> Recipe:
    """Turn a mapping into a Recipe.

    Raises:
        RecipeError: ``E_UNKNOWN_KEY`` or ``E_BAD_VALUE``, naming the key.
    """
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        problems = error.errors()
        first = problems[0]
        key = ".".join(str(part) for part in first["loc"]) or "recipe"
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        if first["type"] == "extra_forbidden":
            raise RecipeError(
                "E_UNKNOWN_KEY",
                f"no such setting{more}",
                where=where,
                found=key,
                fix=_suggestion(first["loc"]),
            ) from error
        raise RecipeError(
            "E_BAD_VALUE",
            f"{key}: {first['msg']}{more}",
            where=where,
            found=repr(first["input"])[:80],
            fix="See docs/reference/recipe.md",
        ) from error


def save_recipe(recipe: Recipe, file: Path) -> None:
    """Write the resolved recipe, every default included."""
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    atomic_write_text(file, text)


def _parse(text: str, where: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}" if mark else "unknown line"
        raise RecipeError(
            "E_BAD_YAML", "this is not YAML", where=where, found=f"a problem at {line}"
        ) from error


def _apply(tree: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise RecipeError(
            "E_BAD_OVERRIDE",
            "an override is written key=value",
            found=override,
            fix="For example run.steps=200",
        )
    *parents, last = key.strip().split(".")
    node = tree
    for parent in parents:
        child = node.setdefault(parent, {})
        if not isinstance(child, dict):
            raise RecipeError("E_BAD_OVERRIDE", f"{parent} holds no settings", found=override)
        node = cast("dict[str, Any]", child)
    node[last] = _parse(text, override)


def _suggestion(location: tuple[int | str, ...]) -> str:
    """The nearest key at the place where an unknown one stood."""
    model: type[BaseModel] = Recipe
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        kind = field.annotation if field else None
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return "See docs/reference/recipe.md"
        model = kind
    near = difflib.get_close_matches(str(location[-1]), list(model.model_fields), n=1)
    if near:
        return f"Did you mean {near[0]}?"
    return f"Known here: {', '.join(model.model_fields)}"
