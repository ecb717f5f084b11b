# SPDX-License-Identifier: GPL-3.0-or-later
"""Noise schedules against diffusers' own tables and conversions."""

from __future__ import annotations

import math
from dataclasses import asdict

import pytest
import torch
from confiner.chains import ScheduleSpec
from confiner.errors import ScheduleError
from confiner.method.schedule import NoiseSchedule, Prediction, build_schedule
from diffusers import DDIMScheduler, DDPMScheduler

SCHEDULES = {
    "Stable Diffusion, ModelScope": ScheduleSpec(0.00085, 0.012, "scaled_linear"),
    "AnimateDiff-Lightning": ScheduleSpec(0.00085, 0.012, "linear"),
    "LaVie": ScheduleSpec(1e-4, 0.02, "linear"),
    "zero-SNR": ScheduleSpec(0.00085, 0.012, "scaled_linear", "v_prediction", zero_snr=True),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_alphas_are_those_of_diffusers(name: str) -> None:
    spec = SCHEDULES[name]
    theirs = DDIMScheduler(
        beta_start=spec.beta_start,
        beta_end=spec.beta_end,
        beta_schedule=spec.beta_schedule,
        rescale_betas_zero_snr=spec.zero_snr,
    ).alphas_cumprod
    ours = build_schedule(**asdict(spec)).alphas_cumprod
    assert ours.dtype == torch.float64
    assert len(ours) == 1000
    torch.testing.assert_close(ours.float(), theirs, rtol=2e-5, atol=1e-6)


def test_a_zero_snr_table_ends_at_no_signal_and_begins_where_it_did() -> None:
    plain = build_schedule(**asdict(SCHEDULES["Stable Diffusion, ModelScope"]))
    rescaled = build_schedule(**asdict(SCHEDULES["zero-SNR"]))
    assert rescaled.alpha_bar(999) == 0.0
    assert rescaled.alpha_bar(0) == pytest.approx(plain.alpha_bar(0), abs=1e-12)
    assert rescaled.sigma(999) == math.inf


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("timestep", [0, 100, 500, 998])
def test_what_latents_are_made_of_is_found_again(prediction_type: str, timestep: int) -> None:
    spec = ScheduleSpec(0.00085, 0.012, "scaled_linear", prediction_type)  # type: ignore[arg-type]
    schedule = build_schedule(**asdict(spec))
    generator = torch.Generator().manual_seed(1)
    parts = Prediction(torch.randn(1, 4, 3, 2, 2, generator=generator), torch.randn(1, 4, 3, 2, 2, generator=generator))
    latents = schedule.add_noise(parts, timestep)
    alpha_bar = schedule.alpha_bar(timestep)
    output = {
        "epsilon": parts.noise,
        "v_prediction": math.sqrt(alpha_bar) * parts.noise - math.sqrt(1 - alpha_bar) * parts.x0,
        "sample": parts.x0,
    }[prediction_type]
    found = schedule.to_prediction(output, latents, timestep)
    torch.testing.assert_close(found.x0, parts.x0, rtol=0, atol=3e-5)
    torch.testing.assert_close(found.noise, parts.noise, rtol=0, atol=3e-4)


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
def test_conversions_are_those_of_diffusers(prediction_type: str) -> None:
    spec = ScheduleSpec(0.00085, 0.012, "scaled_linear", prediction_type)  # type: ignore[arg-type]
    ddpm = DDPMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type=prediction_type,
        clip_sample=False,
    )
    generator = torch.Generator().manual_seed(2)
    output, latents = torch.randn(1, 4, 8, 8, generator=generator), torch.randn(1, 4, 8, 8, generator=generator)
    theirs = ddpm.step(output, 400, latents, generator=torch.Generator()).pred_original_sample
    ours = build_schedule(**asdict(spec)).to_prediction(output, latents, 400).x0
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_nothing_is_divided_by_zero_where_there_is_no_signal() -> None:
    schedule = build_schedule(**asdict(SCHEDULES["zero-SNR"]))
    output, latents = torch.full((1, 4, 1, 2, 2), 0.5), torch.full((1, 4, 1, 2, 2), 2.0)
    found = schedule.to_prediction(output, latents, 999)
    assert torch.equal(found.x0, -output)
    assert torch.equal(found.noise, latents)
    with pytest.raises(ScheduleError, match="ā = 0 at timestep 999"):
        schedule.prediction_from_noise(latents, latents, 999)


def test_epsilon_prediction_without_signal_is_refused() -> None:
    with pytest.raises(ScheduleError, match="ε-prediction with ā = 0"):
        build_schedule(**asdict(ScheduleSpec(0.00085, 0.012, "scaled_linear", "epsilon", zero_snr=True)))


def test_a_table_that_rises_is_refused() -> None:
    with pytest.raises(ScheduleError, match="does not fall"):
        NoiseSchedule(torch.tensor([0.9, 0.95], dtype=torch.float64))


def test_equal_noise_is_found_on_another_schedule() -> None:
    spatial, lavie = (build_schedule(**asdict(SCHEDULES[name])) for name in ("Stable Diffusion, ModelScope", "LaVie"))
    for timestep in (20, 100, 400, 800):
        assert spatial.timestep_at(spatial.sigma(timestep)) == timestep
        met = lavie.timestep_at(spatial.sigma(timestep))
        beside = [abs(math.log(lavie.sigma(met + step) / spatial.sigma(timestep))) for step in (-1, 0, 1)]
        assert beside[1] == min(beside)
    assert build_schedule(**asdict(SCHEDULES["zero-SNR"])).timestep_at(math.inf) == 999
