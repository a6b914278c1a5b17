"""Fixtures for every room.

Shapes and dtypes in annotations are enforced by jaxtyping and beartype, switched on in
pyproject.toml (`--jaxtyping-packages`), before anything here is imported.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

# Two workers with one thread per core each would fight over the cores: one thread in each, set
# before torch reads it.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import torch


@pytest.fixture
def shared() -> Path:
    """The folder of real CT, or a skip where this machine has none."""
    root = os.environ.get("TETRACT_SHARED", "")
    if not root or not Path(root).is_dir():
        pytest.skip("TETRACT_SHARED does not point at the real CT")
    return Path(root)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Every test starts from the same random state, alone or after any other."""
    random.seed(0)
    torch.manual_seed(0)
    # Our own code never draws from numpy's global state; libraries under it may.
    np.random.seed(0)  # noqa: NPY002 - the legacy state is the one to fix
