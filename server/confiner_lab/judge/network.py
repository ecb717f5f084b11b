# SPDX-License-Identifier: GPL-3.0-or-later
"""One small convolutional network with two heads: what each frame shows, and what happens over a clip."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..world import ATTRIBUTES, PERIOD

FRAME_ATTRIBUTES = ("colour", "shape", "ground", "time")
CLIP_ATTRIBUTES = ("motion", "camera")
CLIP_FRAMES = 16


class Judge(nn.Module):
    """Logits for every attribute, from any picture size of which both sides divide by 8.

    Some words name the same frames at different moments (who recedes after two seconds had come closer before), so
    the clip's head is told the moment of the first frame.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(_layer(3, 24, 5, 2), _layer(24, 40, 3, 2), _layer(40, 64, 3, 2))
        self.still = nn.Sequential(_layer(64, 64, 3, 1), _layer(64, 96, 3, 2))
        self.frame_heads = nn.ModuleDict({name: nn.Linear(192, len(ATTRIBUTES[name])) for name in FRAME_ATTRIBUTES})
        self.squeeze = nn.Conv2d(64, 32, 1)
        self.moving = nn.Sequential(_time_layer(32, 64), _time_layer(64, 64))
        self.mix = nn.Sequential(nn.Linear(64 * 4 * 2 + 2, 96), nn.SiLU(), nn.Dropout(0.1))
        self.clip_heads = nn.ModuleDict({name: nn.Linear(96, len(ATTRIBUTES[name])) for name in CLIP_ATTRIBUTES})

    def forward(self, clips: Tensor, starts: Tensor) -> dict[str, Tensor]:
        """Logits [clips, frames, values] for frame attributes and [clips, values] for clip attributes.

        Args:
            clips: [clips, 16, 3, height, width] in 0…1.
            starts: moment of each clip's first frame [clips].
        """
        batch, frames = clips.shape[:2]
        features = self.trunk(clips.flatten(0, 1) * 2 - 1)
        still = _pool(self.still(features)).unflatten(0, (batch, frames))
        features = self.squeeze(features).unflatten(0, (batch, frames)).transpose(1, 2)
        moving = self.moving(features).transpose(1, 2)
        moving = _pool(moving.flatten(0, 1)).unflatten(0, (batch, -1)).flatten(1)
        angle = starts.to(moving.dtype) * (2 * math.pi / PERIOD)
        mixed = self.mix(torch.cat([moving, angle.cos()[:, None], angle.sin()[:, None]], 1))
        logits: dict[str, Tensor] = {name: head(still) for name, head in self.frame_heads.items()}
        logits |= {name: head(mixed) for name, head in self.clip_heads.items()}
        return logits


def _layer(inputs: int, outputs: int, size: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.GroupNorm(8, outputs), nn.SiLU()
    )


def _time_layer(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv3d(inputs, outputs, 3, (2, 1, 1), 1, bias=False), nn.GroupNorm(8, outputs), nn.SiLU())


def _pool(features: Tensor) -> Tensor:
    """Mean and maximum over the picture [n, 2 · channels]."""
    return torch.cat([features.mean((-2, -1)), features.amax((-2, -1))], 1)
