# SPDX-License-Identifier: GPL-3.0-or-later
"""The second judge: a transformer over patches, which asks every frame for its leftmost and its rightmost thing."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..scenery import COLOURS, SHAPES
from .seen import ANSWERS, CLIP_FRAMES, MAX_THINGS, PER_CLIP, PER_FRAME, Seen, phase

PATCH = 8
WIDTH = 80
SLOT = 1 + 1 + len(COLOURS) + len(SHAPES)
"""Logits of one question: there or not, the logarithm of its area's share, colour, shape."""


class Asker(nn.Module):
    """Any picture size of which both sides divide by 8; clips of 16 frames."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 32, 4, 4), nn.GELU(), nn.Conv2d(32, WIDTH, 2, 2), nn.GELU(), nn.Conv2d(WIDTH, WIDTH, 1)
        )
        self.where = nn.Sequential(nn.Linear(2, 64), nn.GELU(), nn.Linear(64, WIDTH))
        self.questions = nn.Parameter(torch.randn(1 + MAX_THINGS, WIDTH) * 0.02)
        self.still = nn.TransformerEncoder(_block(), 4, enable_nested_tensor=False)
        self.slot = nn.Linear(WIDTH, SLOT)
        self.frame_heads = nn.ModuleDict({name: nn.Linear(WIDTH, len(ANSWERS[name])) for name in PER_FRAME})
        self.when = nn.Parameter(torch.randn(CLIP_FRAMES, 1, WIDTH) * 0.02)
        self.start = nn.Linear(2, WIDTH)
        self.moving = nn.TransformerEncoder(_block(), 2, enable_nested_tensor=False)
        self.clip_heads = nn.ModuleDict({name: nn.Linear(WIDTH, len(ANSWERS[name])) for name in PER_CLIP})

    def forward(self, clips: Tensor, starts: Tensor) -> tuple[Seen, Tensor]:
        """What is seen of clips [clips, 16, 3, height, width], and the answers [clips, 16, things, `SLOT`]."""
        batch, frames = clips.shape[:2]
        features = self.stem(clips.flatten(0, 1) * 2 - 1)
        tokens = features.flatten(2).transpose(1, 2) + self.where(_grid(*features.shape[-2:]))
        asked = self.questions.expand(len(tokens), -1, -1)
        asked = self.still(torch.cat([asked, tokens], 1))[:, : 1 + MAX_THINGS].unflatten(0, (batch, frames))
        logits = {name: head(asked[:, :, 0]) for name, head in self.frame_heads.items()}
        slots = self.slot(asked[:, :, 1:])
        story = (asked + self.when).flatten(1, 2)
        story = self.moving(torch.cat([self.start(phase(starts))[:, None], story], 1))[:, 0]
        logits |= {name: head(story) for name, head in self.clip_heads.items()}
        return Seen(logits, _areas(slots)), slots


def split(slots: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Logits of there, log area, colour and shape."""
    there, area, colour, shape = slots.split([1, 1, len(COLOURS), len(SHAPES)], -1)
    return there.squeeze(-1), area.squeeze(-1), colour, shape


def _areas(slots: Tensor) -> Tensor:
    there, area, colour, shape = split(slots)
    share = there.sigmoid() * area.clamp(-9, 0).exp()
    return torch.einsum("bft,bftc,bfts->bfcs", share, colour.softmax(-1), shape.softmax(-1))


def _grid(rows: int, columns: int) -> Tensor:
    """Middles of the patches in half picture heights [rows · columns, 2]."""
    y = (torch.arange(rows) + 0.5) * 2 / rows - 1
    x = (torch.arange(columns) + 0.5) * 2 / rows - columns / rows
    return torch.stack(torch.meshgrid(y, x, indexing="ij"), -1).flatten(0, 1)


def _block() -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(
        WIDTH, 5, 2 * WIDTH, dropout=0.0, activation=F.gelu, batch_first=True, norm_first=True
    )
