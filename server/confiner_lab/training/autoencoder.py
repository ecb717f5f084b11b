# SPDX-License-Identifier: GPL-3.0-or-later
"""The autoencoder that the three experts share: pictures to latents of four channels and a quarter of the side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor, nn

from ..scenery import boxes, random_clip, render_frame, scattered_clip
from .loop import Draw, Stage, device_of
from .muon import grouped
from .settings import LATENT_CHANNELS, Settings

SCALING = 0.18215
KL_WEIGHT = 1e-4
FLAW = 0.12
LOOKS = {"final": 0.76, "plain": 0.08, "grey": 0.08, "depth": 0.08}
SCATTERED = 0.5
CROP = 64
NEAR_A_THING = 0.7


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
        sample_size=settings.wide[0],
        scaling_factor=SCALING,
    )


@dataclass(frozen=True)
class Pool:
    """Single frames of all looks, uint8 [n, 3, height, width], and the column of a thing in each."""

    frames: Tensor
    columns: NDArray[np.int64]

    def crops(self, rng: np.random.Generator, count: int) -> Tensor:
        """Pieces of full height and `CROP` width, most of them about a thing, in [-1, 1]."""
        rows = rng.integers(len(self.frames), size=count)
        room = self.frames.shape[-1] - CROP
        random = rng.integers(room + 1, size=count)
        about = np.clip(self.columns[rows] - rng.integers(CROP, size=count), 0, room)
        left = np.where(rng.random(count) < NEAR_A_THING, about, random)
        pieces = [self.frames[row, :, :, at : at + CROP] for row, at in zip(rows.tolist(), left.tolist(), strict=True)]
        return to_signal(torch.stack(pieces))


def pool(settings: Settings) -> Pool:
    rng = np.random.Generator(np.random.Philox(settings.seed + 1000))
    names, weights = list(LOOKS), list(LOOKS.values())
    frames, columns = [], []
    for _ in range(settings.vae_pool):
        look = str(rng.choice(names, p=weights))
        draw = scattered_clip if rng.random() < SCATTERED else random_clip
        clip = draw(rng, look=look, size=settings.wide)
        frames.append(render_frame(clip, 0))
        found = boxes(clip, 0)
        box = found[int(rng.integers(len(found)))] if found else None
        middle = 0.0 if box is None else (box.left + box.right) / 2
        columns.append(round(float(np.clip((middle / clip.aspect + 1) / 2, 0, 1)) * settings.wide[0]))
    stacked = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).contiguous()
    return Pool(stacked, np.array(columns))


def to_signal(frames: Tensor | NDArray[np.uint8]) -> Tensor:
    """uint8 [..., 3, h, w] to [-1, 1]."""
    return torch.as_tensor(frames).float() / 127.5 - 1


def edges(x: Tensor) -> Tensor:
    """How much a pixel differs from its neighbours [n, 1, h, w]: where a picture is judged."""
    across = nn.functional.pad((x[..., :, 1:] - x[..., :, :-1]).abs(), (0, 1, 0, 0))
    down = nn.functional.pad((x[..., 1:, :] - x[..., :-1, :]).abs(), (0, 0, 0, 1))
    strength = (across + down).mean(1, keepdim=True)
    return nn.functional.max_pool2d(strength, 3, 1, 1)


def stage(vae: AutoencoderKL, settings: Settings, frames: Pool) -> Stage:
    def loss(draw: Draw, progress: float) -> Tensor:
        x = frames.crops(draw.rng, settings.vae_batch).to(device_of(vae))
        posterior = vae.encode(x).latent_dist
        mean, logvar = posterior.mean, posterior.logvar
        z = mean + (0.5 * logvar).exp() * draw.normal(*mean.shape).to(x.device)
        kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
        return _difference(vae.decode(z).sample, x) + KL_WEIGHT * kl

    return Stage("vae", vae, loss, grouped(vae.parameters(), 2e-3), finish=lambda: normalize(vae, frames))


def decoder_stage(vae: AutoencoderKL, settings: Settings, frames: Pool) -> Stage:
    """The decoder goes on alone, from latents as imperfect as the experts make them; the encoder made the data."""

    def loss(draw: Draw, progress: float) -> Tensor:
        x = frames.crops(draw.rng, settings.vae_batch).to(device_of(vae))
        with torch.no_grad():
            z = vae.encode(x).latent_dist.mean
        uneven = torch.from_numpy(draw.rng.random((len(z), 1, 1, 1), np.float32))
        z = z + (FLAW / SCALING * uneven * draw.normal(*z.shape)).to(x.device)
        return _difference(vae.decode(z).sample, x)

    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)
    parts = (vae.decoder.requires_grad_(True), vae.post_quant_conv.requires_grad_(True))
    return Stage("decoder", vae, loss, grouped((p for part in parts for p in part.parameters()), 1e-3))


def _difference(y: Tensor, x: Tensor) -> Tensor:
    """Squared where there are edges, plain elsewhere, and of the second differences: those make the sharpness."""
    across = (y - x).diff(n=2, dim=-1).abs().mean()
    down = (y - x).diff(n=2, dim=-2).abs().mean()
    return ((y - x) ** 2 * (1 + 6 * edges(x))).mean() + 0.02 * (y - x).abs().mean() + 0.02 * (across + down)


@torch.no_grad()
def normalize(vae: AutoencoderKL, frames: Pool) -> None:
    """Fold into `quant_conv` and `post_quant_conv` what gives scaled latents zero mean and unit variance. Lossless."""
    z = torch.cat([vae.encode(to_signal(part)).latent_dist.mean for part in frames.frames[:1024].split(32)])
    mean = z.mean((0, 2, 3))
    gain = 1 / (SCALING * z.std((0, 2, 3)))
    quant, post = vae.quant_conv, vae.post_quant_conv
    channels = LATENT_CHANNELS
    quant.weight[:channels] *= gain[:, None, None, None]
    quant.bias[:channels] = (quant.bias[:channels] - mean) * gain
    quant.bias[channels:] += 2 * gain.abs().log()
    post.bias += (post.weight[:, :, 0, 0] * mean).sum(1)
    post.weight /= gain[None, :, None, None]
