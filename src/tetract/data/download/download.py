"""The only file of the package that touches the network, and only when a user asks for it.

Nothing but ``tetract data download`` opens a connection; a test reads the sources and holds this.
"""

from __future__ import annotations

import errno
import http.client
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from tetract.data.download.remote import Answer, TransferError
from tetract.errors import MachineError

_TIMEOUT_S: Final = 30.0
_LOOPBACK: Final = "127.0.0.1"
_TRY_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_NO_WAY: Final = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED, errno.ENETDOWN, errno.EHOSTDOWN}
)


class Web:
    """Files over HTTPS: no cookies, no credentials, redirects to HTTPS only.

    A proxy of the environment is used, as hospitals have them.

    Args:
        timeout_s: How long a silent connection is waited for.
        loopback: For tests: plain HTTP to 127.0.0.1 too, and no proxy.
    """

    def __init__(self, *, timeout_s: float = _TIMEOUT_S, loopback: bool = False) -> None:
        self._timeout_s = timeout_s
        self._loopback = loopback
        # Built by hand: the default opener also reads files and FTP, and keeps handlers for logins.
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler({} if loopback else None),
            *((urllib.request.HTTPHandler(),) if loopback else ()),
            urllib.request.HTTPSHandler(context=ssl.create_default_context()),
            urllib.request.UnknownHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _Redirects(loopback=loopback),
        ):
            self._opener.add_handler(handler)

    @contextmanager
    def open(self, url: str, *, start: int = 0, validator: str = "") -> Generator[Answer]:
        """The answer to a request for the bytes from ``start`` on; see ``Remote``.

        Raises:
            TransferError: Another try may help.
            MachineError: ``E_DOWNLOAD``, ``E_INSECURE_URL``.
        """
        _check_secure(url, loopback=self._loopback)
        headers = {"User-Agent": "tetract", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        if start and validator:
            headers["If-Range"] = validator
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - https, checked above
        try:
            response: Any = self._opener.open(request, timeout=self._timeout_s)
        except urllib.error.HTTPError as fault:
            if fault.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise _answered(fault) from None
            response = fault
        except (OSError, http.client.HTTPException) as fault:
            raise _failed(fault) from None
        with response:
            named = {name.lower(): text for name, text in response.headers.items()}
            yield _Response(status=response.status, headers=named, body=response)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Response:
    """An answer of urllib as the transfer wants it."""

    status: int
    headers: Mapping[str, str]
    body: http.client.HTTPResponse | urllib.error.HTTPError

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes.

        Raises:
            TransferError: The connection was lost.
        """
        try:
            return self.body.read(size)
        except (OSError, http.client.HTTPException) as fault:
            raise TransferError(f"the connection was lost ({type(fault).__name__})") from None


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never out of HTTPS."""

    def __init__(self, *, loopback: bool) -> None:
        self._loopback = loopback

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: Any,
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        _check_secure(newurl, loopback=self._loopback)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_secure(url: str, *, loopback: bool) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise _insecure("an address that cannot be read") from None
    if parts.username is not None or parts.password is not None:
        raise _insecure("an address with a user name")
    if parts.scheme == "https" and host:
        return
    if not (loopback and parts.scheme == "http" and host == _LOOPBACK):
        raise _insecure(f"{parts.scheme or 'no'} protocol")


def _insecure(found: str) -> MachineError:
    return MachineError(
        "E_INSECURE_URL",
        "the download leads to an address that is not secure; nothing was asked there",
        expected="https",
        found=found,
        fix="Get the file from the set's home page with a browser",
    )


def _answered(fault: urllib.error.HTTPError) -> Exception:
    reason = f"the server answered {fault.code}"
    wait = fault.headers.get("Retry-After", "")
    fault.close()
    if fault.code in _TRY_AGAIN:
        wait_s = float(wait) if re.fullmatch(r"\d{1,4}", wait) else None
        return TransferError(reason, wait_s=wait_s)
    return MachineError(
        "E_DOWNLOAD",
        reason,
        fix="The file has moved or is withdrawn: see the set's home page",
    )


def _failed(fault: OSError | http.client.HTTPException) -> Exception:
    cause = fault.reason if isinstance(fault, urllib.error.URLError) else fault
    if isinstance(cause, ssl.SSLCertVerificationError):
        return MachineError(
            "E_DOWNLOAD",
            "the certificate of the server is not trusted on this machine",
            fix="Check the clock and, behind a proxy, the machine's certificates",
        )
    if isinstance(cause, socket.gaierror):
        return TransferError("the name of the server cannot be resolved", unreachable=True)
    if isinstance(cause, OSError) and cause.errno in _NO_WAY:
        return TransferError("no connection to the server", unreachable=True)
    if isinstance(cause, TimeoutError):
        return TransferError("the server does not answer", unreachable=True)
    return TransferError(f"the connection failed ({type(cause).__name__})")
