# SPDX-License-Identifier: GPL-3.0-or-later
"""The image network: frames, half of them told their moment. It is the spatial expert; the others grow from it."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from .dataset import GREY_EVERY, Dataset
from .diffusion import image_scheduler, lean, noised, on_grid, velocity
from .loop import Draw, Stage
from .settings import LATENT_CHANNELS, Settings
from .tokens import encode, with_moments

HEAD_WIDTH = 16
DROP_CAPTION = 0.1
TELL_MOMENT = 0.5
GREY_SHARE = 0.06
GREY_FROM, GREY_TO = 350, 700


def head_width(settings: Settings) -> int:
    """One width for the attention heads of all levels, as UNet3D wants it."""
    return min(HEAD_WIDTH, *settings.unet_channels)


def build(settings: Settings) -> UNet2DConditionModel:
    attend = settings.unet_attention
    return UNet2DConditionModel(
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


def stage(
    unet: UNet2DConditionModel, text: CLIPTextModel, tokenizer: CLIPTokenizer, data: Dataset, settings: Settings
) -> Stage:
    alphas = image_scheduler().alphas_cumprod
    empty = encode(tokenizer, [""])
    batch = settings.image_batch

    def loss(draw: Draw, progress: float) -> Tensor:
        rng = draw.rng
        clip = rng.integers(len(data.latents), size=batch)
        frame = rng.integers(data.latents.shape[1], size=batch)
        x0 = torch.from_numpy(np.asarray(data.latents[clip, frame], np.float32))
        told = torch.from_numpy(rng.random(batch) < TELL_MOMENT)
        ids = with_moments(tokenizer, data.captions(clip, rng), torch.where(told, data.moments(clip, frame), -1))
        ids[torch.from_numpy(rng.random(batch) < DROP_CAPTION)] = empty
        t = torch.where(told, on_grid(rng, batch, 0.35), lean(rng, batch, 1.25))
        x = noised(x0, draw.normal(*x0.shape), alphas[t])
        x = _from_grey_box(x, t, clip, frame, data, draw, alphas)
        with torch.no_grad():
            states = text(input_ids=ids).last_hidden_state
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.autocast):
            v = unet(x, t, states).sample
        return ((v.float() - velocity(x0, x, alphas[t])) ** 2).mean()

    groups: list[dict[str, object]] = [{"params": list(unet.parameters()), "lr": 1.2e-3}]
    return Stage("image", unet, loss, groups)


def _from_grey_box(
    x: Tensor, t: Tensor, clip: np.ndarray, frame: np.ndarray, data: Dataset, draw: Draw, alphas: Tensor
) -> Tensor:
    """Some samples are noised grey boxes of the same frame, so that a viewport's frame leads to the prompted look."""
    fit = (clip % GREY_EVERY == 0) & (draw.rng.random(len(clip)) < GREY_SHARE * GREY_EVERY)
    rows = np.flatnonzero(fit & (t.numpy() >= GREY_FROM) & (t.numpy() < GREY_TO))
    if len(rows):
        grey = torch.from_numpy(np.asarray(data.grey[clip[rows] // GREY_EVERY, frame[rows]], np.float32))
        x[rows] = noised(grey, draw.normal(*grey.shape), alphas[t[rows]])
    return x
