"""The one place where a library's exception becomes one of ours."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager

from tetract.errors import MachineError, ReadError, TetractError

_NOWHERE = logging.NullHandler()


@contextmanager
def quiet_libraries() -> Generator[None]:
    """Silence the readers' own warnings: they quote header values, which may name a patient."""
    loggers = [logging.getLogger(name) for name in ("pydicom", "nibabel", "nibabel.global", "PIL")]
    before = [(logger, logger.propagate, logger.disabled) for logger in loggers]
    try:
        for logger in loggers:
            # With no handler on its way, a message of PIL.TiffImagePlugin would go to stderr.
            logger.addHandler(_NOWHERE)
            logger.propagate, logger.disabled = False, True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, propagate, disabled in before:
            logger.propagate, logger.disabled = propagate, disabled


@contextmanager
def reading(where: str, *, code: str, what: str) -> Generator[None]:
    """Turn whatever a library raises inside into one typed error.

    Args:
        where: Base name of the file or folder.
        code: Code for a fault that has no better name.
        what: What that fault means to the reader.

    Raises:
        ReadError: ``code``, ``E_TOO_DEEP`` (nested beyond Python's stack) or ``E_CANNOT_READ``.
        MachineError: ``E_OUT_OF_MEMORY``.
    """
    try:
        with quiet_libraries():
            yield
    except TetractError:
        raise
    except RecursionError:
        raise ReadError(
            "E_TOO_DEEP", "the file is nested too deeply", where=where, fix="Re-export the file"
        ) from None
    except MemoryError:
        raise MachineError(
            "E_OUT_OF_MEMORY",
            "the file does not fit into memory",
            where=where,
            fix="Read fewer slices or use a machine with more memory",
        ) from None
    except EOFError as fault:
        raise _unnamed(code, what, where, fault) from None
    except OSError as fault:
        if fault.errno is None:  # libraries misuse OSError for bad content
            raise _unnamed(code, what, where, fault) from None
        raise ReadError(
            "E_CANNOT_READ",
            "the file cannot be read",
            where=where,
            found=type(fault).__name__,
            fix="Check the path and its permissions",
        ) from None
    except Exception as fault:  # noqa: BLE001 - hostile files raise anything; this is the one net
        # The library's own text is left out: it may quote a patient's name.
        raise _unnamed(code, what, where, fault) from None


def _unnamed(code: str, what: str, where: str, fault: Exception) -> ReadError:
    return ReadError(
        code, what, where=where, found=type(fault).__name__, fix="Export the file again"
    )
