# SPDX-License-Identifier: GPL-3.0-or-later
"""What the networks are shown: latents, what they are made of, and the text encoder's states for them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from .dataset import BOX_EVERY, SCATTER_BOX_EVERY, Dataset, Shapes, Texts
from .settings import Settings
from .tokens import encode, with_moments

DROP_CAPTION = 0.1


@dataclass(frozen=True)
class Shown:
    """Pictures [n, 4, h, w] or clips [n, 4, frames, h, w] to be learned, and text states [rows, length, width].

    `source` is what gets noised in their place: the same, or their grey boxes. `crowd` marks what its caption names
    only in part.
    """

    x0: Tensor
    source: Tensor
    states: Tensor
    boxed: NDArray[np.bool_]
    crowd: NDArray[np.bool_]


@dataclass(frozen=True)
class Reader:
    """Draws examples. Every caption is dropped at times, so that guidance has something to lead away from."""

    text: CLIPTextModel
    tokenizer: CLIPTokenizer
    shapes: Shapes
    settings: Settings

    @cached_property
    def empty(self) -> Tensor:
        return encode(self.tokenizer, [""])

    def states(self, ids: Tensor, moments: Tensor) -> Tensor:
        """Of captions [n, length], told their `moments` [n] where those are not negative."""
        told = with_moments(self.tokenizer, ids, moments).to(self.text.device)
        with torch.no_grad():
            states: Tensor = self.text(input_ids=told).last_hidden_state
        return states

    def captions(self, texts: Texts, rows: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        ids = texts.pick(rows, rng)
        ids[torch.from_numpy(rng.random(len(rows)) < DROP_CAPTION)] = self.empty
        return ids

    def frames(self, data: Dataset, rng: np.random.Generator, count: int, *, told: float, boxed: bool = False) -> Shown:
        """Single frames of clips. With chance `told` a caption comes with its frame's moment; of the rest, half are
        silent about motion and camera."""
        clip = (
            rng.integers(len(data.boxes), size=count) * BOX_EVERY
            if boxed
            else rng.integers(len(data.clips), size=count)
        )
        frame = rng.integers(data.clips.shape[1], size=count)
        x0 = _tensor(data.clips[clip, frame])
        source = _tensor(data.boxes[clip // BOX_EVERY, frame]) if boxed else x0
        tells = torch.from_numpy(rng.random(count) < told)
        ids = self.captions(data.full, clip, rng)
        silent = ~tells & torch.from_numpy(rng.random(count) < 0.5)
        ids = torch.where(silent[:, None], self.captions(data.timeless, clip, rng), ids)
        states = self.states(ids, torch.where(tells, data.moments(clip, frame), -1))
        return Shown(x0, source, states, np.full(count, boxed), np.zeros(count, bool))

    def scattered(self, data: Dataset, rng: np.random.Generator, count: int, *, boxed: bool = False) -> Shown:
        """Frames in which things stand anywhere."""
        rows = rng.integers(len(data.scattered_boxes), size=count) * SCATTER_BOX_EVERY
        if not boxed:
            rows = rng.integers(len(data.scattered), size=count)
        x0 = _tensor(data.scattered[rows])
        source = _tensor(data.scattered_boxes[rows // SCATTER_BOX_EVERY]) if boxed else x0
        states = self.states(self.captions(data.scattered_texts, rows, rng), torch.full((count,), -1))
        return Shown(x0, source, states, np.full(count, boxed), data.counts[rows] > 2)

    def between(self, data: Dataset, rng: np.random.Generator, count: int, *, told: float) -> Shown:
        """Frames within a passage, with the states of both captions mixed in the same share."""
        rows = rng.integers(len(data.passages), size=count)
        frame = rng.integers(data.passages.shape[1], size=count)
        tells = torch.from_numpy(rng.random(count) < told)
        moments = torch.where(tells, data.passage_moments(rows, frame), -1)
        share = torch.from_numpy(data.shares[rows, frame])[:, None, None]
        old, new = (self.states(texts.pick(rows, rng), moments) for texts in (data.before, data.after))
        x0 = _tensor(data.passages[rows, frame])
        return Shown(x0, x0, old + share.to(old.device) * (new - old), np.zeros(count, bool), np.zeros(count, bool))

    def clips(self, data: Dataset, rng: np.random.Generator, count: int, *, per_frame: bool, boxed: bool) -> Shown:
        """Whole clips: each frame told its own moment, or each second clip the moment of its first frame."""
        rows = (
            rng.integers(len(data.boxes), size=count) * BOX_EVERY
            if boxed
            else rng.integers(len(data.clips), size=count)
        )
        x0 = _clips(data.clips[rows])
        source = _clips(data.boxes[rows // BOX_EVERY]) if boxed else x0
        ids = self.captions(data.full, rows, rng)
        states = self._over_time(ids, data.starts[rows], x0.shape[2], rng, per_frame=per_frame)
        return Shown(x0, source, states, np.full(count, boxed), np.zeros(count, bool))

    def passages(self, data: Dataset, rng: np.random.Generator, count: int, *, per_frame: bool) -> Shown:
        """Whole passages. Mixed states frame by frame, or those of the clip's middle."""
        rows = rng.integers(len(data.passages), size=count)
        x0 = _clips(data.passages[rows])
        frames = x0.shape[2]
        starts, draw = data.passage_starts[rows], int(rng.integers(1 << 31))
        old, new = (
            self._over_time(texts.pick(rows, rng), starts, frames, np.random.default_rng(draw), per_frame=per_frame)
            for texts in (data.before, data.after)
        )
        shares = torch.from_numpy(data.shares[rows])
        share = (shares.flatten() if per_frame else shares.mean(1))[:, None, None].to(old.device)
        return Shown(x0, x0, old + share * (new - old), np.zeros(count, bool), np.zeros(count, bool))

    def _over_time(
        self, ids: Tensor, starts: NDArray[np.int64], frames: int, rng: np.random.Generator, *, per_frame: bool
    ) -> Tensor:
        first = torch.from_numpy(starts)
        if per_frame:
            moments = (first[:, None] + torch.arange(frames)).flatten() % 32
            return self.states(ids.repeat_interleave(frames, 0), moments)
        return self.states(ids, torch.where(torch.from_numpy(rng.random(len(ids)) < 0.5), first % 32, -1))


def joined(parts: list[Shown]) -> Shown:
    """Several kinds of examples as one batch."""
    return Shown(
        torch.cat([part.x0 for part in parts]),
        torch.cat([part.source for part in parts]),
        torch.cat([part.states for part in parts]),
        np.concatenate([part.boxed for part in parts]),
        np.concatenate([part.crowd for part in parts]),
    )


def _tensor(latents: NDArray[np.float16]) -> Tensor:
    return torch.from_numpy(np.asarray(latents, np.float32))


def _clips(latents: NDArray[np.float16]) -> Tensor:
    """[n, channels, frames, h, w]."""
    return _tensor(latents).transpose(1, 2).contiguous()
