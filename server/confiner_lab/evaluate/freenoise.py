# SPDX-License-Identifier: GPL-3.0-or-later
"""FreeNoise (arXiv 2310.15169) as diffusers has it, on a chain's own control expert: what long shots are compared with.

It gets what is best for it here: the text of every frame's own moment, as the control expert was trained on, and as
many steps as the whole chain takes; its context, stride and weights are diffusers' defaults, made for AnimateDiff.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import torch
from confiner import Chain, ClipRequest, Plan
from confiner.experts.expert import Expert
from confiner.experts.latent_space import Pictures
from confiner.generation.numerics import numerics
from diffusers import AnimateDiffPipeline, DDIMScheduler

STRIDE = 4


class FreeNoise:
    """The control expert with FreeNoise enabled on a copy of its network."""

    def __init__(self, chain: Chain) -> None:
        control = chain.control
        self.chain = chain
        self.pipeline: Any = AnimateDiffPipeline(
            vae=chain.space.vae,
            text_encoder=control.text.model,
            tokenizer=control.text.tokenizer,
            unet=copy.deepcopy(control.unet),
            motion_adapter=None,
            scheduler=_scheduler(control),
        )
        self.pipeline.set_progress_bar_config(disable=True)
        # What enable_free_noise reads of the adapter that the network was made with.
        longest = SimpleNamespace(config=SimpleNamespace(motion_max_seq_length=2 * control.spec.frames))
        self.pipeline.motion_adapter = longest
        self.pipeline.enable_free_noise(context_length=control.spec.frames, context_stride=STRIDE)

    def make(self, request: ClipRequest, plan: Plan) -> Iterator[tuple[Pictures, int]]:
        """Pictures in order, and the bytes of latents and frames that are held while they are made."""
        with numerics(plan):
            latents = self.pipeline(
                self._prompts(request),
                num_frames=request.num_frames,
                width=request.width,
                height=request.height,
                num_inference_steps=plan.control_steps + plan.refine_steps,
                guidance_scale=1.0,
                generator=torch.Generator().manual_seed(request.seed),
                output_type="latent",
            ).frames
        held = 2 * latents.numel() * latents.element_size()  # the latents and the noise predicted in them
        for start in range(0, request.num_frames, plan.decode_frames):
            with numerics(plan):
                pictures = self.chain.space.decode(latents[:, :, start : start + plan.decode_frames])
            yield pictures, held + pictures.nbytes

    def _prompts(self, request: ClipRequest) -> dict[int, str]:
        """The text of every frame, by frame."""
        spec = self.chain.control.spec
        if not spec.moments:
            return {0: request.prompt}
        texts = [spec.frame_text.replace("{moment}", str(moment)) for moment in range(spec.moments)]
        return {
            frame: texts[frame % spec.moments].replace("{prompt}", request.prompt)
            for frame in range(request.num_frames)
        }


def _scheduler(control: Expert) -> DDIMScheduler:
    spec = control.spec.schedule
    return DDIMScheduler(
        beta_start=spec.beta_start,
        beta_end=spec.beta_end,
        beta_schedule=spec.beta_schedule,
        prediction_type=spec.prediction_type,
        rescale_betas_zero_snr=spec.zero_snr,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
    )
