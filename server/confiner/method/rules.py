# SPDX-License-Identifier: GPL-3.0-or-later
"""Refinement rules: how the spatial and the temporal expert share one denoising step (section 3.3 of the paper).

A rule's function takes the prediction that the step before ended with and returns this step's. Between steps a window
is a prediction, clean latents x̂ and noise, and belongs to no schedule; a rule puts it onto an expert's schedule
(`add_noise`), asks that expert (`predict`), or does both (`denoise`). With `standard`, adding at t_k the noise that was
predicted at t_{k−1} is a DDIM step with η = 0.

    S, T   spatial, temporal expert          t   timestep on S's schedule
    x, y   latents on S's, T's schedule      s   timestep on T's schedule, where T is asked

The *hinge* is timestep 0, where every schedule agrees (ā = 1): clean latents leave one expert's schedule there and
enter the other's, with noise added anew.

To add a rule here: a function, and its record in `BUILT_IN`. A package of its own adds one by an entry point in the
group `confiner.rules` (see `confiner.registry`). No torch is imported before a rule is used, so that what only lists
rules starts quickly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..registry import Registry

if TYPE_CHECKING:
    import torch

    from .denoiser import Denoiser, PromptEmbeds
    from .schedule import Prediction

Role = Literal["spatial", "temporal"]


@dataclass(frozen=True)
class PromptedExpert:
    """An expert with the text of the window's frames."""

    expert: Denoiser
    prompt_embeds: PromptEmbeds

    def add_noise(self, prediction: Prediction, timestep: int) -> torch.Tensor:
        """√ā·x̂ + √(1−ā)·noise on the expert's schedule, `[1, channels, frames, height, width]`."""
        return self.expert.schedule.add_noise(prediction, timestep)

    def predict(self, latents: torch.Tensor, timestep: int) -> Prediction:
        """What the expert sees in `latents`, which are on its own schedule."""
        return self.expert.predict(latents, timestep, self.prompt_embeds)

    def denoise(self, prediction: Prediction, timestep: int) -> Prediction:
        """Add the prediction's noise at `timestep`, and ask the expert what it sees there."""
        return self.predict(self.add_noise(prediction, timestep), timestep)


@dataclass(frozen=True)
class RefineStep:
    """Step `k` of `steps` on one window.

    `draw(hop)` is standard normal noise of the window's shape, `[1, channels, frames, height, width]`, the same
    whenever it is asked for with the same name.
    """

    S: PromptedExpert
    T: PromptedExpert
    t: int
    s: int
    k: int
    steps: int
    hinge_noise: Literal["fresh", "shared", "predicted"]
    draw: Callable[[str], torch.Tensor]

    def over_hinge(self, prediction: Prediction, to: Role) -> Prediction:
        """The prediction with the noise that it leaves the hinge with, towards the expert `to`."""
        if self.hinge_noise == "predicted":
            return prediction
        return dataclasses.replace(prediction, noise=self.draw("both" if self.hinge_noise == "shared" else to))


@dataclass(frozen=True)
class Rule:
    """A refinement rule: its name in requests and takes, how a menu shows it, and its function.

    `label` is for a menu, `description` one sentence on what comes out of it. `refine(before, step)` must be a function
    of its arguments alone.
    """

    name: str
    label: str
    description: str
    refine: Callable[[Prediction, RefineStep], Prediction]


def standard(before: Prediction, at: RefineStep) -> Prediction:
    """The spatial expert alone."""
    return at.S.denoise(before, at.t)


def temporal(before: Prediction, at: RefineStep) -> Prediction:
    """The temporal expert alone, on its own schedule."""
    return at.T.denoise(before, at.s)


def coordinated(before: Prediction, at: RefineStep) -> Prediction:
    """The paper's coordinated denoising (algorithm 1, eq. 8–10): S, over the hinge to T, back to S."""
    there = at.over_hinge(at.S.denoise(before, at.t), "temporal")
    back = at.over_hinge(at.T.denoise(there, at.s), "spatial")
    return at.S.denoise(back, at.t)


def reuse(before: Prediction, at: RefineStep) -> Prediction:
    """`coordinated` with the previous step's x̂ in place of the first spatial call."""
    there = at.over_hinge(before, "temporal")
    back = at.over_hinge(at.T.denoise(there, at.s), "spatial")
    return at.S.denoise(back, at.t)


def blend(before: Prediction, at: RefineStep) -> Prediction:
    """Half S's x̂, half T's of S's x̂ with noise added anew; the noise is what is left of x."""
    x = at.S.add_noise(before, at.t)
    spatial = at.S.predict(x, at.t)
    x0 = 0.5 * (spatial.x0 + at.T.denoise(at.over_hinge(spatial, "temporal"), at.s).x0)
    return at.S.expert.schedule.prediction_from_x0(x, x0, at.t)


def alternate(before: Prediction, at: RefineStep) -> Prediction:
    """One expert a step, in turn (eq. 7); the last step is spatial, since it decides the frames' detail."""
    return standard(before, at) if (at.steps - at.k) % 2 else temporal(before, at)


def split(before: Prediction, at: RefineStep) -> Prediction:
    """The temporal expert for the first half of the steps, the spatial one for the rest."""
    return temporal(before, at) if at.k < at.steps // 2 else standard(before, at)


BUILT_IN = (
    Rule("coordinated", "Coordinated", "Spatial and temporal expert at every step, as in the paper", coordinated),
    Rule("standard", "Spatial Only", "The spatial expert alone: sharp frames that may flicker", standard),
    Rule("temporal", "Temporal Only", "The temporal expert alone: steady and soft", temporal),
    Rule("alternate", "Alternate", "One expert a step, in turn", alternate),
    Rule("blend", "Blend", "Half of each expert's picture at every step", blend),
    Rule("split", "Split", "First the temporal expert, then the spatial one", split),
    Rule("reuse", "Reuse", "Coordinated at two thirds of its cost", reuse),
)
RULES = Registry(Rule, "confiner.rules", BUILT_IN)
"""Every rule there is; a menu shows them in this order."""
