# SPDX-License-Identifier: GPL-3.0-or-later
"""The image networks: the spatial expert, and what the control and the temporal expert grow from, each its own.

They see different things. The spatial expert is the largest and reads single frames alone: of clips, with things
scattered about, many of them small, and over grey boxes. The control expert's beginning ("sketch") is about a fifth
of its work and reads softened frames, always told their moment. The temporal expert's ("frame") lies between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor

from .diffusion import STEPS, image_scheduler, lean, noised, on_grid, soften, temporal_scheduler, velocity
from .loop import Draw, Stage, device_of
from .muon import grouped
from .reading import Reader, Shown, joined
from .settings import LATENT_CHANNELS, Settings

HEAD_WIDTH, NARROW_HEADS = 16, 8
"""UNet3D's first attention over time has eight heads whatever its channels, so narrow ones make it half as dear."""
BOX_FROM, BOX_TO = 250, 750
CROWD_TOP = 800
"""A caption names a crowd in part, so at the noisiest timesteps, where captions decide, crowds are not shown."""


@dataclass(frozen=True)
class Diet:
    """Shares of a batch. What is left are frames of clips, `told` of which come with their moment."""

    told: float
    scattered: float = 0.0
    boxes: float = 0.0
    scattered_boxes: float = 0.0
    between: float = 0.0
    softness: float = 0.0

    def draw(self, reader: Reader, rng: np.random.Generator, count: int) -> Shown:
        data = reader.shapes.pick(rng)
        named = {
            "scattered": round(count * self.scattered),
            "boxes": round(count * self.boxes),
            "scattered_boxes": round(count * self.scattered_boxes),
            "between": round(count * self.between),
        }
        parts = [reader.frames(data, rng, count - sum(named.values()), told=self.told)]
        if named["scattered"]:
            parts.append(reader.scattered(data, rng, named["scattered"]))
        if named["boxes"]:
            parts.append(reader.frames(data, rng, named["boxes"], told=self.told, boxed=True))
        if named["scattered_boxes"]:
            parts.append(reader.scattered(data, rng, named["scattered_boxes"], boxed=True))
        if named["between"]:
            parts.append(reader.between(data, rng, named["between"], told=self.told))
        return joined(parts)


SPATIAL = Diet(told=0.5, scattered=0.25, boxes=0.08, scattered_boxes=0.08, between=0.06)
SKETCH = Diet(told=1.0, boxes=0.06, between=0.08, softness=0.5)
FRAME = Diet(told=0.5, scattered=0.08, boxes=0.08, between=0.08, softness=0.25)


def build(settings: Settings, channels: tuple[int, ...], *, head_width: int = HEAD_WIDTH) -> UNet2DConditionModel:
    """A network of such channels; no head is wider than a level."""
    attend = settings.attention
    unet = UNet2DConditionModel(
        sample_size=(settings.wide[1] // 4, settings.wide[0] // 4),
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=channels,
        layers_per_block=1,
        down_block_types=tuple("CrossAttnDownBlock2D" if a else "DownBlock2D" for a in attend),
        up_block_types=tuple("CrossAttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attend)),
        cross_attention_dim=settings.text_width,
        attention_head_dim=tuple(max(1, c // head_width) for c in channels),
        norm_num_groups=settings.norm_groups,
        use_linear_projection=True,
    )
    unet.set_attn_processor(AttnProcessor())
    return unet


def spatial_stage(unet: UNet2DConditionModel, reader: Reader) -> Stage:
    """The whole noise range, rather its lower half, where detail is."""

    def timesteps(rng: np.random.Generator, count: int) -> Tensor:
        return torch.where(torch.from_numpy(rng.random(count) < 0.2), on_grid(rng, count, 1.0), lean(rng, count, 1.15))

    loss = _loss(unet, reader, SPATIAL, timesteps, image_scheduler().alphas_cumprod, reader.settings.spatial_batch)
    return Stage("spatial", unet, loss, grouped(unet.parameters(), 1.5e-3))


def sketch_stage(unet: UNet2DConditionModel, reader: Reader) -> Stage:
    """Where few-step samplers go."""

    def timesteps(rng: np.random.Generator, count: int) -> Tensor:
        return on_grid(rng, count, 0.5)

    loss = _loss(unet, reader, SKETCH, timesteps, image_scheduler().alphas_cumprod, reader.settings.sketch_batch)
    return Stage("sketch", unet, loss, grouped(unet.parameters(), 2e-3))


def frame_stage(unet: UNet2DConditionModel, reader: Reader) -> Stage:
    """On the temporal expert's own schedule."""

    def timesteps(rng: np.random.Generator, count: int) -> Tensor:
        return lean(rng, count, 0.9)

    loss = _loss(unet, reader, FRAME, timesteps, temporal_scheduler().alphas_cumprod, reader.settings.sketch_batch)
    return Stage("frame", unet, loss, grouped(unet.parameters(), 1.5e-3))


def _loss(
    unet: UNet2DConditionModel,
    reader: Reader,
    diet: Diet,
    timesteps: Callable[[np.random.Generator, int], Tensor],
    alphas: Tensor,
    batch: int,
) -> Callable[[Draw, float], Tensor]:
    def loss(draw: Draw, progress: float) -> Tensor:
        shown = diet.draw(reader, draw.rng, batch)
        t = restricted(timesteps(draw.rng, batch), shown, draw.rng)
        x0 = soften(shown.x0[:, :, None], diet.softness)[:, :, 0] if diet.softness else shown.x0
        source = shown.source if shown.boxed.any() else x0
        source = torch.where(torch.from_numpy(shown.boxed).view(-1, 1, 1, 1), source, x0)
        x = noised(source, draw.normal(*x0.shape), alphas[t])
        device = device_of(unet)
        v = unet(x.to(device), t.to(device), shown.states.to(device)).sample
        return ((v - velocity(x0, x, alphas[t]).to(device)) ** 2).mean()

    return loss


def restricted(t: Tensor, shown: Shown, rng: np.random.Generator) -> Tensor:
    """Boxes are noised as much as it takes to leave their look and keep their place; crowds never wholly."""
    middle = torch.from_numpy(rng.integers(BOX_FROM, BOX_TO, size=len(t)))
    lower = (t * CROWD_TOP) // STEPS
    t = torch.where(torch.from_numpy(shown.crowd), lower.clamp(min=1), t)
    return torch.where(torch.from_numpy(shown.boxed), middle, t)
