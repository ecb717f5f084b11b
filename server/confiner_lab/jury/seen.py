# SPDX-License-Identifier: GPL-3.0-or-later
"""What a judge says of clips, in one form for every judge, and what both are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..scenery import CAMERAS, GROUNDS, MOTIONS, PERIOD, TIMES

CLIP_FRAMES = 16
MAX_THINGS = 2
ERRATIC = "erratic"
"""The answer of motion and camera for frames that follow from no path."""
ANSWERS = {
    "count": tuple(str(n) for n in range(MAX_THINGS + 1)),
    "ground": GROUNDS,
    "time": TIMES,
    "motion": (*MOTIONS, ERRATIC),
    "camera": (*CAMERAS, ERRATIC),
}
PER_FRAME, PER_CLIP = ("count", "ground", "time"), ("motion", "camera")


@dataclass(frozen=True)
class Seen:
    """`logits` [clips, frames, answers] of `PER_FRAME`, [clips, answers] of `PER_CLIP`.

    `areas` [clips, frames, colours, shapes] is the share of the picture that things of that colour and shape fill.
    """

    logits: dict[str, Tensor]
    areas: Tensor


def layer(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.GroupNorm(8, outputs), nn.SiLU()
    )


def phase(starts: Tensor) -> Tensor:
    """The moment of each clip's first frame as a point on a circle [clips, 2].

    Some words name the same frames at different moments: who recedes after two seconds had come closer before.
    """
    angle = starts.float() * (2 * math.pi / PERIOD)
    return torch.stack([angle.cos(), angle.sin()], 1)
