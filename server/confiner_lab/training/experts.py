# SPDX-License-Identifier: GPL-3.0-or-later
"""The experts of a training, finished or on the way, as things that make clips of prompts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor, nn

from ..scenery import PERIOD
from . import autoencoder
from .autoencoder import SCALING
from .diffusion import image_scheduler, temporal_scheduler
from .sampling import guided, sample
from .settings import LATENT_CHANNELS, LATENT_FACTOR
from .stages import Model, Training
from .tokens import encode, with_moments

IMAGES, VIDEOS = ("sketch", "frame", "spatial"), ("control", "temporal")


@dataclass(frozen=True)
class Change:
    """A prompt that takes over from frame `begin` on, within `length` frames."""

    prompt: str
    begin: int
    length: int

    def shares(self, frames: int, *, per_frame: bool) -> Tensor:
        """How much of it each frame is told [frames, 1, 1], or the whole clip [1, 1, 1]."""
        shares = ((torch.arange(frames) + 0.5 - self.begin) / self.length).clamp(0, 1)
        return (shares if per_frame else shares.mean()[None]).view(-1, 1, 1)


@dataclass(frozen=True)
class Sampler:
    """Makes clips with the networks in a training's folder: the averaged weights, of the last checkpoint if need be."""

    training: Training

    def clip(
        self,
        name: str,
        prompt: str,
        *,
        steps: int,
        size: tuple[int, int],
        frames: int = 16,
        start: int = 0,
        seed: int = 0,
        guidance: float = 1.0,
        told: bool = True,
        then: Change | None = None,
    ) -> NDArray[np.uint8]:
        """Frames [frames, height, width, 3] by the network `name` alone from pure noise.

        An image network makes each frame by itself; unless `told`, nothing says which moment a frame shows. `then` is
        another prompt that takes over within the clip.
        """
        per_frame = name != "temporal"
        moments = torch.arange(start, start + frames) % PERIOD if per_frame else torch.tensor([start % PERIOD])
        moments = moments if told else torch.full_like(moments, -1)
        states, empty = (self._states(text, moments) for text in (prompt, ""))
        if then is not None:
            states = states + then.shares(frames, per_frame=per_frame) * (self._states(then.prompt, moments) - states)
        shape = (LATENT_CHANNELS, frames, size[1] // LATENT_FACTOR, size[0] // LATENT_FACTOR)
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            latents = sample(guided(self._predictor(name), states, empty, guidance), noise, self._alphas(name), steps)
        return self.pictures(latents)

    @torch.no_grad()
    def pictures(self, latents: Tensor) -> NDArray[np.uint8]:
        """Pictures [frames, height, width, 3] of latents [channels, frames, h, w] of about unit variance."""
        y = self.vae.decode(latents.transpose(0, 1) / SCALING).sample
        return ((y.clamp(-1, 1) + 1) * 127.5 + 0.5).byte().permute(0, 2, 3, 1).numpy()

    @cached_property
    def vae(self) -> AutoencoderKL:
        done = (self.training.folder / "decoder.pt").exists()
        return self.network("decoder" if done else "vae", autoencoder.build(self.training.settings))

    def network(self, name: str, model: Model) -> Model:
        path = self.training.folder / f"{name}.pt"
        if path.exists():
            return self.training.finished(name, model)
        kept = torch.load(path.with_name(f"{name}.checkpoint.pt"), weights_only=True)
        model.load_state_dict(kept["average"])
        return model.eval().requires_grad_(False)

    @cached_property
    def _networks(self) -> dict[str, nn.Module]:
        return {}

    def _predictor(self, name: str) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
        if name not in self._networks:
            self._networks[name] = self.network(name, self.training.empty_network(name))
        network = self._networks[name]
        if name in IMAGES:
            return lambda x, t, states: network(x.transpose(0, 1), t, states).sample.transpose(0, 1)
        return lambda x, t, states: network(x[None], t, states).sample[0]

    def _alphas(self, name: str) -> Tensor:
        scheduler = temporal_scheduler() if name in ("frame", "temporal") else image_scheduler()
        return scheduler.alphas_cumprod

    @torch.no_grad()
    def _states(self, prompt: str, moments: Tensor) -> Tensor:
        ids = encode(self.training.tokenizer, [prompt]).repeat(len(moments), 1)
        states: Tensor = self.training.encoder(
            input_ids=with_moments(self.training.tokenizer, ids, moments)
        ).last_hidden_state
        return states
