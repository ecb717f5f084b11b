# SPDX-License-Identifier: GPL-3.0-or-later
"""The control stage against AnimateDiffPipeline's own latents, and segments against each other."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
import torch
from confiner.chains import ScheduleSpec
from confiner.experts.animatediff import AnimateDiffExpert
from confiner.loading.chain import Chain
from confiner.method.control import Guidance, control_step, pure_noise
from confiner.method.schedule import Prediction, build_schedule
from confiner.method.timesteps import control_timesteps
from diffusers import AnimateDiffPipeline, DDIMScheduler, EulerDiscreteScheduler

from tests.confiner.gaussian import NO_TEXT, GaussianExpert

LIGHTNING = ScheduleSpec(0.00085, 0.012, "linear")
ZERO_SNR = ScheduleSpec(0.00085, 0.012, "scaled_linear", "v_prediction", zero_snr=True)
UNGUIDED = Guidance(0.0, "eps", "previous")


def _noise() -> torch.Tensor:
    return torch.randn(1, 4, 16, 8, 8, generator=torch.Generator().manual_seed(3))


def _ours(expert: AnimateDiffExpert, prompt: str, negative: str, steps: int) -> torch.Tensor:
    embeds = expert.read(prompt, negative).at(range(16))
    parts = pure_noise(_noise())
    with torch.no_grad():
        for timestep in control_timesteps(steps):
            parts, _ = control_step(expert, parts, timestep, embeds, UNGUIDED, None)
    return parts.x0


@pytest.mark.parametrize("guidance_scale", [1.0, 3.0])
@pytest.mark.parametrize("steps", [1, 4, 8])
@pytest.mark.parametrize("zero_snr", [False, True])
def test_the_structure_is_animatediffs_own(chain: Chain, zero_snr: bool, steps: int, guidance_scale: float) -> None:
    """Euler on trailing timesteps for an ordinary schedule, DDIM with η = 0 for one that ends at no signal."""
    spec = ZERO_SNR if zero_snr else LIGHTNING
    control = chain.control
    expert = AnimateDiffExpert(
        replace(
            control.spec, schedule=spec, frame_text="", moments=0, guidance="optional", guidance_scale=guidance_scale
        ),
        control.unet,
        control.text,
    )
    betas = {"beta_start": spec.beta_start, "beta_end": spec.beta_end, "beta_schedule": spec.beta_schedule}
    if zero_snr:
        scheduler = DDIMScheduler(
            **betas,
            prediction_type="v_prediction",
            rescale_betas_zero_snr=True,
            timestep_spacing="trailing",
            clip_sample=False,
            set_alpha_to_one=True,
        )
    else:
        scheduler = EulerDiscreteScheduler(**betas, timestep_spacing="trailing")
    pipeline = AnimateDiffPipeline(
        vae=chain.space.vae,
        text_encoder=control.text.model,
        tokenizer=control.text.tokenizer,
        unet=control.unet,
        motion_adapter=None,
        scheduler=scheduler,
    )
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        "a red cube",
        negative_prompt="blur",
        num_frames=16,
        height=32,
        width=32,
        num_inference_steps=steps,
        guidance_scale=guidance_scale,
        latents=_noise(),
        output_type="latent",
    ).frames
    ours = _ours(expert, "a red cube", "blur", steps)
    assert theirs.std() > 0.1
    torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-4 * float(theirs.abs().max()))


@pytest.mark.parametrize("reference", ["previous", "first"])
def test_segments_in_lock_step_are_those_made_one_after_the_other(reference: str) -> None:
    expert = GaussianExpert(build_schedule(**asdict(ZERO_SNR)), mean=0.2, spread=0.7)
    guidance = Guidance(0.1, "direction-normed", reference)  # type: ignore[arg-type]
    noise = torch.randn(5, 4, 16, 2, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def made(batches: list[range]) -> torch.Tensor:
        references: list[Prediction] = []
        finished = []
        for batch in batches:
            parts, trace = pure_noise(noise[batch.start : batch.stop]), []
            for k, timestep in enumerate(control_timesteps(4)):
                known = references[k] if references else None
                parts, kept = control_step(expert, parts, timestep, NO_TEXT, guidance, known)
                trace.append(kept)
            references = trace
            finished.append(parts.x0)
        return torch.cat(finished)

    alone = made([range(i, i + 1) for i in range(5)])
    torch.testing.assert_close(made([range(5)]), alone, rtol=0, atol=1e-14)
    torch.testing.assert_close(made([range(2), range(2, 5)]), alone, rtol=0, atol=1e-14)
