"""Write docs/reference/recipe.md from the recipe's own types; `--check` only compares."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tetract.recipe import Recipe
from tetract.recipe.preset import PRESETS

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "recipe.md"
HEAD = """# Recipe

Every setting of a recipe, with its default. Change one on the command line as `key=value`, the
value being YAML. An unknown key or an impossible value is refused before anything starts. This page
is written by `python scripts/recipe_reference.py`.

| key | default | meaning |
| --- | --- | --- |
"""


def documented(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    """The field's description, or its line in the class docstring."""
    if field.description:
        return field.description
    found = re.search(
        rf"^    {name}: (.+?)(?=\n    \w+: |\Z)", model.__doc__ or "", re.MULTILINE | re.DOTALL
    )
    if not found:
        found = re.search(
            rf"^\s+{name}: (.+?)(?=\n\s+\w+: |\Z)", model.__doc__ or "", re.MULTILINE | re.DOTALL
        )
    return " ".join(found.group(1).split()) if found else ""


def rows(
    model: type[BaseModel], prefix: str = "", preset: Mapping[str, object] = PRESETS["tetract"]
) -> list[str]:
    """One line per setting, nested models opened up; what the preset says goes before a field."""
    lines: list[str] = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            own = cast("Mapping[str, object]", preset.get(name, {}))
            lines += rows(kind, f"{prefix}{name}.", own)
            continue
        default = "required" if field.is_required() else shown(default_of(name, field, preset))
        meaning = documented(model, name, field).replace("|", r"\|")
        lines.append(f"| `{prefix}{name}` | {default} | {meaning} |")
    return lines


def default_of(name: str, field: FieldInfo, preset: Mapping[str, object]) -> object:
    """What a recipe that does not name the setting gets."""
    return preset.get(name, field.get_default(call_default_factory=True))


def shown(value: object) -> str:
    """A default as one would type it."""
    text = "null" if value is None else str(value)
    if isinstance(value, tuple):
        text = "[" + ", ".join(str(v) for v in cast("tuple[object, ...]", value)) + "]"
    return f"`{text}`" if text else "empty"


def main() -> int:
    """Write the page, or say whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    page = HEAD + "\n".join(rows(Recipe)) + "\n"
    if not parser.parse_args().check:
        TARGET.write_text(page, encoding="utf-8")
        return 0
    if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != page:
        sys.stderr.write(f"{TARGET.name} is out of date: run scripts/recipe_reference.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
