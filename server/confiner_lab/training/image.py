# SPDX-License-Identifier: GPL-3.0-or-later
"""The image network: frames, half of them told their moment. All three experts grow from it.

The spatial expert is the image network after a time without moments, without words on motion and camera, and without
the noisiest steps: a painter with no notion of time. So no place is likelier than another to it, and it paints what a
noised grey box shows where it shows it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from .dataset import GREY_EVERY, Shapes
from .diffusion import image_scheduler, lean, noised, on_grid, velocity
from .loop import Draw, Stage
from .settings import LATENT_CHANNELS, Settings
from .tokens import encode, with_moments

HEAD_WIDTH = 16
DROP_CAPTION = 0.1
TELL_MOMENT = 0.5
GREY_SHARE = 0.06
SPATIAL_GREY_SHARE = 0.4
SPATIAL_TOP = 750
GREY_FROM, GREY_TO = 250, 700


def head_width(settings: Settings) -> int:
    """One width for the attention heads of all levels, as UNet3D wants it."""
    return min(HEAD_WIDTH, *settings.unet_channels)


def build(settings: Settings) -> UNet2DConditionModel:
    attend = settings.unet_attention
    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=settings.unet_channels,
        layers_per_block=1,
        down_block_types=tuple("CrossAttnDownBlock2D" if a else "DownBlock2D" for a in attend),
        up_block_types=tuple("CrossAttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attend)),
        cross_attention_dim=settings.text_width,
        attention_head_dim=tuple(channels // head_width(settings) for channels in settings.unet_channels),
        norm_num_groups=settings.norm_groups,
        use_linear_projection=True,
    )
    unet.set_attn_processor(AttnProcessor())
    return unet


def image_stage(
    unet: UNet2DConditionModel, text: CLIPTextModel, tokenizer: CLIPTokenizer, shapes: Shapes, settings: Settings
) -> Stage:
    """Frames told their moment at the few-step samplers' timesteps too, the others rather at little noise."""

    def timesteps(rng: np.random.Generator, told: Tensor) -> Tensor:
        return torch.where(told, on_grid(rng, len(told), 0.35), lean(rng, len(told), 1.25))

    loss = _loss(unet, text, tokenizer, shapes, settings, timesteps)
    return Stage("image", unet, loss, [{"params": list(unet.parameters()), "lr": 1.2e-3}])


def spatial_stage(
    unet: UNet2DConditionModel, text: CLIPTextModel, tokenizer: CLIPTokenizer, shapes: Shapes, settings: Settings
) -> Stage:
    """Goes on from a trained image network, where refinement works."""

    def timesteps(rng: np.random.Generator, told: Tensor) -> Tensor:
        return lean(rng, len(told), 1.0, SPATIAL_TOP)

    loss = _loss(unet, text, tokenizer, shapes, settings, timesteps, timeless=True)
    return Stage("spatial", unet, loss, [{"params": list(unet.parameters()), "lr": 6e-4}])


def _loss(
    unet: UNet2DConditionModel,
    text: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    shapes: Shapes,
    settings: Settings,
    timesteps: Callable[[np.random.Generator, Tensor], Tensor],
    *,
    timeless: bool = False,
) -> Callable[[Draw, float], Tensor]:
    alphas = image_scheduler().alphas_cumprod
    empty = encode(tokenizer, [""])
    batch = settings.image_batch
    boxes = slice(round(batch * (SPATIAL_GREY_SHARE if timeless else GREY_SHARE)))

    def loss(draw: Draw, progress: float) -> Tensor:
        rng = draw.rng
        data = shapes.pick(rng)
        clip = rng.integers(len(data.latents), size=batch)
        clip[boxes] -= clip[boxes] % GREY_EVERY
        frame = rng.integers(data.latents.shape[1], size=batch)
        x0 = torch.from_numpy(np.asarray(data.latents[clip, frame], np.float32))
        told = torch.from_numpy(rng.random(batch) < (0.0 if timeless else TELL_MOMENT))
        ids = with_moments(
            tokenizer, data.captions(clip, rng, timeless=timeless), torch.where(told, data.moments(clip, frame), -1)
        )
        ids[torch.from_numpy(rng.random(batch) < DROP_CAPTION)] = empty
        t = timesteps(rng, told)
        # Some samples are noised grey boxes of the same frame, so that a viewport's frame leads to the prompted look.
        t[boxes] = torch.from_numpy(rng.integers(GREY_FROM, GREY_TO, size=len(t[boxes])))
        source = x0.clone()
        source[boxes] = torch.from_numpy(np.asarray(data.grey[clip[boxes] // GREY_EVERY, frame[boxes]], np.float32))
        x = noised(source, draw.normal(*x0.shape), alphas[t])
        with torch.no_grad():
            states = text(input_ids=ids).last_hidden_state
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.autocast):
            v = unet(x, t, states).sample
        return ((v.float() - velocity(x0, x, alphas[t])) ** 2).mean()

    return loss
