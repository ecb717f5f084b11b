# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that ran out: how it is recognised, and what needs less."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..chains import ChainSpec
from ..errors import OutOfMemory
from .choice import MemoryChoice, cheaper

CPU_WORDS = ("can't allocate memory", "not enough memory")
"""What torch's CPU allocator says; it raises a plain RuntimeError."""


def is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError | OutOfMemory):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in CPU_WORDS)


@contextmanager
def out_of_memory_reported(
    spec: ChainSpec, device: torch.device, memory: MemoryChoice, *, num_frames: int, width: int, height: int
) -> Iterator[None]:
    """Let memory that runs out inside be an OutOfMemory, whose remedy is the next setting that needs less.

    `memory` is how the chain was fitted into the memory of `device`; the rest is the clip that is being made.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        next_one = cheaper(device.type, memory)
        remedy = smaller_clip(spec, width, height)
        if next_one is not None:
            remedy = f"load the chain with less memory: {next_one}; or {remedy}"
        raise out_of_memory(str(device), num_frames, width, height, remedy) from error


def out_of_memory(device: str, num_frames: int, width: int, height: int, remedy: str) -> OutOfMemory:
    """The error, for a clip of this length and size."""
    seen = f"the memory of {device} did not suffice for {num_frames} frames of {width}×{height}"
    return OutOfMemory(seen, "enough of it", remedy)


def smaller_clip(spec: ChainSpec, width: int, height: int) -> str:
    """What to ask of the chain instead of a clip of this size."""
    smaller = [size for size in spec.sizes if size[0] * size[1] < width * height]
    if not smaller:
        return "close programs that use the same memory, or choose a chain with smaller experts"
    best = max(smaller, key=lambda size: size[0] * size[1])
    return f"choose {best[0]}×{best[1]}, the next smaller size of this chain"
