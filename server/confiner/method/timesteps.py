# SPDX-License-Identifier: GPL-3.0-or-later
"""Which timesteps are visited. Both grids fall; after the last one the clean latents are the result (ā = 1)."""

from __future__ import annotations


def control_timesteps(steps: int, train_timesteps: int = 1000) -> tuple[int, ...]:
    """Trailing timesteps of the control stage: 4 steps of 1000 are 999, 749, 499, 249."""
    return tuple(round(train_timesteps - k * train_timesteps / steps) - 1 for k in range(steps))


def refine_timesteps(freedom: int, steps: int) -> tuple[int, ...]:
    """DDIM timesteps of the refinement, exactly from T_e = `freedom` on: 100 in 5 steps is 100, 80, 60, 40, 20."""
    return tuple(round(freedom * k / steps) for k in range(steps, 0, -1))
