# SPDX-License-Identifier: GPL-3.0-or-later
"""Each adapter's x̂ against diffusers' own arithmetic at the same latents, timestep, prompt and guidance."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from confiner.experts.expert import Expert
from confiner.loading.chain import Chain
from diffusers import AnimateDiffPipeline, DDIMScheduler, StableDiffusionPipeline
from diffusers.pipelines.deprecated.text_to_video_synthesis import TextToVideoSDPipeline

PROMPT, NEGATIVE, SCALE = "a red cube moves left", "grey", 2.5
FRAMES = 6


def _latents(batch: int = 1) -> torch.Tensor:
    return torch.randn(batch, 4, FRAMES, 8, 8, generator=torch.Generator().manual_seed(11))


def _scheduler(expert: Expert) -> DDIMScheduler:
    spec = expert.spec.schedule
    return DDIMScheduler(
        beta_start=spec.beta_start,
        beta_end=spec.beta_end,
        beta_schedule=spec.beta_schedule,
        prediction_type=spec.prediction_type,
        rescale_betas_zero_snr=spec.zero_snr,
        clip_sample=False,
        set_alpha_to_one=True,
    )


def _guided(expert: Expert) -> Expert:
    spec = replace(expert.spec, guidance="optional", guidance_scale=SCALE, frame_text="", moments=0)
    return type(expert)(spec, expert.unet, expert.text)


def _parts(expert: Expert, chain: Chain) -> dict[str, object]:
    return {
        "vae": chain.space.vae,
        "text_encoder": expert.text.model,
        "tokenizer": expert.text.tokenizer,
        "unet": expert.unet,
        "scheduler": _scheduler(expert),
    }


def _theirs(pipeline: object, expert: Expert, latents: torch.Tensor, timestep: int, repeat: int) -> torch.Tensor:
    """One guided evaluation as the pipelines write it, and their scheduler's x̂."""
    text, negative = pipeline.encode_prompt(PROMPT, "cpu", 1, True, NEGATIVE)  # type: ignore[attr-defined]
    embeds = torch.cat([negative, text]).repeat_interleave(repeat, dim=0)
    inputs = torch.cat([latents, latents])
    without, with_text = expert.unet(inputs, timestep, encoder_hidden_states=embeds).sample.chunk(2)
    output = without + SCALE * (with_text - without)
    scheduler = _scheduler(expert)
    scheduler.set_timesteps(1000)
    x0: torch.Tensor = scheduler.step(output, timestep, latents).pred_original_sample
    return x0


@pytest.mark.parametrize("timestep", [20, 300, 900])
@torch.no_grad()
def test_stable_diffusion(chain: Chain, timestep: int) -> None:
    expert = _guided(chain.spatial)
    ours = expert.predict(_latents(), timestep, expert.read(PROMPT, NEGATIVE).at(range(FRAMES))).x0
    pipeline = StableDiffusionPipeline(
        **_parts(expert, chain), safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )
    for frame in range(FRAMES):
        theirs = _theirs(pipeline, expert, _latents()[:, :, frame], timestep, 1)
        torch.testing.assert_close(ours[:, :, frame], theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("timestep", [20, 300, 900])
@torch.no_grad()
def test_animatediff(chain: Chain, timestep: int) -> None:
    expert = _guided(chain.control)
    ours = expert.predict(_latents(), timestep, expert.read(PROMPT, NEGATIVE).at(range(FRAMES))).x0
    pipeline = AnimateDiffPipeline(**_parts(expert, chain), motion_adapter=None)
    theirs = _theirs(pipeline, expert, _latents(), timestep, FRAMES)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("timestep", [20, 300, 900])
@torch.no_grad()
def test_modelscope(chain: Chain, timestep: int) -> None:
    expert = _guided(chain.temporal)
    ours = expert.predict(_latents(), timestep, expert.read(PROMPT, NEGATIVE).at(range(FRAMES))).x0
    pipeline = TextToVideoSDPipeline(**_parts(expert, chain))
    theirs = _theirs(pipeline, expert, _latents(), timestep, 1)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("role", ["control", "spatial", "temporal"])
@torch.no_grad()
def test_members_of_a_batch_do_not_meet(chain: Chain, role: str) -> None:
    expert = _guided(chain.experts[role])
    embeds = expert.read(PROMPT, NEGATIVE).at(range(FRAMES))
    both = expert.predict(_latents(2), 400, embeds).x0
    alone = expert.predict(_latents(2)[1:], 400, embeds).x0
    torch.testing.assert_close(both[1:], alone, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_each_frame_reads_the_text_of_its_own_moment(chain: Chain) -> None:
    expert, frames = chain.control, range(30, 30 + FRAMES)
    texts = [expert.text.encode([f"{PROMPT} <m{frame % 32}>"]) for frame in frames]
    output = expert.unet(_latents(), 300, encoder_hidden_states=torch.cat(texts)).sample
    theirs = expert.schedule.to_prediction(output, _latents(), 300)
    ours = expert.predict(_latents(), 300, expert.read(PROMPT).at(frames))
    torch.testing.assert_close(ours.x0, theirs.x0, rtol=1e-5, atol=1e-5)
    first = expert.predict(_latents(), 300, expert.read(PROMPT).at([30] * FRAMES))
    assert (first.x0 - ours.x0).abs().amax() > 1e-3


def test_moments_come_round(chain: Chain) -> None:
    script = chain.control.read(PROMPT)
    assert torch.equal(script.at([33]).prompt, script.at([1]).prompt)
    assert not torch.equal(script.at([2]).prompt, script.at([1]).prompt)
    assert torch.equal(chain.control.read(PROMPT, moments=False).prompts[0], chain.control.text.encode([PROMPT]))
    assert chain.temporal.read(PROMPT).at(range(FRAMES)).prompt.shape[1] == 1


def test_a_prompt_may_hold_braces(chain: Chain) -> None:
    script = chain.control.read("a {moment} {prompt}")
    assert len(script.prompts[0]) == 32
