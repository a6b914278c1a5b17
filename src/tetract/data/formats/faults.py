"""All that is wrong with a file, told in one line: each kind once, with its number and places."""

from __future__ import annotations

from tetract.errors import InputError

_SHOWN = 3


class Faults:
    """Faults found so far."""

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}

    def add(self, kind: str, place: str) -> None:
        """Note one fault.

        Args:
            kind: What is wrong, in words.
            place: Where in the file, such as ``annotations[4]``.
        """
        self._places.setdefault(kind, []).append(place)

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._places)

    def error(self, code: str, where: str, *, fix: str) -> InputError:
        """The one error that tells them all."""
        number = sum(map(len, self._places.values()))
        told = [
            f"{kind} ({', '.join(places[:_SHOWN])}"
            + (f" and {len(places) - _SHOWN} more)" if len(places) > _SHOWN else ")")
            for kind, places in self._places.items()
        ]
        what = "1 fault" if number == 1 else f"{number} faults"
        return InputError(code, what, where=where, found="; ".join(told), fix=fix)
