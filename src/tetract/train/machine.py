"""What this machine offers: device and number format."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

from tetract.errors import MachineError


def choose_device(asked: str) -> torch.device:
    """``auto`` takes a GPU where there is one; ``cuda`` insists.

    Raises:
        MachineError: ``E_NO_GPU``.
    """
    has_gpu = torch.cuda.is_available()
    if asked == "cuda" and not has_gpu:
        raise MachineError(
            "E_NO_GPU", "no CUDA device here", where="run.device", fix="Use run.device=cpu or auto"
        )
    return torch.device("cuda" if has_gpu and asked != "cpu" else "cpu")


def choose_precision(asked: str, device: torch.device) -> Literal["32-true", "bf16-mixed"]:
    """Lightning's name for the number format: ``32-true`` or ``bf16-mixed``.

    bfloat16 pays only where the hardware multiplies in it; emulated, it is slower than float32.
    """
    has_bf16 = torch.cuda.is_bf16_supported() if device.type == "cuda" else cpu_has_bf16()
    wants = asked == "bf16" or (asked == "auto" and has_bf16)
    return "bf16-mixed" if wants else "32-true"


def cpu_has_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor multiplies bfloat16 in hardware (AVX512-BF16, AMX or Arm's bf16)."""
    if not cpuinfo.is_file():
        return False
    words = set(cpuinfo.read_text(encoding="utf-8", errors="replace").split())
    return bool(words & {"avx512_bf16", "amx_bf16", "bf16"})
