"""A server on this machine that behaves as badly as a test asks."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Site:
    """What the server holds and how it errs.

    Attributes:
        files: Path to content.
        etag: Sends an entity tag made of the content.
        ranges: Honours Range.
        breaks: Bytes after which the next answers are cut off, one entry per answer.
        fails: Statuses of the next answers, one entry per answer.
        headers: Added to every answer.
        redirects: Path to address.
        chunked: Tells no length, but marks the end.
        mute: Tells neither length nor end.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    etag: bool = True
    ranges: bool = True
    breaks: list[int] = field(default_factory=list)
    fails: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    chunked: bool = False
    mute: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    base: str = ""

    def url(self, name: str) -> str:
        return f"{self.base}/{name}"


class _Handler(BaseHTTPRequestHandler):
    site: Site
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        site = self.site
        site.asked.append((self.path, self.headers.get("Range", "")))
        self.close_connection = True
        if site.fails:
            self._bare(site.fails.pop(0))
        elif self.path in site.redirects:
            self._bare(302, {"Location": site.redirects[self.path]})
        elif self.path not in site.files:
            self._bare(404)
        else:
            self._file(site.files[self.path])

    def _bare(self, status: int, extra: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, text in ({"Content-Length": "0"} | (extra or {}) | self.site.headers).items():
            self.send_header(name, text)
        self.end_headers()

    def _file(self, content: bytes) -> None:
        site = self.site
        tag = f'"{hashlib.sha256(content).hexdigest()[:8]}"'
        asked = self.headers.get("Range", "")
        same = self.headers.get("If-Range", tag) == tag
        start = int(asked[6:-1]) if asked and site.ranges and same else 0
        if start > len(content):
            self._bare(416, {"Content-Range": f"bytes */{len(content)}"})
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if site.etag:
            self.send_header("ETag", tag)
        if site.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif not site.mute:
            self.send_header("Content-Length", str(len(content) - start))
        for name, text in site.headers.items():
            self.send_header(name, text)
        self.end_headers()
        body = content[start:]
        if site.breaks:
            body = body[: site.breaks.pop(0)]
        if site.chunked:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        self.wfile.write(body)


@contextmanager
def serving() -> Generator[Site]:
    site = Site()
    handler = type("Handler", (_Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    site.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
