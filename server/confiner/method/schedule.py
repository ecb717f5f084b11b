# SPDX-License-Identifier: GPL-3.0-or-later
"""Noise schedules: ā of every timestep, and the one form in which every expert's output is understood.

    x = √ā·x0 + √(1−ā)·noise          (variance preserving; x latents, x0 clean latents, ā = alphas_cumprod[t])

A `Prediction` is both halves of that sum. No code outside this file multiplies or divides by √ā, and this file never
divides by it where ā = 0, since there x says nothing of x0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from ..errors import ScheduleError

PredictionType = Literal["epsilon", "v_prediction", "sample"]


@dataclass(frozen=True)
class Prediction:
    """What latents are made of: clean latents and noise, each `[batch, channels, frames, height, width]`."""

    x0: torch.Tensor
    noise: torch.Tensor

    def cut(self, start: int, end: int) -> Prediction:
        """Frames `start` to `end` (exclusive), copied, so that the rest can be released."""
        return Prediction(self.x0[:, :, start:end].clone(), self.noise[:, :, start:end].clone())

    def split(self) -> list[Prediction]:
        """The members of the batch, one by one."""
        return [Prediction(x0, noise) for x0, noise in zip(self.x0.split(1), self.noise.split(1), strict=True)]


def joined(predictions: Sequence[Prediction], dim: Literal["batch", "frames"]) -> Prediction:
    """Several predictions as one, side by side in the batch or one after the other in time."""
    axis = 0 if dim == "batch" else 2
    return Prediction(
        *(torch.cat(halves, axis) for halves in zip(*((p.x0, p.noise) for p in predictions), strict=True))
    )


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """ā for every training timestep (float64, `[train_timesteps]`), and what the expert trained with it puts out."""

    alphas_cumprod: torch.Tensor
    prediction_type: PredictionType = "epsilon"

    def __post_init__(self) -> None:
        table = self.alphas_cumprod
        if not bool(((table >= 0) & (table < 1)).all()) or bool((table.diff() >= 0).any()):
            raise ScheduleError("ā that does not fall from below 1 to 0", "a falling table", "check the betas")
        if self.prediction_type == "epsilon" and float(table[-1]) == 0.0:
            raise ScheduleError(
                "ε-prediction with ā = 0 at the last timestep",
                "v- or sample-prediction where a schedule ends at zero signal",
                "set prediction_type in the chain file, or zero_snr = false",
            )

    def __len__(self) -> int:
        return len(self.alphas_cumprod)

    def alpha_bar(self, timestep: int) -> float:
        """ā[t]."""
        return float(self.alphas_cumprod[timestep])

    def sigma(self, timestep: int) -> float:
        """σ[t] = √((1−ā)/ā), the noise per signal; infinite where ā = 0."""
        alpha_bar = self.alpha_bar(timestep)
        return math.sqrt((1 - alpha_bar) / alpha_bar) if alpha_bar > 0 else math.inf

    def timestep_at(self, sigma: float) -> int:
        """The timestep whose σ is nearest, by log σ (equal signal-to-noise across schedules)."""
        wanted = math.log(sigma) if math.isfinite(sigma) else math.inf
        logs = 0.5 * (torch.log1p(-self.alphas_cumprod) - torch.log(self.alphas_cumprod))
        return int((logs - wanted).abs().argmin()) if math.isfinite(wanted) else len(self) - 1

    def add_noise(self, prediction: Prediction, timestep: int) -> torch.Tensor:
        """x = √ā·x0 + √(1−ā)·noise: the latents at `timestep` that consist of `prediction`."""
        alpha_bar = self.alpha_bar(timestep)
        return math.sqrt(alpha_bar) * prediction.x0 + math.sqrt(1 - alpha_bar) * prediction.noise

    def to_prediction(self, output: torch.Tensor, latents: torch.Tensor, timestep: int) -> Prediction:
        """A model's raw output on `latents` at `timestep`, taken apart by the schedule's prediction type."""
        if self.prediction_type == "epsilon":
            return self.prediction_from_noise(latents, output, timestep)
        if self.prediction_type == "sample":
            return self.prediction_from_x0(latents, output, timestep)
        alpha_bar = self.alpha_bar(timestep)
        signal, spread = math.sqrt(alpha_bar), math.sqrt(1 - alpha_bar)
        return Prediction(x0=signal * latents - spread * output, noise=signal * output + spread * latents)

    def prediction_from_noise(self, latents: torch.Tensor, noise: torch.Tensor, timestep: int) -> Prediction:
        """Take latents apart where the noise in them is known. ScheduleError where ā = 0."""
        alpha_bar = self.alpha_bar(timestep)
        if alpha_bar == 0.0:
            raise ScheduleError(f"ā = 0 at timestep {timestep}", "some signal to recover x0 from", "predict v or x0")
        return Prediction(x0=(latents - math.sqrt(1 - alpha_bar) * noise) / math.sqrt(alpha_bar), noise=noise)

    def prediction_from_x0(self, latents: torch.Tensor, x0: torch.Tensor, timestep: int) -> Prediction:
        """Take latents apart where the clean latents in them are known."""
        alpha_bar = self.alpha_bar(timestep)
        return Prediction(x0=x0, noise=(latents - math.sqrt(alpha_bar) * x0) / math.sqrt(1 - alpha_bar))


def build_schedule(
    beta_start: float,
    beta_end: float,
    beta_schedule: Literal["linear", "scaled_linear"],
    prediction_type: PredictionType = "epsilon",
    zero_snr: bool = False,
    train_timesteps: int = 1000,
) -> NoiseSchedule:
    """The schedule from its betas, in float64; the arguments are diffusers'.

    `zero_snr` rescales the table so that the last ā is 0 and the first stays (Lin et al. 2023, algorithm 1).
    """
    if beta_schedule == "linear":
        betas = torch.linspace(beta_start, beta_end, train_timesteps, dtype=torch.float64)
    else:
        betas = torch.linspace(beta_start**0.5, beta_end**0.5, train_timesteps, dtype=torch.float64).square()
    table = torch.cumprod(1.0 - betas, dim=0)
    if zero_snr:
        roots = table.sqrt()
        table = ((roots - roots[-1]) * roots[0] / (roots[0] - roots[-1])).square()
    return NoiseSchedule(table, prediction_type)
