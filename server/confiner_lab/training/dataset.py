# SPDX-License-Identifier: GPL-3.0-or-later
"""What a training reads: rendered and encoded once, in shards, so that a killed run goes on with the next shard.

Of both shapes, wide and square: clips; the same clips as grey boxes or depth (each `BOX_EVERY`-th); single frames with
things scattered about, and their boxes; passages from one clip to another.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor
from transformers import CLIPTokenizer

from ..scenery import (
    PERIOD,
    Clip,
    Passage,
    caption,
    random_clip,
    random_passage,
    render_clip,
    render_passage,
    scattered_clip,
)
from .autoencoder import SCALING, to_signal
from .settings import Settings
from .text import omissions
from .tokens import encode

BOX_LOOKS = ("plain", "grey", "depth")
BOX_EVERY, SCATTER_BOX_EVERY = 4, 2
SQUARE_EVERY = 4
"""The square clips are a fourth of the wide ones, and one batch in four is square."""
SHAPES = ("wide", "square")
CLAIM_SECONDS = 600
SHARD = {"clips": 50, "boxes": 50, "scattered": 800, "scattered_boxes": 800, "passages": 25}


Drawing = Callable[[], NDArray[np.uint8]]
"""Makes frames [frames, height, width, 3]."""


@dataclass(frozen=True)
class Plan:
    """What is to be rendered of one shape. Equal settings give equal plans."""

    clips: list[Clip]
    scattered: list[Clip]
    passages: list[Passage]
    frames: int

    def kinds(self) -> dict[str, list[Drawing]]:
        """By the name of its folder: what draws each thing."""
        boxes = [_as_box(clip, i) for i, clip in enumerate(self.clips[::BOX_EVERY])]
        scattered_boxes = [_as_box(clip, i) for i, clip in enumerate(self.scattered[::SCATTER_BOX_EVERY])]
        return {
            "clips": [partial(render_clip, clip, self.frames) for clip in self.clips],
            "boxes": [partial(render_clip, clip, self.frames) for clip in boxes],
            "scattered": [partial(render_clip, clip, 1) for clip in self.scattered],
            "scattered_boxes": [partial(render_clip, clip, 1) for clip in scattered_boxes],
            "passages": [partial(render_passage, passage, self.frames) for passage in self.passages],
        }


def _as_box(clip: Clip, number: int) -> Clip:
    return replace(clip, look=BOX_LOOKS[number % len(BOX_LOOKS)])


def plan(settings: Settings, shape: str) -> Plan:
    square = shape == "square"
    rng = np.random.Generator(np.random.Philox(settings.seed + (5000 if square else 3000)))
    size = settings.square if square else settings.wide
    share = SQUARE_EVERY if square else 1
    return Plan(
        [random_clip(rng, size=size) for _ in range(settings.clips // share)],
        [scattered_clip(rng, size=size) for _ in range(settings.scattered // share)],
        [random_passage(rng, size=size, num_frames=settings.frames) for _ in range(settings.passages // share)],
        settings.frames,
    )


def make(settings: Settings, vae: AutoencoderKL, folder: Path) -> None:
    """Write `SHAPE/KIND/0000.npy`, … [n, frames, 4, h, w] fp16, scaled to about unit variance; what is there stays.

    All kinds grow together, so that a training may begin with the first of each. Two processes may share the work.
    """
    shards = _shards(settings, folder)
    while missing := [number for number, (path, _) in enumerate(shards) if not path.exists()]:
        path, drawings = shards[next((number for number in missing if not _is_claimed(shards[number][0])), missing[0])]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".claim").touch()
        _write(path, np.stack([encoded(vae, draw()) for draw in drawings]))
        path.with_suffix(".claim").unlink(missing_ok=True)
        print(f"{len(shards) - len(missing) + 1} of {len(shards)} shards", flush=True)


def _shards(settings: Settings, folder: Path) -> list[tuple[Path, list[Drawing]]]:
    """What each shard draws, in the order in which they are made."""
    found: list[tuple[float, Path, list[Drawing]]] = []
    for shape in SHAPES:
        for kind, drawings in plan(settings, shape).kinds().items():
            for number, first in enumerate(range(0, len(drawings), SHARD[kind])):
                path = folder / shape / kind / f"{number:04d}.npy"
                found.append((first / len(drawings), path, drawings[first : first + SHARD[kind]]))
    return [(path, drawings) for _, path, drawings in sorted(found, key=lambda shard: shard[0])]


def _is_claimed(path: Path) -> bool:
    """Whether another process has lately begun this shard."""
    claim = path.with_suffix(".claim")
    return claim.exists() and time.time() - claim.stat().st_mtime < CLAIM_SECONDS


def _write(path: Path, latents: NDArray[np.float16]) -> None:
    partly = path.with_name(f"{os.getpid()}.partial")
    with partly.open("wb") as file:
        np.save(file, latents)
    os.replace(partly, path)


@torch.no_grad()
def encoded(vae: AutoencoderKL, frames: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Latents [frames, 4, h, w] of pictures [frames, height, width, 3]."""
    x = to_signal(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))
    latents: NDArray[np.float16] = (vae.encode(x).latent_dist.mean * SCALING).numpy().astype(np.float16)
    return latents


