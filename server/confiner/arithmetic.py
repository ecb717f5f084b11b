# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a piece of work as a plan says: threads, attention, no gradients. Entered per step, never over a yield."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from .plan import Plan

_BACKENDS = {
    "math": SDPBackend.MATH,
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
}


@contextmanager
def arithmetic(plan: Plan) -> Iterator[None]:
    """The plan's numeric settings inside, the process's own outside."""
    threads = torch.get_num_threads()
    backends = [_BACKENDS[plan.attention]] if plan.attention == "math" else [_BACKENDS[plan.attention], SDPBackend.MATH]
    if threads != plan.threads:
        torch.set_num_threads(plan.threads)
    try:
        with (
            torch.no_grad(),
            sdpa_kernel(backends, set_priority=True),
            torch.backends.cudnn.flags(benchmark=False, deterministic=True, allow_tf32=False),
        ):
            yield
    finally:
        if threads != plan.threads:
            torch.set_num_threads(threads)
