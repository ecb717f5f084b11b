# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews: a linear map from latents to colours, cheap enough for every step.

The map is fitted once per autoencoder, by least squares on a card of coloured patches that is encoded.
"""

from __future__ import annotations

import numpy as np
import torch

from .latents import LatentSpace, Pictures

PATCHES = 8


def fit_preview(space: LatentSpace) -> torch.Tensor:
    """The map `[channels + 1, 3]` from latents and a constant to colours in 0 … 255."""
    patch = 2 * space.factor
    random = np.random.Generator(np.random.Philox(key=0))
    colours = random.integers(0, 256, (PATCHES, PATCHES, 3), dtype=np.uint8)
    card = colours.repeat(patch, axis=0).repeat(patch, axis=1)
    latents = space.encode(card[None])[0, :, 0].cpu().double()
    pixels = colours.repeat(2, axis=0).repeat(2, axis=1).reshape(-1, 3)
    inputs = _with_constant(latents)
    return torch.linalg.lstsq(inputs, torch.from_numpy(pixels).double(), driver="gelsd").solution


def preview(latents: torch.Tensor, fitted: torch.Tensor) -> Pictures:
    """One frame's clean latents `[channels, h, w]` as a picture, uint8 `[h, w, 3]`."""
    colours = _with_constant(latents.cpu().double()) @ fitted
    pictures: Pictures = colours.round().clamp(0, 255).to(torch.uint8).reshape(*latents.shape[1:], 3).numpy()
    return pictures


def _with_constant(latents: torch.Tensor) -> torch.Tensor:
    points = latents.flatten(1).T
    return torch.cat([points, torch.ones(len(points), 1, dtype=points.dtype)], dim=1)
