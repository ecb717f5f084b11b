# SPDX-License-Identifier: GPL-3.0-or-later
"""Coherence guidance: a segment is drawn towards another one at every control step (ConFiner-Long, second strategy).

The gradient of ‖ε̂ − ε_ref‖² is taken with respect to ε̂ itself, so it is 2(ε̂ − ε_ref) and needs no backpropagation.
"""

from __future__ import annotations

from typing import Literal

import torch

from .schedule import NoiseSchedule, Prediction

Space = Literal["eps", "direction", "direction-normed", "x0"]


def steer(
    schedule: NoiseSchedule,
    latents: torch.Tensor,
    timestep: int,
    seen: Prediction,
    reference: Prediction,
    strength: float,
    space: Space,
) -> Prediction:
    """`seen` at `latents`, moved towards `reference` by `strength` = γ; one segment, `[1, channels, frames, …]`.

    `eps` is the paper's step on ε̂. `direction` goes γ·‖ε̂‖ along the same direction whatever the distance, and
    `direction-normed` then restores ‖ε̂‖, which few steps need. `x0` moves x̂. Where ā = 0, x̂ is moved in any space,
    since ε̂ is then the latents themselves.
    """
    if space == "x0" or schedule.alpha_bar(timestep) == 0.0:
        return schedule.prediction_from_x0(latents, seen.x0 - 2 * strength * (seen.x0 - reference.x0), timestep)
    apart = seen.noise - reference.noise
    if space == "eps":
        return schedule.prediction_from_noise(latents, seen.noise - 2 * strength * apart, timestep)
    norm = seen.noise.norm()
    moved = seen.noise - strength * norm * apart / apart.norm().clamp_min(torch.finfo(apart.dtype).tiny)
    if space == "direction-normed":
        moved = moved * (norm / moved.norm())
    return schedule.prediction_from_noise(latents, moved, timestep)
