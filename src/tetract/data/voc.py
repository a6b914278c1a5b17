"""Boxes of Pascal VOC XML files."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

from tetract.data.cells import BoxEntry, parse_corners
from tetract.errors import LabelError, ReadError

_MOST_BYTES = 1_000_000
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_voc(
    path: Path, names: Mapping[re.Pattern[str], str], *, inclusive: bool
) -> tuple[BoxEntry, ...]:
    """Boxes of one XML file, in file order; a file without ``object`` gives none.

    Args:
        path: The file.
        names: Pattern of the whole object name to box class.
        inclusive: ``xmax`` and ``ymax`` name the last pixel inside, as in the VOC challenge; tools
            that store the corner of the drawn rectangle (LabelImg) are half-open.

    Raises:
        ReadError: ``E_BAD_XML`` when it is damaged, huge, or declares a DOCTYPE (an entity could
            then expand without bound or name another file).
        LabelError: ``E_LABEL_UNKNOWN`` for an object name without class, ``E_BAD_BOX``,
            ``E_BOX_EMPTY``, ``E_BOX_OUTSIDE``.
    """
    found = voc_root(path).iter("object")
    return tuple(_entry(element, names, path, inclusive=inclusive) for element in found)


def voc_root(path: Path) -> ET.Element:
    """The root of an XML file that proved harmless.

    Raises:
        ReadError: ``E_BAD_XML`` as for ``read_voc``.
    """
    if path.stat().st_size > _MOST_BYTES:
        raise ReadError("E_BAD_XML", "annotation is huge or declares a DOCTYPE", where=path.name)
    raw = path.read_bytes()
    try:
        # Decoded here, so that no other encoding can hide a DOCTYPE from the check.
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReadError("E_BAD_XML", "annotation is not UTF-8", where=path.name) from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ReadError("E_BAD_XML", "annotation is huge or declares a DOCTYPE", where=path.name)
    try:
        return ET.fromstring(text)  # noqa: S314 - see above
    except (ET.ParseError, ValueError) as error:
        raise ReadError("E_BAD_XML", f"not an XML file: {error}", where=path.name) from error


def find_voc(folder: Path) -> dict[str, Path]:
    """XML files below ``folder`` by name without suffix.

    Raises:
        ReadError: ``E_NO_FILE`` without such a folder; ``E_DUPLICATE_FILE`` for two of a name.
    """
    if not folder.is_dir():
        raise ReadError("E_NO_FILE", "folder of annotations does not exist", where=folder.name)
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.xml")):
        if path.stem in found:
            raise ReadError("E_DUPLICATE_FILE", "two annotations of this name", where=path.name)
        found[path.stem] = path
    return found


def _entry(
    found: ET.Element, names: Mapping[re.Pattern[str], str], path: Path, *, inclusive: bool
) -> BoxEntry:
    name = (found.findtext("name") or "").strip()
    label = next((cls for pattern, cls in names.items() if pattern.fullmatch(name)), None)
    if label is None:
        raise LabelError(
            "E_LABEL_UNKNOWN",
            f"object name '{name}' has no box class",
            where=path.name,
            expected=", ".join(pattern.pattern for pattern in names),
            fix="Add it to names in the mapping",
        )
    corners = [(found.findtext(f"bndbox/{key}") or "").strip() for key in _CORNERS]
    return BoxEntry(
        label=label, xyxy=parse_corners(corners, " ".join(corners), inclusive=inclusive)
    )
