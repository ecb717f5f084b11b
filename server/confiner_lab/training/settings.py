# SPDX-License-Identifier: GPL-3.0-or-later
"""The sizes and rates of a training, in one frozen object. `TINY` is the same thing for the tests."""

from __future__ import annotations

from dataclasses import dataclass

LATENT_FACTOR = 4
LATENT_CHANNELS = 4


@dataclass(frozen=True)
class Settings:
    """Channels, data and rates. Minutes are shares of the whole, used when a training is given a time."""

    seed: int = 1
    frames: int = 16
    text_width: int = 64
    text_layers: int = 3
    text_tokens: int = 40
    vae_channels: tuple[int, ...] = (16, 32, 64)
    unet_channels: tuple[int, ...] = (32, 64, 96)
    unet_attention: tuple[bool, ...] = (False, True, False)
    norm_groups: int = 8
    clips: int = 6000
    captions: int = 6
    vae_pool: int = 6000
    vae_batch: int = 8
    text_batch: int = 128
    image_batch: int = 48
    control_batch: int = 4
    temporal_batch: int = 4
    autocast: bool = True
    checkpoint_seconds: float = 60.0
    report_steps: int = 50


TINY = Settings(
    frames=4,
    text_width=16,
    text_layers=1,
    vae_channels=(8, 8, 8),
    unet_channels=(8, 8, 16),
    norm_groups=4,
    clips=6,
    captions=2,
    vae_pool=8,
    vae_batch=2,
    text_batch=4,
    image_batch=2,
    control_batch=1,
    temporal_batch=1,
    autocast=False,
    report_steps=1,
)
