# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot about to be made: request, chain, plan and encoded prompts, and what each step needs of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import torch

from ..experts.text_encoder import PromptSchedule
from ..loading.chain import Chain
from ..method.denoiser import PromptEmbeds
from ..method.evaluations import evaluations
from ..method.finite import Watch
from ..method.noise import NoiseSource
from ..method.rules import RULES, PromptedExpert, RefineStep
from ..method.timesteps import control_timesteps, refine_timesteps
from ..method.windows import Window
from .frame_layout import FrameLayout
from .plan import Plan
from .request import ClipRequest
from .state import Band, ShotState


@dataclass(frozen=True, eq=False)
class PreparedShot:
    """What every step of a shot reads, and none changes. `prompts` are the encoded prompts by the expert's role."""

    request: ClipRequest
    chain: Chain
    plan: Plan
    prompts: dict[str, PromptSchedule]

    @cached_property
    def layout(self) -> FrameLayout:
        return frame_layout(self.request, self.chain, self.plan)

    @cached_property
    def noise(self) -> NoiseSource:
        return NoiseSource(self.request.seed)

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """The latents of one frame, `(channels, height, width)`."""
        return self.chain.space.frame_shape(self.request.width, self.request.height)

    @property
    def control_timesteps(self) -> tuple[int, ...]:
        return control_timesteps(self.plan.control_steps, len(self.chain.control.schedule))

    @property
    def refine_timesteps(self) -> tuple[int, ...]:
        return refine_timesteps(self.plan.freedom, self.plan.refine_steps)

    def segment_embeds(self, segments: range) -> PromptEmbeds:
        """The control expert's text for a batch of segments."""
        n = self.layout.segment_frames
        each = [self._embeds("control", range(segment * n, (segment + 1) * n)) for segment in segments]
        negatives = [embeds.negative for embeds in each if embeds.negative is not None]
        return PromptEmbeds(torch.cat([embeds.prompt for embeds in each]), torch.cat(negatives) if negatives else None)

    def structure_noise(self, frames: range) -> torch.Tensor:
        """The noise that the structure is noised with (ε in eq. 6), `[1, channels, frames, height, width]`."""
        return self.to_device(self.noise.frames(self.frame_shape, frames, "structure"))

    def refine_step(self, step: int, window: Window) -> RefineStep:
        """What a rule needs for one window at one step."""
        spatial, temporal = self.chain.spatial, self.chain.temporal
        t = self.refine_timesteps[step]
        s = t if self.plan.timestep_map == "same" else temporal.schedule.timestep_at(spatial.schedule.sigma(t))
        return RefineStep(
            S=PromptedExpert(spatial, self._embeds("spatial", window.frames)),
            T=PromptedExpert(temporal, self._embeds("temporal", window.frames)),
            t=t,
            s=s,
            k=step,
            steps=self.plan.refine_steps,
            hinge_noise=self.plan.hinge_noise,
            draw=partial(self._hinge_noise, step, window.frames),
        )

    def _hinge_noise(self, step: int, frames: range, hop: str) -> torch.Tensor:
        return self.to_device(self.noise.frames(self.frame_shape, frames, "hinge", hop, step))

    def _embeds(self, role: str, frames: range) -> PromptEmbeds:
        """An expert's text; what it says of a frame is keyed to the frame's number in the clip."""
        first = self.layout.lead_in
        return self.prompts[role].at(range(frames.start - first, frames.stop - first))

    @cached_property
    def evaluations(self) -> int:
        """Model evaluations of the whole shot (NFE), guidance counted twice."""
        structure = 0 if self.layout.from_structure else self.layout.segments * self.plan.control_steps
        refinement = sum(len(self.layout.windows(k)) * self.step_evaluations(k) for k in range(self.plan.refine_steps))
        return structure * self.chain.control.passes + refinement

    def step_evaluations(self, step: int) -> int:
        """Model evaluations of one refinement step on one window."""
        asked = evaluations(RULES.find(self.plan.rule), step, self.plan.refine_steps)
        return asked["spatial"] * self.chain.spatial.passes + asked["temporal"] * self.chain.temporal.passes

    def start(self) -> ShotState:
        """The state in which nothing is done."""
        return ShotState(levels=(Band(),) * (self.plan.refine_steps + 1), delivered=self.layout.lead_in)

    def to_device(self, noise: torch.Tensor) -> torch.Tensor:
        return noise.to(self.plan.device)


def frame_layout(request: ClipRequest, chain: Chain, plan: Plan) -> FrameLayout:
    """How a shot is cut up, by what its chain's experts take at a time."""
    return FrameLayout(
        num_frames=request.num_frames,
        from_structure=request.structure is not None,
        segment_frames=chain.control.spec.frames,
        window_frames=chain.temporal.spec.frames,
        plan=plan,
    )


def prepare(request: ClipRequest, chain: Chain, plan: Plan) -> PreparedShot:
    """Encode the prompts with every expert's text encoder. Runs the encoders: call it inside `numerics`.

    Raises NotFinite if an encoder gives what is no number; looked at once, when all have read.
    """
    # Where things happen in time is the structure's to say, if there is one.
    with_phases = request.structure is None
    prompts = {
        role: expert.read(
            request.prompt,
            request.negative_prompt,
            stretches=request.stretches,
            crossover=request.crossover,
            moments=with_phases,
        )
        for role, expert in chain.experts.items()
    }
    watch = Watch(chain.dtype)
    for role, encoded in prompts.items():
        for embeds in (*encoded.prompts, *([] if encoded.negative is None else [encoded.negative])):
            watch.note(f"the text encoder of the {role} expert", embeds)
    watch.check("when it read the prompts")
    return PreparedShot(request, chain, plan, prompts)
