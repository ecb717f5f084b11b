# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews, cheap enough for every step: a small decoder where its weights are there, else a linear map to colours.

The map is fitted once per autoencoder, by least squares on a card of coloured patches that is encoded. The decoder is
an AutoencoderTiny (as TAESD, which reads the same latents as its large sibling).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from ..method.finite import Watch
from .latent_space import LatentSpace, Pictures

PATCHES = 8
LONGEST = 256
"""Pixels of a preview's longer side, at most."""


def fit_preview(space: LatentSpace) -> torch.Tensor:
    """The map `[channels + 1, 3]` from latents and a constant to colours in 0 … 255.

    Raises NotFinite if the autoencoder cannot even encode the card.
    """
    patch = 2 * space.factor
    random = np.random.Generator(np.random.Philox(key=0))
    colours = random.integers(0, 256, (PATCHES, PATCHES, 3), dtype=np.uint8)
    card = colours.repeat(patch, axis=0).repeat(patch, axis=1)
    latents = space.encode(card[None], of="a test card")[0, :, 0].cpu().double()
    pixels = colours.repeat(2, axis=0).repeat(2, axis=1).reshape(-1, 3)
    inputs = _with_constant(latents)
    return torch.linalg.lstsq(inputs, torch.from_numpy(pixels).double(), driver="gelsd").solution


def preview(latents: torch.Tensor, fitted: torch.Tensor, decoder: Any = None) -> Pictures:
    """One frame's clean latents `[channels, h, w]` as a picture, uint8 `[h, w, 3]`; larger if a `decoder` draws it."""
    if decoder is not None:
        return _decoded(latents, decoder)
    colours = _with_constant(latents.cpu().double()) @ fitted
    pictures: Pictures = colours.round().clamp(0, 255).to(torch.uint8).reshape(*latents.shape[1:], 3).numpy()
    return pictures


def usable_decoder(decoder: Any) -> Any:
    """The small `decoder`, tried once; NotFinite if it gives what is no number."""
    weight = next(decoder.parameters())
    with torch.no_grad():
        zeros = torch.zeros(1, decoder.config.latent_channels, 8, 8, device=weight.device, dtype=weight.dtype)
        watch = Watch(weight.dtype)
        watch.note("the preview decoder", decoder.decode(zeros).sample)
        watch.check("when it was tried")
    return decoder


def _decoded(latents: torch.Tensor, decoder: Any) -> Pictures:
    weight = next(decoder.parameters())
    image = decoder.decode(latents[None].to(weight.device, weight.dtype)).sample.float()
    shrink = math.ceil(max(image.shape[2:]) / LONGEST)
    image = torch.nn.functional.avg_pool2d(image, shrink) if shrink > 1 else image
    pixels = ((image[0] / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
    pictures: Pictures = pixels.permute(1, 2, 0).cpu().numpy()
    return pictures


def _with_constant(latents: torch.Tensor) -> torch.Tensor:
    points = latents.flatten(1).T
    return torch.cat([points, torch.ones(len(points), 1, dtype=points.dtype)], dim=1)
