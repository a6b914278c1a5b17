"""IQ-OTH/NCCD: pictures in one folder per class, no table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tetract.data.formats.published_folders import find_pictures, layout_error, relative
from tetract.data.records import Record

# "Bengin" is how the set spells it.
_CLASS_FOLDER: Final = re.compile(r"(bengin|benign|malignant|normal)( cases?)?", re.IGNORECASE)


def walk_iq_oth_nccd(root: Path) -> list[Record]:
    """One record per picture: file, folder and name.

    Raises:
        InputError: ``E_BAD_LAYOUT`` when no folder of a class holds a picture.
    """
    pictures = find_pictures(root)
    if not any(_CLASS_FOLDER.fullmatch(path.parent.name) for path in pictures):
        raise layout_error(root, "pictures in Bengin cases, Malignant cases and Normal cases")
    return [
        Record(
            number=number,
            cells={
                "file": relative(path, root),
                "folder": path.parent.name,
                "name": path.stem,
            },
        )
        for number, path in enumerate(pictures, 1)
    ]
