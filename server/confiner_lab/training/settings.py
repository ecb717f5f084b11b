# SPDX-License-Identifier: GPL-3.0-or-later
"""The sizes and rates of a training, in one frozen object. `TINY` is the same thing for the tests."""

from __future__ import annotations

from dataclasses import dataclass

LATENT_FACTOR = 4
LATENT_CHANNELS = 4


@dataclass(frozen=True)
class Settings:
    """Sizes in pixels, channels, data and rates."""

    seed: int = 1
    wide: tuple[int, int] = (128, 72)
    square: tuple[int, int] = (72, 72)
    frames: int = 16
    text_width: int = 96
    text_layers: int = 3
    text_tokens: int = 77
    vae_channels: tuple[int, ...] = (24, 48, 64)
    control_channels: tuple[int, ...] = (16, 48, 64)
    spatial_channels: tuple[int, ...] = (48, 96, 128)
    temporal_channels: tuple[int, ...] = (32, 64, 96)
    attention: tuple[bool, ...] = (False, True, False)
    norm_groups: int = 8
    clips: int = 2400
    scattered: int = 8000
    passages: int = 320
    captions: int = 6
    vae_pool: int = 8000
    vae_batch: int = 8
    text_corpus: int = 40000
    text_batch: int = 128
    sketch_batch: int = 48
    spatial_batch: int = 32
    control_batch: int = 4
    temporal_batch: int = 3
    judge_batch: int = 12
    judge_pool: int = 2400
    checkpoint_seconds: float = 60.0
    report_steps: int = 50


TINY = Settings(
    wide=(64, 40),
    square=(40, 40),
    frames=4,
    text_width=16,
    text_layers=1,
    vae_channels=(8, 8, 8),
    control_channels=(8, 8, 8),
    spatial_channels=(8, 16, 16),
    temporal_channels=(8, 8, 16),
    norm_groups=4,
    clips=8,
    scattered=6,
    passages=4,
    captions=2,
    vae_pool=8,
    vae_batch=2,
    text_corpus=40,
    text_batch=4,
    sketch_batch=4,
    spatial_batch=4,
    control_batch=1,
    temporal_batch=1,
    judge_batch=1,
    judge_pool=4,
    report_steps=1,
)
