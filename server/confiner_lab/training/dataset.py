# SPDX-License-Identifier: GPL-3.0-or-later
"""The clips a training reads: rendered once, encoded once, then read from memory maps."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor
from transformers import CLIPTokenizer

from ..world import PERIOD, Clip, caption, random_clip, render_clip
from .autoencoder import SCALING, to_signal
from .settings import LATENT_FACTOR, Settings
from .tokens import encode

SILENCE = 0.06
GREY_EVERY = 4


def clips(settings: Settings) -> list[Clip]:
    """The training's clips, all square; every `GREY_EVERY`-th is also drawn as a grey box."""
    rng = np.random.Generator(np.random.Philox(settings.seed + 3000))
    return [random_clip(rng) for _ in range(settings.clips)]


def render(settings: Settings, folder: Path) -> None:
    """Write `frames.npy` [clips, frames, 64, 64, 3] and `grey.npy` beside it, unless they are there."""
    chosen = clips(settings)
    _fill(folder / "frames.npy", chosen, settings.frames)
    looks = ("plain", "grey")
    _fill(
        folder / "grey.npy",
        [replace(c, look=looks[i % 2]) for i, c in enumerate(chosen[::GREY_EVERY])],
        settings.frames,
    )


def _fill(path: Path, chosen: list[Clip], frames: int) -> None:
    if path.exists():
        return
    partial = path.with_name("partial-" + path.name)
    shape = (len(chosen), frames, chosen[0].height, chosen[0].width, 3)
    out = np.lib.format.open_memmap(partial, "w+", np.uint8, shape)
    for index, clip in enumerate(chosen):
        out[index] = render_clip(clip, frames)
        if index % 500 == 499:
            print(f"{path.stem} {index + 1} of {len(chosen)} clips", flush=True)
    out.flush()
    os.replace(partial, path)


@torch.no_grad()
def encode_frames(vae: AutoencoderKL, folder: Path) -> None:
    """Write `latents.npy` [clips, frames, 4, 16, 16] fp16, scaled to about unit variance; also for the grey boxes."""
    for source, target in (("frames.npy", "latents.npy"), ("grey.npy", "grey_latents.npy")):
        path = folder / target
        if path.exists():
            continue
        frames = np.load(folder / source, mmap_mode="r")
        n, f, h, w, _ = frames.shape
        partial = path.with_name("partial-" + path.name)
        out = np.lib.format.open_memmap(partial, "w+", np.float16, (n, f, 4, h // LATENT_FACTOR, w // LATENT_FACTOR))
        for index in range(n):
            x = to_signal(np.ascontiguousarray(frames[index].transpose(0, 3, 1, 2)))
            with torch.autocast("cpu", torch.bfloat16):
                mean = vae.encode(x).latent_dist.mean
            out[index] = (mean.float() * SCALING).numpy()
            if index % 500 == 499:
                print(f"{path.stem} {index + 1} of {n} clips", flush=True)
        out.flush()
        os.replace(partial, path)


@dataclass(frozen=True)
class Dataset:
    """`latents` [clips, frames, 4, h, w], `grey` those of each `GREY_EVERY`-th, `tokens` [clips, captions, length].

    `timeless` are tokens of captions that are silent about motion and camera.
    """

    latents: NDArray[np.float16]
    grey: NDArray[np.float16]
    tokens: Tensor
    timeless: Tensor
    starts: NDArray[np.int64]

    def moments(self, clip: NDArray[np.int64], frame: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy((self.starts[clip] + frame) % PERIOD)

    def captions(self, clip: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        """One of each clip's captions, token ids [n, length]."""
        return _one_of_each(self.tokens, clip, rng)

    def timeless_captions(self, clip: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        """The same without a word on motion and camera."""
        return _one_of_each(self.timeless, clip, rng)


def _one_of_each(tokens: Tensor, clip: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
    return tokens[torch.from_numpy(clip), torch.from_numpy(rng.integers(tokens.shape[1], size=len(clip)))]


def load(settings: Settings, folder: Path, tokenizer: CLIPTokenizer) -> Dataset:
    chosen = clips(settings)
    rng = np.random.Generator(np.random.Philox(settings.seed + 4000))
    texts = [_caption(clip, rng) for clip in chosen for _ in range(settings.captions)]
    timeless = [_caption(clip, rng, "motion", "camera") for clip in chosen for _ in range(2)]
    return Dataset(
        np.load(folder / "latents.npy", mmap_mode="r"),
        np.load(folder / "grey_latents.npy", mmap_mode="r"),
        encode(tokenizer, texts).unflatten(0, (len(chosen), settings.captions)),
        encode(tokenizer, timeless).unflatten(0, (len(chosen), 2)),
        np.array([clip.start for clip in chosen]),
    )


def _caption(clip: Clip, rng: np.random.Generator, *unsaid: str) -> str:
    return caption(clip, rng, omit=[*unsaid, *(name for name in ("ground", "time") if rng.random() < SILENCE)])
