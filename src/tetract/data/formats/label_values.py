"""Which voxel values of a label map mean which class, and whether a map keeps to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Int64, Shaped

from tetract.data.formats.class_names import class_name
from tetract.errors import LabelError
from tetract.io import LabelMap

LEFT_OUT: Final = "-"
_TOLD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelValues:
    """The meaning of voxel values.

    Attributes:
        classes: Class to its values; classes may share values (regions).
        ignore: The value of voxels that nobody labelled, or None.
        unused: Values that are known and belong to no wanted class.
    """

    classes: Mapping[str, tuple[int, ...]]
    ignore: int | None = None
    unused: tuple[int, ...] = ()

    @property
    def known(self) -> frozenset[int]:
        """Every value that may occur, background included."""
        named = {value for values in self.classes.values() for value in values}
        return frozenset(
            {0, *named, *self.unused, *(() if self.ignore is None else (self.ignore,))}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """What a label map holds.

    Attributes:
        voxels: (V,) number of voxels with each value.
        shown: (D, V) whether a slice holds a value.
    """

    voxels: Int64[np.ndarray, " V"]
    shown: Bool[np.ndarray, "D V"]

    def slices_with(self, values: Sequence[int]) -> Bool[np.ndarray, " D"]:
        """(D,) whether a slice holds one of the values."""
        there = [value for value in values if value < len(self.voxels)]
        return np.asarray(self.shown[:, there].any(axis=1), dtype=bool)


def count_values(values: Shaped[np.ndarray, "D H W"]) -> Census:
    """Count the voxels of each value, slice by slice."""
    width = int(values.max(initial=0)) + 1
    voxels = np.zeros(width, dtype=np.int64)
    shown = np.zeros((len(values), width), dtype=bool)
    for k, plane in enumerate(values):
        counts = np.bincount(plane.ravel(), minlength=width)
        voxels += counts
        shown[k] = counts > 0
    return Census(voxels=voxels, shown=shown)


def check_values(labels: LabelMap, known: LabelValues) -> Census:
    """Refuse values that have no meaning.

    Raises:
        LabelError: ``E_LABEL_UNKNOWN`` with the number of voxels of each.
    """
    census = count_values(labels.values)
    strange = [int(v) for v in np.flatnonzero(census.voxels) if int(v) not in known.known]
    if strange:
        told = [f"{value} in {int(census.voxels[value])} voxels" for value in strange[:_TOLD]]
        more = f" and {len(strange) - _TOLD} more values" if len(strange) > _TOLD else ""
        raise LabelError(
            "E_LABEL_UNKNOWN",
            "the label map holds values that have no class",
            where=labels.name,
            expected=", ".join(str(value) for value in sorted(known.known)),
            found=", ".join(told) + more,
            fix="Name their class, or correct the map",
        )
    return census


def parse_value_rules(texts: Sequence[str]) -> dict[tuple[int, ...], str]:
    """Rules ``1=lung``, ``1,2=lung`` or ``3=-`` (known, and not wanted): values to class.

    Raises:
        LabelError: ``E_LABEL_RULE``, or ``E_CLASS_NAME``.
    """
    rules: dict[tuple[int, ...], str] = {}
    for text in texts:
        left, equals, right = (part.strip() for part in text.partition("="))
        numbers = [part.strip() for part in left.split(",")]
        legal = all(number.isascii() and number.isdecimal() for number in numbers)
        if not (equals and right and legal) or max(map(len, numbers)) > 5:
            raise LabelError(
                "E_LABEL_RULE",
                "not a rule for label values",
                expected="VALUE=class or VALUE,VALUE=class, with whole numbers",
                found=f"'{text}'",
                fix="Write VALUE=- for a value that is not wanted",
            )
        values = tuple(sorted({int(number) for number in numbers}))
        rules[values] = right if right == LEFT_OUT else class_name(right, "--label")
    return rules


def values_of_rules(rules: Mapping[tuple[int, ...], str]) -> LabelValues:
    """The rules as the meaning of voxel values.

    Raises:
        LabelError: ``E_LABEL_RULE`` for a class that takes the background.
    """
    classes: dict[str, tuple[int, ...]] = {}
    unused: set[int] = set()
    for values, name in rules.items():
        if name == LEFT_OUT:
            unused |= set(values)
        elif 0 in values:
            raise LabelError(
                "E_LABEL_RULE",
                "0 is the background of every label map",
                expected="values from 1",
                found=f"{', '.join(map(str, values))}={name}",
            )
        else:
            classes[name] = tuple(sorted({*classes.get(name, ()), *values}))
    return LabelValues(classes=classes, unused=tuple(sorted(unused)))
