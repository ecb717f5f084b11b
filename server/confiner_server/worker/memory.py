# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory the worker uses."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import torch
from confiner.memory import available_memory


def memory_in_use(device: torch.device, modules: Iterable[torch.nn.Module]) -> dict[str, int]:
    """Bytes: "weights" of the loaded modules (shared ones once), "resident" of this process, "free" on the device."""
    tensors = {t.data_ptr(): t.nbytes for module in modules for t in (*module.parameters(), *module.buffers())}
    used = {"weights": sum(tensors.values())}
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        used["resident"] = pages * os.sysconf("SC_PAGE_SIZE")
    if (free := available_memory(device)) is not None:
        used["free"] = free
    return used
