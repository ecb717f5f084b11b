# SPDX-License-Identifier: GPL-3.0-or-later
"""Consistency initialization: what noise the segments of a long shot start from (ConFiner-Long, first strategy)."""

from __future__ import annotations

import math
from typing import Literal

import torch

from .noise import NoiseSource


def initial_noise(
    source: NoiseSource,
    shape: tuple[int, int, int],
    segment: int,
    length: int,
    how: Literal["shuffle", "shared", "mix", "random"],
    mix: float,
) -> torch.Tensor:
    """The noise of one segment, `[1, channels, length, height, width]`, for frames of `shape`.

    `shuffle` reorders the frames of one base noise (the paper), `shared` takes it as it is, `random` draws anew, and
    `mix` has a share `mix` of the base noise's variance and the rest drawn anew. Segment 0 is the base noise itself
    in all but `random`.
    """
    base = source.frames(shape, range(length), "control", "base")
    if how == "random":
        return source.frames(shape, range(length), "control", "segment", segment)
    if how == "shared" or segment == 0:
        return base
    if how == "shuffle":
        return base[:, :, source.order(length, "control", "order", segment)]
    own = source.frames(shape, range(length), "control", "segment", segment)
    return math.sqrt(mix) * base + math.sqrt(1.0 - mix) * own
