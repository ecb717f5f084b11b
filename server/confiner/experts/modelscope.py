# SPDX-License-Identifier: GPL-3.0-or-later
"""ModelScope text-to-video: a video network that repeats one text over all frames by itself."""

from __future__ import annotations

import torch

from .expert import Expert


class ModelScopeExpert(Expert):
    """Wraps diffusers' UNet3DConditionModel."""

    def run(self, latents: torch.Tensor, timestep: int, embeds: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.unet(latents, timestep, encoder_hidden_states=embeds[:, 0]).sample
        return output
