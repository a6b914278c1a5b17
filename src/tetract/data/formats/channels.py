"""Which of a case's images is the CT."""

from __future__ import annotations

from collections.abc import Mapping

from tetract.errors import InputError


def ct_channel(names: Mapping[int, str], wanted: int | None, where: str) -> int:
    """The number of the CT channel.

    Args:
        names: Channel number to its name.
        wanted: What the user says, or None.
        where: Base name of the file that names the channels.

    Raises:
        InputError: ``E_CHANNEL`` unless exactly one channel is called CT, or the user's exists.
    """
    found = [number for number, name in sorted(names.items()) if name.strip().lower() == "ct"]
    if wanted is not None:
        found = [number for number in names if number == wanted]
    if len(found) == 1:
        return found[0]
    told = ", ".join(f"{number} '{name}'" for number, name in sorted(names.items())) or "none"
    raise InputError(
        "E_CHANNEL",
        "it is not clear which channel is the CT",
        where=where,
        expected="one channel called CT" if wanted is None else f"a channel {wanted}",
        found=told,
        fix="Say which one is CT with --channel",
    )
