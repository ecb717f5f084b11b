# SPDX-License-Identifier: GPL-3.0-or-later
"""Noise schedules of the three experts and the v-prediction loss.

ā is the cumulated signal's variance; a noised latent is √ā·x0 + √(1-ā)·ε, and v = √ā·ε - √(1-ā)·x0.
"""

from __future__ import annotations

import numpy as np
import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn

STEPS = 1000
# The eight-step grid of trailing samplers; the four-step grid is every second of it.
TRAILING = tuple(range(STEPS - 1, 0, -STEPS // 8))


def image_scheduler() -> DDIMScheduler:
    """Of the spatial and the control expert: Stable Diffusion's betas, rescaled to no signal at the last timestep."""
    return DDIMScheduler(
        num_train_timesteps=STEPS,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
    )


def temporal_scheduler() -> DDIMScheduler:
    """Of the temporal expert: another schedule than the spatial one's, as LaVie's is."""
    return DDIMScheduler(
        num_train_timesteps=STEPS,
        beta_start=1e-4,
        beta_end=0.02,
        beta_schedule="linear",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
    )


def noised(x0: Tensor, noise: Tensor, alphas: Tensor) -> Tensor:
    """`alphas` [batch] are ā at each sample's timestep."""
    a = alphas.view(-1, *[1] * (x0.ndim - 1))
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


def velocity(x0: Tensor, x: Tensor, alphas: Tensor) -> Tensor:
    """The v that makes x0 out of x, whatever x was made from: (√ā·x - x0) / √(1-ā)."""
    a = alphas.view(-1, *[1] * (x0.ndim - 1))
    return (a.sqrt() * x - x0) / (1 - a).sqrt()


def lean(rng: np.random.Generator, size: int, power: float, top: int = STEPS) -> Tensor:
    """Timesteps in [1, top): powers over 1 favour little noise, under 1 much."""
    return torch.from_numpy((rng.random(size) ** power * (top - 1)).astype(np.int64) + 1).clamp(max=top - 1)


def on_grid(rng: np.random.Generator, size: int, share: float) -> Tensor:
    """Uniform timesteps, but with chance `share` one of the trailing grid's, where few-step samplers go."""
    uniform = torch.from_numpy(rng.integers(1, STEPS, size=size))
    grid = torch.tensor(TRAILING)[torch.from_numpy(rng.integers(len(TRAILING), size=size))]
    return torch.where(torch.from_numpy(rng.random(size) < share), grid, uniform)


def soften(clips: Tensor, strength: float) -> Tensor:
    """Mix clips [batch, channels, frames, h, w] with themselves after one binomial blur over height and width."""
    b, c, f, h, w = clips.shape
    flat = nn.functional.pad(clips.transpose(1, 2).reshape(b * f, c, h, w), (1, 1, 1, 1), mode="replicate")
    row = torch.tensor([0.25, 0.5, 0.25])
    kernel = (row[:, None] * row[None, :]).expand(c, 1, 3, 3)
    blurred = nn.functional.conv2d(flat, kernel, groups=c).view(b, f, c, h, w).transpose(1, 2)
    return clips + strength * (blurred - clips)
