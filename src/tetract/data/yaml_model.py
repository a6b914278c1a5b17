"""A YAML file as a frozen pydantic model, or one line that says which key is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from tetract.errors import InputError, ReadError


class Strict(BaseModel):
    """What every model of a user's YAML shares: no unknown key, no change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=BaseModel)


def load_yaml_model(path: Path, model: type[Model], *, code: str, page: str) -> Model:
    """Read ``path`` and validate it as ``model``.

    Args:
        path: A UTF-8 YAML file whose top level is a mapping.
        model: The pydantic model it must satisfy.
        code: Error code of everything that is wrong inside the file.
        page: The page of ``docs/`` that lists its keys.

    Raises:
        ReadError: ``E_NO_FILE`` when it does not exist or is a folder; ``code`` when it is not
            YAML.
        InputError: ``code``, naming the first wrong key and how many more there are.
    """
    if not path.is_file():
        raise ReadError("E_NO_FILE", "file does not exist", where=path.name)
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ReadError(code, f"not a YAML file: {error}", where=path.name) from error
    if not isinstance(content, dict):
        found = type(content).__name__
        raise InputError(
            code, "top level is not a mapping", where=path.name, expected="keys", found=found
        )
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _first(error, path.name, code, page) from error


def _first(error: ValidationError, name: str, code: str, page: str) -> InputError:
    problems = error.errors(include_url=False)
    # A misspelt key is also a missing one: tell the spelling, which is what the reader must fix.
    first = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" ({len(problems) - 1} more in this file)" if len(problems) > 1 else ""
    return InputError(
        code,
        f"key '{key}': {first['msg']}{more}",
        where=name,
        fix=f"Correct the key; docs/{page} lists them",
    )
