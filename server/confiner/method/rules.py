# SPDX-License-Identifier: GPL-3.0-or-later
"""Refinement rules: how the spatial and the temporal expert share one denoising step (section 3.3 of the paper).

A rule is a function `(before, at) -> Prediction`. Between steps a window is what it consists of, x̂ and noise, and
belongs to no schedule; a rule puts it onto an expert's schedule (`noised`), asks that expert (`predict`), and returns
what it consists of now. With `standard`, noising at t_k what was predicted at t_{k−1} is a DDIM step with η = 0.

    S, T   spatial, temporal expert          t   timestep on S's schedule
    x, y   latents on S's, T's schedule      s   timestep on T's schedule, where T is asked
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from ..experts.expert import Denoiser
from ..experts.text_encoder import PromptEmbeds
from .schedule import Prediction

Role = Literal["spatial", "temporal"]


@dataclass(frozen=True)
class PromptedExpert:
    """An expert that has the text of the window's frames before it."""

    expert: Denoiser
    embeds: PromptEmbeds

    def add_noise(self, prediction: Prediction, timestep: int) -> torch.Tensor:
        return self.expert.schedule.add_noise(prediction, timestep)

    def predict(self, latents: torch.Tensor, timestep: int) -> Prediction:
        return self.expert.predict(latents, timestep, self.embeds)

    def denoise(self, prediction: Prediction, timestep: int) -> Prediction:
        """Noise `prediction` to `timestep` and ask the expert what it sees there."""
        return self.predict(self.add_noise(prediction, timestep), timestep)


@dataclass(frozen=True)
class RefineStep:
    """One step of the refinement on one window: step `k` of `steps`, and `draw(hop)` for its noise, shaped like x."""

    S: PromptedExpert
    T: PromptedExpert
    t: int
    s: int
    k: int
    steps: int
    hinge_noise: Literal["fresh", "shared", "predicted"]
    draw: Callable[[str], torch.Tensor]

    def with_hinge_noise(self, prediction: Prediction, to: Role) -> Prediction:
        """`prediction` at timestep 0, where every schedule agrees, about to leave on the schedule of the expert `to`."""
        if self.hinge_noise == "predicted":
            return prediction
        return Prediction(prediction.x0, self.draw("both" if self.hinge_noise == "shared" else to))


Rule = Callable[[Prediction, RefineStep], Prediction]


def standard(before: Prediction, at: RefineStep) -> Prediction:
    """The spatial expert alone."""
    return at.S.denoise(before, at.t)


def temporal(before: Prediction, at: RefineStep) -> Prediction:
    """The temporal expert alone, on its own schedule."""
    return at.T.denoise(before, at.s)


def coordinated(before: Prediction, at: RefineStep) -> Prediction:
    """The paper's coordinated denoising (algorithm 1, eq. 8–10): S, over the hinge to T, back to S."""
    x = at.S.add_noise(before, at.t)
    y = at.T.add_noise(at.with_hinge_noise(at.S.predict(x, at.t), "temporal"), at.s)
    x = at.S.add_noise(at.with_hinge_noise(at.T.predict(y, at.s), "spatial"), at.t)
    return at.S.predict(x, at.t)


def reuse(before: Prediction, at: RefineStep) -> Prediction:
    """`coordinated` with the previous step's x̂ in place of the first spatial call."""
    y = at.T.add_noise(at.with_hinge_noise(before, "temporal"), at.s)
    x = at.S.add_noise(at.with_hinge_noise(at.T.predict(y, at.s), "spatial"), at.t)
    return at.S.predict(x, at.t)


def blend(before: Prediction, at: RefineStep) -> Prediction:
    """Half of each expert's x̂, the noise being what is left of x."""
    x = at.S.add_noise(before, at.t)
    seen = at.S.predict(x, at.t)
    y = at.T.add_noise(at.with_hinge_noise(seen, "temporal"), at.s)
    x0 = 0.5 * (seen.x0 + at.T.predict(y, at.s).x0)
    return at.S.expert.schedule.prediction_from_x0(x, x0, at.t)


def alternate(before: Prediction, at: RefineStep) -> Prediction:
    """One expert a step, in turn (eq. 7); the last step is spatial, since it decides the frames' detail."""
    return standard(before, at) if (at.steps - at.k) % 2 else temporal(before, at)


def split(before: Prediction, at: RefineStep) -> Prediction:
    """The temporal expert for the first half of the steps, the spatial one for the rest."""
    return temporal(before, at) if at.k < at.steps // 2 else standard(before, at)


RULES: dict[str, Rule] = {
    "standard": standard,
    "temporal": temporal,
    "coordinated": coordinated,
    "alternate": alternate,
    "blend": blend,
    "split": split,
    "reuse": reuse,
}


def calls(rule: str, k: int, steps: int) -> dict[Role, int]:
    """How often step `k` of `steps` asks each expert."""
    if rule in ("alternate", "split"):
        spatial = (steps - k) % 2 == 1 if rule == "alternate" else k >= steps // 2
        return {"spatial": int(spatial), "temporal": int(not spatial)}
    spatial_calls = {"standard": 1, "temporal": 0, "coordinated": 2, "blend": 1, "reuse": 1}[rule]
    return {"spatial": spatial_calls, "temporal": int(rule != "standard")}
