# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures to latents and back, through the autoencoder that a chain's experts share.

Between the stages a clip stays in latents: an autoencoder tints frames that pass through it repeatedly. So only
viewport frames are encoded, and only final frames decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class LatentSpace:
    """An AutoencoderKL with its scaling. Two experts share a space if they were trained on the same one."""

    vae: Any

    @property
    def channels(self) -> int:
        return int(self.vae.config.latent_channels)

    @property
    def factor(self) -> int:
        """Pixels per latent, along each side."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    def frame_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """The latents of one frame: `(channels, height, width)`."""
        return self.channels, height // self.factor, width // self.factor

    def encode(self, pictures: Pictures) -> torch.Tensor:
        """uint8 `[frames, height, width, 3]` to latents `[1, channels, frames, h, w]` in float32: the mode, no draw."""
        weight = next(self.vae.parameters())
        pixels = torch.from_numpy(np.ascontiguousarray(pictures)).to(weight.device, weight.dtype)
        images = pixels.permute(0, 3, 1, 2) / 127.5 - 1.0
        mode = self.vae.encode(images).latent_dist.mode().float()
        latents: torch.Tensor = (mode - self._shift) * self.vae.config.scaling_factor
        return latents.transpose(0, 1).unsqueeze(0)

    def decode(self, latents: torch.Tensor) -> Pictures:
        """Latents `[1, channels, frames, h, w]` to uint8 `[frames, height, width, 3]`."""
        weight = next(self.vae.parameters())
        inputs = latents[0].transpose(0, 1) / self.vae.config.scaling_factor + self._shift
        images = self.vae.decode(inputs.to(weight.dtype)).sample.float()
        pixels = ((images / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
        pictures: Pictures = pixels.permute(0, 2, 3, 1).cpu().numpy()
        return pictures

    @property
    def _shift(self) -> float:
        return float(getattr(self.vae.config, "shift_factor", None) or 0.0)
