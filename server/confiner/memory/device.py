# SPDX-License-Identifier: GPL-3.0-or-later
"""Which device runs the experts, and in which precision, where nobody says."""

from __future__ import annotations

import torch

from ..errors import DeviceMissing


def find_device(name: str = "auto") -> torch.device:
    """The device called `name` ("cpu", "cuda", "cuda:1", "mps"); "auto" is the best that is there.

    Raises:
        DeviceMissing: there is no such device here.
    """
    kinds = available_kinds()
    if name == "auto":
        return torch.device(kinds[0])
    kind = name.split(":")[0]
    number = int(name.split(":")[1]) if name.partition(":")[2].isdigit() else 0
    if kind not in kinds or (kind == "cuda" and number >= torch.cuda.device_count()):
        raise DeviceMissing(f"the device {name!r}", f"one of auto, {', '.join(kinds)}", "choose one of these devices")
    return torch.device(name)


def available_kinds() -> tuple[str, ...]:
    """The kinds of device that torch finds here, the fastest first."""
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return tuple(kind for kind, there in found.items() if there)


def default_dtype(device: torch.device) -> torch.dtype:
    """Half precision where it is fast, single on the CPU."""
    return torch.float32 if device.type == "cpu" else torch.float16
