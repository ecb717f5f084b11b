# SPDX-License-Identifier: GPL-3.0-or-later
"""AnimateDiff and AnimateDiff-Lightning: an image network with motion modules, one text embedding per frame."""

from __future__ import annotations

import torch

from .expert import Expert


class AnimateDiffExpert(Expert):
    """Wraps diffusers' UNetMotionModel."""

    def run(self, latents: torch.Tensor, timestep: int, embeds: torch.Tensor) -> torch.Tensor:
        batch, _, frames = latents.shape[:3]
        per_frame = embeds.expand(batch, frames, *embeds.shape[2:]).flatten(0, 1)
        output: torch.Tensor = self.unet(latents, timestep, encoder_hidden_states=per_frame).sample
        return output
