# SPDX-License-Identifier: GPL-3.0-or-later
"""What a long shot holds while it is made, at full size: experts that cost nothing, over latents of real ones' size."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from confiner import Chain, ClipRequest, FramesDone, generate, read_chains, resolve_plan
from confiner.chains import ExpertSpec
from confiner.experts.expert import Expert
from confiner.experts.latent_space import LatentSpace, Pictures
from confiner.experts.text_encoder import PromptSchedule
from confiner.loading.module_cache import ModuleCache
from confiner.memory.choice import MemoryChoice
from confiner.method.denoiser import PromptEmbeds
from confiner.method.schedule import Prediction, build_schedule

from .live import LiveTensors

SIDE, FACTOR, CHANNELS = 512, 8, 4
SPREAD = 0.8


class LinearExpert(Expert):
    """Knows that every latent is Gaussian by itself; then its x̂ is a multiple of the latents."""

    def __init__(self, spec: ExpertSpec) -> None:
        self.spec = spec
        self.schedule = build_schedule(**asdict(spec.schedule))

    def read(self, *texts: Any, **timing: Any) -> PromptSchedule:
        return PromptSchedule((torch.zeros(1, 1, 1),))

    def predict(self, latents: torch.Tensor, timestep: int, embeds: PromptEmbeds) -> Prediction:
        signal = self.schedule.alpha_bar(timestep)
        gain = math.sqrt(signal) * SPREAD**2 / (signal * SPREAD**2 + 1 - signal)
        return self.schedule.prediction_from_x0(latents, gain * latents, timestep)

    def run(self, latents: torch.Tensor, timestep: int, embeds: torch.Tensor) -> torch.Tensor:
        raise AssertionError("a linear expert has no network")


class PlainSpace(LatentSpace):
    """Three of the four channels, each latent a square of pixels."""

    @property
    def channels(self) -> int:
        return CHANNELS

    @property
    def factor(self) -> int:
        return FACTOR

    def decode(self, latents: torch.Tensor, *, tiling: bool = False, of: str = "frames") -> Pictures:
        levels = ((latents[0, :3] * 40 + 128).clamp(0, 255)).to(torch.uint8).permute(1, 2, 3, 0).numpy()
        return np.ascontiguousarray(levels.repeat(FACTOR, axis=1).repeat(FACTOR, axis=2))


@dataclass(frozen=True)
class Holding:
    """What one shot held at most, in bytes: tensors alive (without weights), the same with frames, and a checkpoint."""

    num_frames: int
    tensors: int
    with_frames: int
    checkpoint: int
    seconds: float


def linear_chain() -> Chain:
    """The bundled chain's description, with linear experts at 512 × 512 pixels, 64 × 64 latents."""
    spec = replace(read_chains()["bundled"], name="linear", sizes=((SIDE, SIDE),), words=())
    return Chain(
        spec=spec,
        control=LinearExpert(spec.control),
        spatial=LinearExpert(spec.spatial),
        temporal=LinearExpert(spec.temporal),
        space=PlainSpace(None),
        weights={},
        preview_map=torch.zeros(CHANNELS + 1, 3, dtype=torch.float64),
        cache=ModuleCache(torch.device("cpu"), torch.float32),
        memory=MemoryChoice("float32", "none", decode_frames=4),
    )


def hold(
    chain: Chain, num_frames: int, *, rule: str = "coordinated", control_steps: int = 4, refine_steps: int = 5
) -> Holding:
    """Make a shot and count what is alive from its first step to its last."""
    request = ClipRequest(
        prompt="a shot",
        num_frames=num_frames,
        width=SIDE,
        height=SIDE,
        rule=rule,
        control_steps=control_steps,
        refine_steps=refine_steps,
    )
    plan = resolve_plan(request, chain)
    with_frames = checkpoint = 0
    began = time.perf_counter()
    with LiveTensors() as live:
        for event in generate(request, chain, plan):
            frames = event.frames.nbytes if isinstance(event, FramesDone) else 0
            with_frames = max(with_frames, live.held + frames)
            checkpoint = max(checkpoint, event.state.live_bytes)
    seconds = time.perf_counter() - began
    return Holding(num_frames, live.peak, with_frames, checkpoint, seconds)
