"""Two files of the package may open a connection, and nothing opens one by itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src" / "tetract"
DOOR = "data/download/download.py"
# Asks the server of the encoders' own library, for a recipe that says encoder.weights: imagenet.
ASKED_FOR = "model/pretrained/imagenet.py"
NETWORK = frozenset(
    [
        "socket",
        "ssl",
        "http",
        "urllib",
        "urllib3",
        "requests",
        "httpx",
        "aiohttp",
        "ftplib",
        "smtplib",
        "imaplib",
        "poplib",
        "nntplib",
        "telnetlib",
        "xmlrpc",
        "socketserver",
        "webbrowser",
        "websockets",
        "pycurl",
        "huggingface_hub",
        "boto3",
        "botocore",
        "gdown",
        "wget",
        "paramiko",
    ]
)
HARMLESS = frozenset({"urllib.parse", "http.HTTPStatus"})
CALLS = frozenset({"load_state_dict_from_url", "download_url_to_file", "urlopen", "urlretrieve"})


def opens(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        if isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            names = [f"socket.{name}"] if name in CALLS else []
        for name in names:
            if name.split(".")[0] in NETWORK and not name.startswith(tuple(HARMLESS)):
                yield name


def test_only_the_doors_import_the_network() -> None:
    found = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if any(opens(path.read_text(encoding="utf-8")))
    }
    assert found == {DOOR, ASKED_FOR}


def test_only_the_download_command_imports_the_door() -> None:
    users = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if "tetract.data.download.download import" in path.read_text(encoding="utf-8")
    }
    assert users == {"cli/datasets.py"}


@pytest.mark.parametrize(
    "source",
    [
        "import requests",
        "from urllib.request import urlopen",
        "import http.client as h",
        "from urllib import request",
        "import socket",
        "torch.hub.load_state_dict_from_url(u)",
    ],
)
def test_the_search_finds_what_it_looks_for(source: str) -> None:
    assert list(opens(source))


def test_the_search_lets_addresses_be_read() -> None:
    assert not list(opens("from urllib.parse import urlsplit\nimport urllib.parse"))