@dataclass(frozen=True)
class Texts:
    """Token ids of some captions of each thing [n, captions, length]."""

    ids: Tensor

    def pick(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        """One caption of each [rows, length]."""
        return self.ids[torch.from_numpy(rows), torch.from_numpy(rng.integers(self.ids.shape[1], size=len(rows)))]


@dataclass(frozen=True)
class Dataset:
    """The data of one shape.

    `timeless` captions are silent about motion and camera. `shares` [passages, frames] is how much of the second clip
    a frame shows; `before` and `after` are the captions of both. `starts` are moments of first frames.
    """

    clips: NDArray[np.float16]
    boxes: NDArray[np.float16]
    scattered: NDArray[np.float16]
    scattered_boxes: NDArray[np.float16]
    passages: NDArray[np.float16]
    full: Texts
    timeless: Texts
    scattered_texts: Texts
    counts: NDArray[np.int64]
    before: Texts
    after: Texts
    shares: NDArray[np.float32]
    starts: NDArray[np.int64]
    passage_starts: NDArray[np.int64]

    def moments(self, clip: NDArray[np.int64], frame: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy((self.starts[clip] + frame) % PERIOD)

    def passage_moments(self, passage: NDArray[np.int64], frame: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy((self.passage_starts[passage] + frame) % PERIOD)


@dataclass(frozen=True)
class Shapes:
    """The data of both shapes. A batch is of one."""

    wide: Dataset
    square: Dataset

    def pick(self, rng: np.random.Generator) -> Dataset:
        return self.square if rng.integers(SQUARE_EVERY) == 0 else self.wide


def load(settings: Settings, folder: Path, tokenizer: CLIPTokenizer) -> Shapes:
    """What of the plan is rendered by now, from its beginning on."""
    return Shapes(*(_load(settings, folder / shape, tokenizer, shape) for shape in SHAPES))


def _load(settings: Settings, folder: Path, tokenizer: CLIPTokenizer, shape: str) -> Dataset:
    planned = plan(settings, shape)
    kinds = {kind: _read(folder / kind) for kind in planned.kinds()}
    planned, kinds = _rendered(planned, kinds)
    kinds |= {kind: kinds[kind][:, 0] for kind in ("scattered", "scattered_boxes")}
    rng = np.random.Generator(np.random.Philox(settings.seed + (6000 if shape == "square" else 4000)))
    passages = planned.passages

    def texts(clips: list[Clip], count: int, *unsaid: str) -> Texts:
        written = [caption(clip, rng, omit=[*unsaid, *omissions(rng)]) for clip in clips for _ in range(count)]
        return Texts(encode(tokenizer, written).unflatten(0, (len(clips), count)))

    return Dataset(
        **kinds,
        full=texts(planned.clips, settings.captions),
        timeless=texts(planned.clips, 2, "motion", "camera"),
        scattered_texts=texts([_named(clip) for clip in planned.scattered], 1, "motion", "camera"),
        counts=np.array([len(clip.things) for clip in planned.scattered]),
        before=texts([passage.first for passage in passages], 2),
        after=texts([passage.second for passage in passages], 2),
        shares=np.array([[p.share(i) for i in range(settings.frames)] for p in passages], np.float32),
        starts=np.array([clip.start for clip in planned.clips]),
        passage_starts=np.array([passage.first.start for passage in passages]),
    )


def _read(folder: Path) -> NDArray[np.float16]:
    """The shards from the first to the last before a gap."""
    paths = [folder / f"{number:04d}.npy" for number in range(len(list(folder.glob("*.npy"))))]
    return np.concatenate([np.load(path) for path in itertools.takewhile(Path.exists, paths)])


def _rendered(planned: Plan, kinds: dict[str, NDArray[np.float16]]) -> tuple[Plan, dict[str, NDArray[np.float16]]]:
    """The beginning of a plan of which all is rendered, each clip with its box."""
    clips = min(len(kinds["clips"]), len(kinds["boxes"]) * BOX_EVERY)
    scattered = min(len(kinds["scattered"]), len(kinds["scattered_boxes"]) * SCATTER_BOX_EVERY)
    passages = len(kinds["passages"])
    ready = Plan(planned.clips[:clips], planned.scattered[:scattered], planned.passages[:passages], planned.frames)
    return ready, {kind: kinds[kind][: len(drawings)] for kind, drawings in ready.kinds().items()}


def _named(clip: Clip) -> Clip:
    """A scattered clip as its caption names it: one thing of each kind."""
    return replace(clip, things=tuple(dict.fromkeys(clip.things)), spots=())
