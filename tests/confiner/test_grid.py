# SPDX-License-Identifier: GPL-3.0-or-later
"""Timestep grids."""

from __future__ import annotations

import pytest
from confiner.method.timesteps import control_timesteps, refine_timesteps
from diffusers import EulerDiscreteScheduler


def test_refinement_starts_exactly_at_the_freedom() -> None:
    assert refine_timesteps(100, 5) == (100, 80, 60, 40, 20)
    assert refine_timesteps(300, 10)[0] == 300
    for freedom in (1, 7, 99, 333, 999):
        for steps in (1, 2, 5, 13):
            if steps <= freedom:
                grid = refine_timesteps(freedom, steps)
                assert grid[0] == freedom
                assert len(set(grid)) == steps
                assert list(grid) == sorted(grid, reverse=True)
                assert grid[-1] > 0


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7, 8, 18])
def test_control_timesteps_are_diffusers_trailing_ones(steps: int) -> None:
    scheduler = EulerDiscreteScheduler(timestep_spacing="trailing")
    scheduler.set_timesteps(steps)
    assert list(control_timesteps(steps)) == [int(timestep) for timestep in scheduler.timesteps]
