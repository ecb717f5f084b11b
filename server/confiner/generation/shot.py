# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot about to be made: request, chain and plan, and everything that follows from them and never changes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial

import torch

from ..experts.text_encoder import PromptSchedule
from ..loading.chain import Chain
from ..method.denoiser import PromptEmbeds
from ..method.evaluations import evaluations
from ..method.noise import NoiseSource
from ..method.rules import RULES, PromptedExpert, RefineStep
from ..method.timesteps import control_timesteps, refine_timesteps
from ..method.windows import Layout, Window, rotating_offset, settled
from .plan import Plan
from .request import ClipRequest
from .state import Band, ShotState


@dataclass(frozen=True, eq=False)
class Shot:
    """What every step of a shot reads. `prompt_schedules` is the text as each expert reads it, by role."""

    request: ClipRequest
    chain: Chain
    plan: Plan
    prompt_schedules: dict[str, PromptSchedule]

    @cached_property
    def noise(self) -> NoiseSource:
        return NoiseSource(self.request.seed)

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        return self.chain.space.frame_shape(self.request.width, self.request.height)

    # --- structure ----------------------------------------------------------------------------------------------------

    @property
    def segment_frames(self) -> int:
        """Frames that become structure together: a segment of the control expert, or a slice of the viewport's."""
        return self.chain.control.spec.frames

    @property
    def lead(self) -> int:
        """Frames made before the first that is delivered. Segments, windows and states count from the first made."""
        return self.span // 2 if self.plan.edges == "drop" else 0

    @property
    def length(self) -> int:
        """Frames that windows are laid over. A clip from text is never shorter than what its experts were trained on.

        Where halves of windows are refined as they are, the last one is a half too, so that windows fill the length.
        """
        frames = self.request.num_frames
        if self.request.structure is not None:
            return frames
        if self.plan.edges == "whole":
            return max(frames, min(self.span, self.segment_frames))
        halves = {"keep": 0, "drop-tail": 1, "drop": 2}[self.plan.edges]
        return math.ceil((frames + halves * self.span // 2) / self.span) * self.span

    @cached_property
    def needed(self) -> tuple[int, ...]:
        """The end of the frames that each level must come to: level 0 is the structure, the last level is delivered."""
        ends = [self.lead + self.request.num_frames]
        for step in reversed(range(self.plan.refine_steps)):
            ends.append(self.window_from(step, ends[-1] - 1).end)
        return tuple(reversed(ends))

    @property
    def settled(self) -> int:
        """How many of the delivered frames a longer shot with the same settings begins with."""
        end = settled([self.layout(step) for step in range(self.plan.refine_steps)], self.length)
        return min(self.request.num_frames, max(0, end - self.lead))

    @property
    def segments(self) -> int:
        return math.ceil(self.needed[0] / self.segment_frames)

    @property
    def control_timesteps(self) -> tuple[int, ...]:
        return control_timesteps(self.plan.control_steps, len(self.chain.control.schedule))

    def batch_from(self, segment: int) -> range:
        """The segments that go through the control expert together with `segment`, which is the first of them."""
        return range(segment, min(self.segments, segment + self.plan.segment_batch))

    def segment_embeds(self, segments: range) -> PromptEmbeds:
        """The control expert's text for a batch of segments."""
        n = self.segment_frames
        each = [self._text("control", range(segment * n, (segment + 1) * n)) for segment in segments]
        negatives = [embeds.negative for embeds in each if embeds.negative is not None]
        return PromptEmbeds(torch.cat([embeds.prompt for embeds in each]), torch.cat(negatives) if negatives else None)

    def structure_noise(self, frames: range) -> torch.Tensor:
        """The noise that the structure is noised with, ε in eq. 6."""
        return self.to_device(self.noise.frames(self.frame_shape, frames, "structure"))

    # --- refinement ---------------------------------------------------------------------------------------------------

    @property
    def span(self) -> int:
        """Frames of a window."""
        return self.chain.temporal.spec.frames

    @property
    def refine_timesteps(self) -> tuple[int, ...]:
        return refine_timesteps(self.plan.freedom, self.plan.refine_steps)

    def offset(self, step: int) -> int:
        """Where the windows of a refinement step begin."""
        if self.plan.windows != "rotating":
            return self.span // 2 if self.plan.windows == "fixed" else 0
        return rotating_offset(step, self.plan.refine_steps, self.span)

    def layout(self, step: int) -> Layout:
        """How the windows of a refinement step lie."""
        last = step == self.plan.refine_steps - 1
        stride = self.span // 2 if last and self.plan.overlap else self.span
        return Layout(self.offset(step), self.span, stride, self.plan.edges == "whole")

    def window_from(self, step: int, frame: int) -> Window:
        return self.layout(step).window_from(frame, self.length)

    def refine_step(self, step: int, window: Window) -> RefineStep:
        """What a rule needs for one window at one step."""
        spatial, temporal = self.chain.spatial, self.chain.temporal
        t = self.refine_timesteps[step]
        s = t if self.plan.timestep_map == "same" else temporal.schedule.timestep_at(spatial.schedule.sigma(t))
        return RefineStep(
            S=PromptedExpert(spatial, self._text("spatial", window.frames)),
            T=PromptedExpert(temporal, self._text("temporal", window.frames)),
            t=t,
            s=s,
            k=step,
            steps=self.plan.refine_steps,
            hinge_noise=self.plan.hinge_noise,
            draw=partial(self._hinge_noise, step, window.frames),
        )

    def _hinge_noise(self, step: int, frames: range, hop: str) -> torch.Tensor:
        return self.to_device(self.noise.frames(self.frame_shape, frames, "hinge", hop, step))

    # --- the whole ----------------------------------------------------------------------------------------------------

    @cached_property
    def steps(self) -> tuple[int, int]:
        """Steps of the whole shot: of the control stage (a batch of segments counts once) and of the refinement."""
        batches = math.ceil(self.segments / self.plan.segment_batch)
        control = 0 if self.request.structure is not None else batches * self.plan.control_steps
        return control, sum(len(self._windows(step)) for step in range(self.plan.refine_steps))

    @cached_property
    def evaluations(self) -> int:
        """Model evaluations of the whole shot (NFE), guidance counted twice."""
        control = 0 if self.request.structure is not None else self.segments * self.plan.control_steps
        total = control * self.chain.control.passes
        return total + sum(len(self._windows(k)) * self.step_evaluations(k) for k in range(self.plan.refine_steps))

    def step_evaluations(self, step: int) -> int:
        """Model evaluations of one refinement step on one window."""
        asked = evaluations(RULES.find(self.plan.rule), step, self.plan.refine_steps)
        return asked["spatial"] * self.chain.spatial.passes + asked["temporal"] * self.chain.temporal.passes

    def _windows(self, step: int) -> list[Window]:
        return self.layout(step).windows(self.length, until=self.needed[step + 1])

    def _text(self, role: str, frames: range) -> PromptEmbeds:
        """An expert's text; what it says of a frame is keyed to the frame's number in the clip."""
        return self.prompt_schedules[role].at(range(frames.start - self.lead, frames.stop - self.lead))

    def start(self) -> ShotState:
        """The state in which nothing is done."""
        return ShotState(levels=(Band(),) * (self.plan.refine_steps + 1), delivered=self.lead)

    def to_device(self, noise: torch.Tensor) -> torch.Tensor:
        return noise.to(self.plan.device)


def prepare(request: ClipRequest, chain: Chain, plan: Plan) -> Shot:
    """Read the prompts with every expert's text encoder. Runs the encoders: call it inside `arithmetic`."""
    plotted = request.structure is None  # where things happen in time is the structure's to say, if there is one
    prompt_schedules = {
        role: expert.read(
            request.prompt,
            request.negative_prompt,
            stretches=request.stretches,
            crossover=request.crossover,
            moments=plotted,
        )
        for role, expert in chain.experts.items()
    }
    return Shot(request, chain, plan, prompt_schedules)
