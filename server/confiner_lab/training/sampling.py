# SPDX-License-Identifier: GPL-3.0-or-later
"""Each expert alone, from pure noise: deterministic DDIM on trailing timesteps."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .diffusion import STEPS

Velocity = Callable[[Tensor, Tensor], Tensor]
"""From noised latents and a timestep [1] to v."""


def trailing(steps: int) -> list[int]:
    """`steps` timesteps from the last one down, evenly spaced."""
    return [round(STEPS - k * STEPS / steps) - 1 for k in range(steps)]


def sample(predict: Velocity, noise: Tensor, alphas: Tensor, steps: int) -> Tensor:
    """Latents from `noise` in `steps` evaluations; `alphas` are ā of every timestep."""
    x = noise
    times = trailing(steps)
    for t, after in zip(times, [*times[1:], None], strict=True):
        a = alphas[t]
        b = alphas[after] if after is not None else torch.ones(())
        v = predict(x, torch.tensor([t]))
        x0 = a.sqrt() * x - (1 - a).sqrt() * v
        noise = a.sqrt() * v + (1 - a).sqrt() * x
        x = b.sqrt() * x0 + (1 - b).sqrt() * noise
    return x


def guided(
    predict: Callable[[Tensor, Tensor, Tensor], Tensor], states: Tensor, empty: Tensor, scale: float
) -> Velocity:
    """Classifier-free guidance by `scale`; 1 is none."""

    def velocity(x: Tensor, t: Tensor) -> Tensor:
        v = predict(x, t, states)
        if scale == 1:
            return v
        blind = predict(x, t, empty)
        return blind + scale * (v - blind)

    return velocity
