# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a piece of work as a plan says: threads, attention, no gradients. Entered per step, never over a yield."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from .plan import Plan

_BACKENDS = {
    "math": [SDPBackend.MATH],
    "efficient": [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH],
    "flash": [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH],
}
"""What is tried, in this order: flash attention takes no bias, such as LaVie's between frames, on a GPU."""


@contextmanager
def numerics(plan: Plan) -> Iterator[None]:
    """The plan's numeric settings inside, the process's own outside."""
    threads = torch.get_num_threads()
    if threads != plan.threads:
        torch.set_num_threads(plan.threads)
    try:
        with (
            torch.no_grad(),
            sdpa_kernel(_BACKENDS[plan.attention], set_priority=True),
            torch.backends.cudnn.flags(benchmark=False, deterministic=True, allow_tf32=False),
        ):
            yield
    finally:
        if threads != plan.threads:
            torch.set_num_threads(threads)
