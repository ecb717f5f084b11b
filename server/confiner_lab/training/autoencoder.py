# SPDX-License-Identifier: GPL-3.0-or-later
"""The autoencoder that the three experts share: 64x64 pixels to 16x16 latents of four channels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor, nn

from ..world import random_clip, render_frame
from .loop import Draw, Stage
from .settings import LATENT_CHANNELS, Settings

SCALING = 0.18215
KL_WEIGHT = 1e-4
FLAW = 0.12
LOOKS = {"final": 0.72, "plain": 0.14, "grey": 0.14}


def build(settings: Settings) -> AutoencoderKL:
    levels = len(settings.vae_channels)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=settings.vae_channels,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=settings.norm_groups,
        mid_block_add_attention=False,
        sample_size=64,
        scaling_factor=SCALING,
    )


def pool(settings: Settings) -> Tensor:
    """Single frames of all looks, uint8 [n, 3, 64, 64]."""
    rng = np.random.Generator(np.random.Philox(settings.seed + 1000))
    names, weights = list(LOOKS), list(LOOKS.values())
    frames = []
    for _ in range(settings.vae_pool):
        clip = random_clip(rng, look=str(rng.choice(names, p=weights)))
        frames.append(render_frame(replace(clip, start=0), int(rng.integers(32))))
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).contiguous()


def to_signal(frames: Tensor | NDArray[np.uint8]) -> Tensor:
    """uint8 [..., 3, h, w] to [-1, 1]."""
    return torch.as_tensor(frames).float() / 127.5 - 1


def edges(x: Tensor) -> Tensor:
    """How much a pixel differs from its neighbours [n, 1, h, w]: where a picture is judged."""
    across = nn.functional.pad((x[..., :, 1:] - x[..., :, :-1]).abs(), (0, 1, 0, 0))
    down = nn.functional.pad((x[..., 1:, :] - x[..., :-1, :]).abs(), (0, 0, 0, 1))
    strength = (across + down).mean(1, keepdim=True)
    return nn.functional.max_pool2d(strength, 3, 1, 1)


def stage(vae: AutoencoderKL, settings: Settings, frames: Tensor) -> Stage:
    def loss(draw: Draw, progress: float) -> Tensor:
        x = to_signal(frames[torch.from_numpy(draw.rng.integers(len(frames), size=settings.vae_batch))])
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.autocast):
            posterior = vae.encode(x).latent_dist
            mean, logvar = posterior.mean.float(), posterior.logvar.float()
            z = mean + (0.5 * logvar).exp() * draw.normal(*mean.shape)
            y = vae.decode(z).sample
        kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
        return _difference(y.float(), x) + KL_WEIGHT * kl

    groups: list[dict[str, object]] = [{"params": list(vae.parameters()), "lr": 2e-3}]
    return Stage("vae", vae, loss, groups, finish=lambda: normalize(vae, frames))


def decoder_stage(vae: AutoencoderKL, settings: Settings, frames: Tensor) -> Stage:
    """The decoder goes on alone, from latents as imperfect as the experts make them; the encoder made the data."""

    def loss(draw: Draw, progress: float) -> Tensor:
        x = to_signal(frames[torch.from_numpy(draw.rng.integers(len(frames), size=settings.vae_batch))])
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.autocast):
            with torch.no_grad():
                z = vae.encode(x).latent_dist.mean.float()
            z = z + FLAW / SCALING * torch.from_numpy(draw.rng.random((len(z), 1, 1, 1), np.float32)) * draw.normal(
                *z.shape
            )
            y = vae.decode(z).sample
        return _difference(y.float(), x)

    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)
    parts = (vae.decoder.requires_grad_(True), vae.post_quant_conv.requires_grad_(True))
    groups: list[dict[str, object]] = [{"params": [p for part in parts for p in part.parameters()], "lr": 1e-3}]
    return Stage("decoder", vae, loss, groups)


def _difference(y: Tensor, x: Tensor) -> Tensor:
    return ((y - x) ** 2 * (1 + 6 * edges(x))).mean() + 0.02 * (y - x).abs().mean()


@torch.no_grad()
def normalize(vae: AutoencoderKL, frames: Tensor) -> None:
    """Fold into `quant_conv` and `post_quant_conv` what gives scaled latents zero mean and unit variance. Lossless."""
    z = torch.cat([vae.encode(to_signal(part)).latent_dist.mean for part in frames[:2048].split(64)])
    mean = z.mean((0, 2, 3))
    gain = 1 / (SCALING * z.std((0, 2, 3)))
    quant, post = vae.quant_conv, vae.post_quant_conv
    channels = LATENT_CHANNELS
    quant.weight[:channels] *= gain[:, None, None, None]
    quant.bias[:channels] = (quant.bias[:channels] - mean) * gain
    quant.bias[channels:] += 2 * gain.abs().log()
    post.bias += (post.weight[:, :, 0, 0] * mean).sum(1)
    post.weight /= gain[None, :, None, None]
