# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory the worker uses, whether an error means that it ran out, and what would need less."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import torch
from confiner.chains import ChainSpec

from confiner_blender.protocol.messages import Problem, ShotRequest

CPU_WORDS = ("can't allocate memory", "not enough memory")
"""What torch's CPU allocator says; it raises a plain RuntimeError."""


def is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in CPU_WORDS)


def out_of_memory(request: ShotRequest, spec: ChainSpec, device: str) -> Problem:
    """The problem, with the next cheaper setting as its remedy."""
    pixels = request.width * request.height
    smaller = [size for size in spec.sizes if size[0] * size[1] < pixels]
    if smaller:
        width, height = max(smaller, key=lambda size: size[0] * size[1])
        remedy = f"choose {width}×{height}, the next smaller size of this chain"
    else:
        remedy = "close programs that use the same memory, or choose a chain with smaller experts"
    size = f"{request.num_frames} frames of {request.width}×{request.height}"
    return Problem("out-of-memory", f"the memory of {device} did not suffice for {size}", remedy)


def memory_in_use(device: torch.device, modules: Iterable[torch.nn.Module]) -> dict[str, int]:
    """Bytes: "weights" of the loaded modules (shared ones once), "resident" of this process, "free" on the device."""
    tensors = {t.data_ptr(): t.nbytes for module in modules for t in (*module.parameters(), *module.buffers())}
    used = {"weights": sum(tensors.values())}
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        used["resident"] = pages * os.sysconf("SC_PAGE_SIZE")
    if device.type == "cuda":
        used["free"] = torch.cuda.mem_get_info(device)[0]
    elif sys.platform == "linux":
        used["free"] = _available()
    return used


def _available() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), 0)
