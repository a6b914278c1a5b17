"""The seam between a download and the network: what is asked, what is answered, what may fail."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable


class TransferError(Exception):
    """A transfer failed in a way that another try may mend.

    Args:
        reason: In plain words.
        wait_s: How long the server asks to wait, or None.
        unreachable: There was no connection at all.
    """

    def __init__(
        self, reason: str, *, wait_s: float | None = None, unreachable: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s
        self.unreachable = unreachable


@runtime_checkable  # the tests check annotations
class Answer(Protocol):
    """What a server answered; ``read`` may raise ``TransferError``."""

    @property
    def status(self) -> int:
        """HTTP status: 200, 206 or 416."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Header fields, names in lower case."""
        ...

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none at the end."""
        ...


@runtime_checkable
class Remote(Protocol):
    """Where files come from. ``tetract.data.download.download`` has the only real one."""

    def open(
        self, url: str, *, start: int = 0, validator: str = ""
    ) -> AbstractContextManager[Answer]:
        """Ask for the bytes from ``start`` on, if the file still has this validator.

        Raises:
            TransferError: Another try may help.
            MachineError: It will not.
        """
        ...
