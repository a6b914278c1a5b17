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


def load_yaml_model(path: Path, model: type[Model], *, code: str) -> Model:
    """Read ``path`` and validate it as ``model``.

    Args:
        path: A UTF-8 YAML file whose top level is a mapping.
        model: The pydantic model it must satisfy.
        code: Error code of everything that is wrong inside the file.

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
        raise _first(error, path.name, code) from error


def _first(error: ValidationError, name: str, code: str) -> InputError:
    problems = error.errors(include_url=False)
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" ({len(problems) - 1} more in this file)" if len(problems) > 1 else ""
    return InputError(
        code,
        f"key '{key}': {first['msg']}{more}",
        where=name,
        fix="Correct the key; docs/reference/dataset-folder.md lists them",
    )
