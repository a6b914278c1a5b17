"""What this machine computes on."""

from __future__ import annotations

import os

import torch


def device_in_words() -> str:
    """``cuda, NVIDIA H200, 139 GiB`` or ``cpu, 16 cores``: what ``auto`` takes."""
    if not torch.cuda.is_available():
        return f"cpu, {os.cpu_count() or 1} cores"
    about = torch.cuda.get_device_properties(0)
    return f"cuda, {about.name}, {about.total_memory / 2**30:.0f} GiB"
