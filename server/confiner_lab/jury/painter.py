# SPDX-License-Identifier: GPL-3.0-or-later
"""The first judge: a convolutional network that paints over every frame where things are, and of what kind."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..scenery import COLOURS, SHAPES
from .seen import ANSWERS, PER_CLIP, PER_FRAME, Seen, layer, phase

CELL = 4
"""Side in pixels of the squares that are painted."""


class Painter(nn.Module):
    """Any picture size of which both sides divide by 4; clips of 16 frames."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(layer(3, 24, 5, 2), layer(24, 40, 3, 2), layer(40, 48))
        self.middle = nn.Sequential(layer(48, 64, 3, 2), layer(64, 64))
        self.coarse = nn.Sequential(layer(64, 96, 3, 2), layer(96, 96))
        self.up = nn.Sequential(layer(64 + 96, 64), layer(64, 48))
        self.paint = nn.Sequential(layer(48 + 48, 64), nn.Conv2d(64, 1 + len(COLOURS) + len(SHAPES), 1))
        self.frame_heads = nn.ModuleDict({name: nn.Linear(2 * 96 + 2 * 64, len(ANSWERS[name])) for name in PER_FRAME})
        self.squeeze = nn.Conv2d(64 + 1, 32, 1)
        self.moving = nn.Sequential(_over_time(32, 64), _over_time(64, 64))
        self.mix = nn.Sequential(nn.Linear(64 * 4 * 2 + 2, 96), nn.SiLU(), nn.Dropout(0.1))
        self.clip_heads = nn.ModuleDict({name: nn.Linear(96, len(ANSWERS[name])) for name in PER_CLIP})

    def paintings(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of frames [n, 3, height, width] in 0…1: logits [n, 1 + colours + shapes, cells, cells], and features."""
        fine = self.fine(frames * 2 - 1)
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        wide = self.up(torch.cat([middle, F.interpolate(coarse, middle.shape[-2:])], 1))
        paint = self.paint(torch.cat([fine, F.interpolate(wide, fine.shape[-2:])], 1))
        return paint, middle, coarse

    def forward(self, clips: Tensor, starts: Tensor) -> tuple[Seen, Tensor]:
        """What is seen of clips [clips, 16, 3, height, width], and the painting [clips, 16, layers, cells, cells]."""
        batch = len(clips)
        paint, middle, coarse = self.paintings(clips.flatten(0, 1))
        pooled = torch.cat([_pool(coarse), _pool(middle)], 1).unflatten(0, (batch, -1))
        there = F.avg_pool2d(paint[:, :1].sigmoid(), 2, ceil_mode=True)
        features = self.squeeze(torch.cat([middle, there], 1)).unflatten(0, (batch, -1)).transpose(1, 2)
        moving = self.moving(features).transpose(1, 2)
        mixed = self.mix(
            torch.cat([_pool(moving.flatten(0, 1)).unflatten(0, (batch, -1)).flatten(1), phase(starts)], 1)
        )
        logits = {name: head(pooled) for name, head in self.frame_heads.items()}
        logits |= {name: head(mixed) for name, head in self.clip_heads.items()}
        return Seen(logits, _areas(paint).unflatten(0, (batch, -1))), paint.unflatten(0, (batch, -1))


def split(paint: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits of there, colour and shape, along the last axis but two."""
    there, colour, shape = paint.split([1, len(COLOURS), len(SHAPES)], -3)
    return there.squeeze(-3), colour, shape


def _areas(paint: Tensor) -> Tensor:
    there, colour, shape = split(paint)
    cells = there.shape[-2] * there.shape[-1]
    return torch.einsum("nhw,nchw,nshw->ncs", there.sigmoid(), colour.softmax(1), shape.softmax(1)) / cells


def _over_time(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv3d(inputs, outputs, 3, (2, 1, 1), 1, bias=False), nn.GroupNorm(8, outputs), nn.SiLU())


def _pool(features: Tensor) -> Tensor:
    """Mean and maximum over the picture [n, 2 · channels]."""
    return torch.cat([features.mean((-2, -1)), features.amax((-2, -1))], 1)
