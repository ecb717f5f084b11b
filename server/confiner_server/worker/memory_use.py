# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory the worker uses."""

from __future__ import annotations

from collections.abc import Iterable

import psutil
import torch
from confiner.memory.choice import available_memory


def memory_in_use(device: torch.device, modules: Iterable[torch.nn.Module]) -> dict[str, int]:
    """Bytes: "weights" of the loaded modules (shared ones once), "resident" of this process, "free" on the device."""
    tensors = {t.data_ptr(): t.nbytes for module in modules for t in (*module.parameters(), *module.buffers())}
    return {
        "weights": sum(tensors.values()),
        "resident": psutil.Process().memory_info().rss,
        "free": available_memory(device),
    }
