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

from ..memory.offloading import works_on
from ..method.finite import Watch

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

    def encode(
        self, pictures: Pictures, *, together: int | None = None, tiling: bool = False, of: str = "pictures"
    ) -> torch.Tensor:
        """uint8 `[frames, height, width, 3]` to latents `[1, channels, frames, h, w]` in float32: the mode, no draw.

        `together` frames pass through the network at a time, all of them if None; `tiling` cuts each into tiles.
        Raises NotFinite, which calls them what they are `of`, if the network gives what is no number.
        """
        self._set_tiles(tiling, *pictures.shape[1:3])
        pixels = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
        groups = [self._encode(group) for group in pixels.split(together or len(pixels))]
        latents: torch.Tensor = (torch.cat(groups) - self._shift) * self.vae.config.scaling_factor
        self._check(latents, f"when it encoded {of}")
        return latents.transpose(0, 1).unsqueeze(0)

    def _encode(self, pixels: torch.Tensor) -> torch.Tensor:
        images = pixels.to(works_on(self.vae), next(self.vae.parameters()).dtype) / 127.5 - 1.0
        mode: torch.Tensor = self.vae.encode(images).latent_dist.mode().float()
        return mode

    def decode(self, latents: torch.Tensor, *, tiling: bool = False, of: str = "frames") -> Pictures:
        """Latents `[1, channels, frames, h, w]` to uint8 `[frames, height, width, 3]`, in tiles with `tiling`.

        Raises NotFinite, which calls them what they are `of`, if the network gives what is no number: in bytes it would
        be black.
        """
        height, width = latents.shape[3:]
        self._set_tiles(tiling, height * self.factor, width * self.factor)
        weight = next(self.vae.parameters())
        inputs = latents[0].transpose(0, 1) / self.vae.config.scaling_factor + self._shift
        images = self.vae.decode(inputs.to(works_on(self.vae), weight.dtype)).sample.float()
        self._check(images, f"when it decoded {of}")
        pixels = ((images / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
        pictures: Pictures = pixels.permute(0, 2, 3, 1).cpu().numpy()
        return pictures

    def _check(self, values: torch.Tensor, doing: str) -> None:
        watch = Watch(next(self.vae.parameters()).dtype)
        watch.note("the autoencoder", values)
        watch.check(doing)

    def _set_tiles(self, tiling: bool, height: int, width: int) -> None:
        """Tiles of half the frame's longer side, which overlap; a plan says whether there are any."""
        self.vae.use_tiling = tiling
        side = max(height, width) // self.factor // 2
        self.vae.tile_latent_min_size, self.vae.tile_sample_min_size = side, side * self.factor

    @property
    def _shift(self) -> float:
        return float(getattr(self.vae.config, "shift_factor", None) or 0.0)
