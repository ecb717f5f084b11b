# SPDX-License-Identifier: GPL-3.0-or-later
"""The clips a training reads, square and 16:9: rendered once, encoded once, then read from memory maps."""

from __future__ import annotations

import itertools
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
WIDTHS = {"square": 64, "wide": 112}
WIDE_EVERY = 4
"""One clip in four is 16:9, and one batch in four."""


def clips(settings: Settings, shape: str) -> list[Clip]:
    """The training's clips of one shape; every `GREY_EVERY`-th is also drawn as a grey box."""
    wide = shape == "wide"
    rng = np.random.Generator(np.random.Philox(settings.seed + (5000 if wide else 3000)))
    count = settings.clips // WIDE_EVERY if wide else settings.clips
    return [random_clip(rng, width=WIDTHS[shape]) for _ in range(count)]


def render(settings: Settings, folder: Path) -> None:
    """Write `SHAPE/frames.npy` [clips, frames, height, width, 3] and `SHAPE/grey.npy`, unless they are there."""
    for shape in WIDTHS:
        (folder / shape).mkdir(exist_ok=True)
        chosen = clips(settings, shape)
        boxes = [replace(clip, look=("plain", "grey")[i % 2]) for i, clip in enumerate(chosen[::GREY_EVERY])]
        _fill(folder / shape / "frames.npy", chosen, settings.frames)
        _fill(folder / shape / "grey.npy", boxes, settings.frames)


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
    """Write `latents.npy` [clips, frames, 4, h, w] fp16, scaled to about unit variance; also for the grey boxes."""
    names = (("frames.npy", "latents.npy"), ("grey.npy", "grey_latents.npy"))
    for shape, (source, target) in itertools.product(WIDTHS, names):
        path = folder / shape / target
        if path.exists():
            continue
        frames = np.load(folder / shape / source, mmap_mode="r")
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
    """The clips of one shape.

    `latents` [clips, frames, 4, h, w], `grey` those of each `GREY_EVERY`-th, `tokens` [clips, captions, length].
    `timeless` are tokens of captions that are silent about motion and camera.
    """

    latents: NDArray[np.float16]
    grey: NDArray[np.float16]
    tokens: Tensor
    timeless: Tensor
    starts: NDArray[np.int64]

    def moments(self, clip: NDArray[np.int64], frame: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy((self.starts[clip] + frame) % PERIOD)

    def captions(self, clip: NDArray[np.int64], rng: np.random.Generator, *, timeless: bool = False) -> Tensor:
        """One of each clip's captions, token ids [n, length]; `timeless` ones say nothing of motion and camera."""
        tokens = self.timeless if timeless else self.tokens
        return tokens[torch.from_numpy(clip), torch.from_numpy(rng.integers(tokens.shape[1], size=len(clip)))]


@dataclass(frozen=True)
class Shapes:
    """The clips of both shapes. A batch is of one."""

    square: Dataset
    wide: Dataset

    def pick(self, rng: np.random.Generator) -> Dataset:
        return self.wide if rng.integers(WIDE_EVERY) == 0 else self.square


def load(settings: Settings, folder: Path, tokenizer: CLIPTokenizer) -> Shapes:
    return Shapes(*(_load(settings, folder, tokenizer, shape) for shape in ("square", "wide")))


def _load(settings: Settings, folder: Path, tokenizer: CLIPTokenizer, shape: str) -> Dataset:
    chosen = clips(settings, shape)
    rng = np.random.Generator(np.random.Philox(settings.seed + (6000 if shape == "wide" else 4000)))
    texts = [_caption(clip, rng) for clip in chosen for _ in range(settings.captions)]
    timeless = [_caption(clip, rng, "motion", "camera") for clip in chosen for _ in range(2)]
    return Dataset(
        np.load(folder / shape / "latents.npy", mmap_mode="r"),
        np.load(folder / shape / "grey_latents.npy", mmap_mode="r"),
        encode(tokenizer, texts).unflatten(0, (len(chosen), settings.captions)),
        encode(tokenizer, timeless).unflatten(0, (len(chosen), 2)),
        np.array([clip.start for clip in chosen]),
    )


def _caption(clip: Clip, rng: np.random.Generator, *unsaid: str) -> str:
    return caption(clip, rng, omit=[*unsaid, *(name for name in ("ground", "time") if rng.random() < SILENCE)])
