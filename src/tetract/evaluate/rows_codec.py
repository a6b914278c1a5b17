"""Frozen dataclasses of numbers and small arrays, to JSON values and back, bit for bit."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar, cast

import numpy as np

Row = TypeVar("Row")
# What an array may hold; anything else in a file is not ours.
_DTYPES: Final = ("bool", "int64", "float32", "float64")


def encode(value: Any) -> Any:
    """JSON values for a dataclass, an array, a tuple, a mapping, a number, a string or None."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, np.ndarray):
        return _encode_array(value)
    if isinstance(value, tuple):
        return [encode(entry) for entry in value]
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, object]", value)
        return {name: encode(entry) for name, entry in pairs.items()}
    return value.item() if isinstance(value, np.generic) else value


def decode(kind: type[Row], value: Any) -> Row:
    """The ``kind`` that ``encode`` wrote.

    Raises:
        KeyError, TypeError, ValueError: Where ``value`` is something else.
    """
    return _decode(kind, value)


def _encode_array(array: np.ndarray) -> dict[str, Any]:
    flat = array.ravel()
    if array.dtype == np.float32:
        # As text first: the shortest decimals that give the same 32 bits back.
        flat = flat.astype(str).astype(np.float64)
    return {"dtype": array.dtype.name, "shape": list(array.shape), "values": flat.tolist()}


def _decode_array(value: dict[str, Any]) -> np.ndarray:
    if value["dtype"] not in _DTYPES:
        msg = f"unknown dtype {value['dtype']!r}"
        raise ValueError(msg)
    return np.array(value["values"], dtype=value["dtype"]).reshape(value["shape"])


def _decode(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    arms = [arm for arm in _arms(kind) if arm is not type(None)]
    if dataclasses.is_dataclass(arms[0]):
        fields = _fields(arms[0])
        if unknown := set(value) - set(fields):
            msg = f"unknown field {min(unknown)}"
            raise ValueError(msg)
        made: Any = arms[0]
        return made(**{name: _decode(fields[name], entry) for name, entry in value.items()})
    if isinstance(value, dict):
        return _decode_array(value)
    if isinstance(value, list):
        inner = typing.get_args(arms[0])
        return tuple(_decode(inner[0] if inner else Any, entry) for entry in value)
    is_name = isinstance(arms[0], type) and issubclass(arms[0], Enum)
    return arms[0](value) if is_name else value


def _arms(kind: Any) -> tuple[Any, ...]:
    """The members of a union; the type itself where it is none."""
    is_union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return typing.get_args(kind) if is_union else (kind,)


@cache
def _fields(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
