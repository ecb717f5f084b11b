# SPDX-License-Identifier: GPL-3.0-or-later
"""Coherence guidance and consistency initialization, by the paper's formulas."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Literal

import pytest
import torch
from confiner.chains import ScheduleSpec
from confiner.method.coherence import Space, steer
from confiner.method.consistency import initial_noise
from confiner.method.noise import NoiseSource
from confiner.method.schedule import Prediction, build_schedule

ORDINARY = build_schedule(**asdict(ScheduleSpec(0.00085, 0.012, "linear")))
ZERO_SNR = build_schedule(**asdict(ScheduleSpec(0.00085, 0.012, "scaled_linear", "v_prediction", zero_snr=True)))
SHAPE = (1, 4, 16, 4, 4)


def _normal(seed: int) -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _seen(timestep: int) -> tuple[torch.Tensor, Prediction, Prediction]:
    parts = Prediction(_normal(1), _normal(2))
    return ORDINARY.add_noise(parts, timestep), parts, Prediction(_normal(3), _normal(4))


def test_the_papers_step_mixes_the_noises() -> None:
    latents, seen, reference = _seen(499)
    steered = steer(ORDINARY, latents, 499, seen, reference, 0.1, "eps")
    torch.testing.assert_close(steered.noise, 0.8 * seen.noise + 0.2 * reference.noise)
    copied = steer(ORDINARY, latents, 499, seen, reference, 0.5, "eps")
    torch.testing.assert_close(copied.noise, reference.noise)


@pytest.mark.parametrize("space", ["eps", "direction", "direction-normed", "x0"])
def test_what_is_steered_still_makes_up_the_same_latents(space: Space) -> None:
    latents, seen, reference = _seen(499)
    steered = steer(ORDINARY, latents, 499, seen, reference, 0.1, space)
    torch.testing.assert_close(ORDINARY.add_noise(steered, 499), latents)
    part = "x0" if space == "x0" else "noise"
    before = (getattr(seen, part) - getattr(reference, part)).norm()
    assert (getattr(steered, part) - getattr(reference, part)).norm() < before


def test_a_normed_direction_keeps_the_noises_size() -> None:
    latents, seen, reference = _seen(499)
    steered = steer(ORDINARY, latents, 499, seen, reference, 0.2, "direction-normed")
    torch.testing.assert_close(steered.noise.norm(), seen.noise.norm())
    plain = steer(ORDINARY, latents, 499, seen, reference, 0.2, "direction")
    torch.testing.assert_close((plain.noise - seen.noise).norm(), 0.2 * seen.noise.norm())


@pytest.mark.parametrize("space", ["eps", "direction-normed"])
def test_where_there_is_no_signal_clean_latents_are_steered(space: Space) -> None:
    latents = _normal(5)
    seen, reference = Prediction(_normal(1), latents), Prediction(_normal(3), _normal(4))
    steered = steer(ZERO_SNR, latents, 999, seen, reference, 0.1, space)
    torch.testing.assert_close(steered.x0, 0.8 * seen.x0 + 0.2 * reference.x0)
    torch.testing.assert_close(steered.noise, latents)


def test_a_segment_equal_to_its_reference_stays_as_it_is() -> None:
    latents, seen, _ = _seen(499)
    for space in ("eps", "direction", "direction-normed", "x0"):
        steered = steer(ORDINARY, latents, 499, seen, seen, 0.3, space)
        torch.testing.assert_close(steered.noise, seen.noise)


def _initial(segment: int, how: Literal["shuffle", "shared", "mix", "random"], mix: float = 0.5) -> torch.Tensor:
    return initial_noise(NoiseSource(9), (4, 16, 16), segment, 16, how, mix)


def test_shuffled_segments_have_the_first_ones_frames_in_another_order() -> None:
    first, second = _initial(0, "shuffle"), _initial(1, "shuffle")
    assert not torch.equal(first, second)
    for frame in range(16):
        assert any(torch.equal(second[:, :, frame], first[:, :, other]) for other in range(16))
    assert not torch.equal(_initial(2, "shuffle"), second)


def test_shared_and_random_segments_are_alike_and_independent() -> None:
    assert torch.equal(_initial(3, "shared"), _initial(0, "shared"))
    first, second = _initial(0, "random").flatten(), _initial(1, "random").flatten()
    assert abs(float(torch.corrcoef(torch.stack([first, second]))[0, 1])) < 0.03


def test_a_mix_has_its_share_of_the_base_noise_and_its_variance() -> None:
    first, second = _initial(0, "mix", 0.25).flatten(), _initial(1, "mix", 0.25).flatten()
    assert float(second.std()) == pytest.approx(1.0, abs=0.02)
    assert float(torch.corrcoef(torch.stack([first, second]))[0, 1]) == pytest.approx(math.sqrt(0.25), abs=0.03)
