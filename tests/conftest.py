"""Fixtures for every room."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def shared() -> Path:
    """The folder of real CT, or a skip where this machine has none."""
    root = os.environ.get("TETRACT_SHARED", "")
    if not root or not Path(root).is_dir():
        pytest.skip("TETRACT_SHARED does not point at the real CT")
    return Path(root)
