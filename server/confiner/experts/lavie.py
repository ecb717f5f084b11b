# SPDX-License-Identifier: GPL-3.0-or-later
"""LaVie: a video network that repeats one text over all frames by itself."""

from __future__ import annotations

import torch

from .expert import Expert


class LaVieExpert(Expert):
    """Wraps this project's own LaVieUNet."""

    def run(self, latents: torch.Tensor, timestep: int, embeds: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.unet(latents, timestep, encoder_hidden_states=embeds[:, 0]).sample
        return output
