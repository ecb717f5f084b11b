# SPDX-License-Identifier: GPL-3.0-or-later
"""Stable Diffusion 1.x: an image model, so frames are folded into its batch."""

from __future__ import annotations

import torch

from .expert import Expert


class StableDiffusionExpert(Expert):
    """Wraps diffusers' UNet2DConditionModel."""

    def run(self, latents: torch.Tensor, timestep: int, embeds: torch.Tensor) -> torch.Tensor:
        batch, _, frames = latents.shape[:3]
        images = latents.transpose(1, 2).flatten(0, 1)
        per_image = embeds.expand(batch, frames, *embeds.shape[2:]).flatten(0, 1)
        output: torch.Tensor = self.unet(images, timestep, encoder_hidden_states=per_image).sample
        return output.unflatten(0, (batch, frames)).transpose(1, 2)
