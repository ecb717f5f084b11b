# SPDX-License-Identifier: GPL-3.0-or-later
"""Refinement rules on Gaussian experts, where every step can be written by hand."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Literal

import pytest
import torch
from confiner.chains import ScheduleSpec
from confiner.method.evaluations import evaluations
from confiner.method.rules import BUILT_IN, RULES, PromptedExpert, RefineStep
from confiner.method.schedule import Prediction, build_schedule
from confiner.method.timesteps import refine_timesteps

from tests.confiner.gaussian import NO_TEXT, GaussianExpert

STABLE_DIFFUSION = ScheduleSpec(0.00085, 0.012, "scaled_linear")
LAVIE = ScheduleSpec(1e-4, 0.02, "linear", "v_prediction")
SHAPE = (1, 4, 3, 2, 2)


def _experts() -> tuple[GaussianExpert, GaussianExpert]:
    return (
        GaussianExpert(build_schedule(**asdict(STABLE_DIFFUSION)), mean=0.3, spread=0.8),
        GaussianExpert(build_schedule(**asdict(LAVIE)), mean=-0.2, spread=1.1),
    )


def _draw(name: str, k: int) -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(100 * k + len(name)), dtype=torch.float64)


def _refined(
    rule: str,
    S: GaussianExpert,
    T: GaussianExpert,
    structure: torch.Tensor,
    grid: tuple[int, ...],
    hinge_noise: Literal["fresh", "shared", "predicted"] = "fresh",
) -> torch.Tensor:
    parts = Prediction(structure, _draw("ε", 0))
    for k, t in enumerate(grid):
        step = RefineStep(
            PromptedExpert(S, NO_TEXT),
            PromptedExpert(T, NO_TEXT),
            t,
            t,
            k,
            len(grid),
            hinge_noise,
            lambda hop, k=k: _draw(hop, k),
        )
        parts = RULES.find(rule).refine(parts, step)
    return parts.x0


def _structure() -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


def _alpha(spec: ScheduleSpec, t: int) -> float:
    """ā, computed here once more, from the definition."""
    product = 1.0
    for i in range(t + 1):
        if spec.beta_schedule == "linear":
            beta = spec.beta_start + (spec.beta_end - spec.beta_start) * i / 999
        else:
            root = spec.beta_start**0.5 + (spec.beta_end**0.5 - spec.beta_start**0.5) * i / 999
            beta = root * root
        product *= 1 - beta
    return product


def _posterior(x: torch.Tensor, a: float, mean: float, spread: float) -> torch.Tensor:
    return mean + math.sqrt(a) * spread**2 / (a * spread**2 + 1 - a) * (x - math.sqrt(a) * mean)


def test_coordinated_is_the_paper_written_out_by_hand() -> None:
    """METHOD: V0 noised on S's schedule; hinge to T and back with fresh noise; DDIM with η = 0; ā = 1 at the end."""
    S, T = _experts()
    grid = refine_timesteps(100, 5)
    a_S = [_alpha(STABLE_DIFFUSION, t) for t in grid] + [1.0]
    a_T = [_alpha(LAVIE, t) for t in grid]
    x = math.sqrt(a_S[0]) * _structure() + math.sqrt(1 - a_S[0]) * _draw("ε", 0)
    for k in range(5):
        x0 = _posterior(x, a_S[k], 0.3, 0.8)
        y = math.sqrt(a_T[k]) * x0 + math.sqrt(1 - a_T[k]) * _draw("temporal", k)
        y0 = _posterior(y, a_T[k], -0.2, 1.1)
        x = math.sqrt(a_S[k]) * y0 + math.sqrt(1 - a_S[k]) * _draw("spatial", k)
        x0 = _posterior(x, a_S[k], 0.3, 0.8)
        e = (x - math.sqrt(a_S[k]) * x0) / math.sqrt(1 - a_S[k])
        x = math.sqrt(a_S[k + 1]) * x0 + math.sqrt(1 - a_S[k + 1]) * e
    torch.testing.assert_close(_refined("coordinated", S, T, _structure(), grid), x, rtol=0, atol=1e-10)
    assert S.asked == [t for t in grid for _ in range(2)]
    assert T.asked == list(grid)


@pytest.mark.parametrize(
    ("rule", "spec", "mean", "spread"), [("standard", STABLE_DIFFUSION, 0.3, 0.8), ("temporal", LAVIE, -0.2, 1.1)]
)
def test_one_expert_alone_is_ddim_on_its_own_schedule(
    rule: str, spec: ScheduleSpec, mean: float, spread: float
) -> None:
    S, T = _experts()
    grid = refine_timesteps(300, 4)
    a = [_alpha(spec, t) for t in grid] + [1.0]
    x = math.sqrt(a[0]) * _structure() + math.sqrt(1 - a[0]) * _draw("ε", 0)
    for k in range(4):
        x0 = _posterior(x, a[k], mean, spread)
        e = (x - math.sqrt(a[k]) * x0) / math.sqrt(1 - a[k])
        x = math.sqrt(a[k + 1]) * x0 + math.sqrt(1 - a[k + 1]) * e
    torch.testing.assert_close(_refined(rule, S, T, _structure(), grid), x, rtol=0, atol=1e-10)


def test_coordinated_with_predicted_noise_and_one_expert_twice_is_standard() -> None:
    S, _ = _experts()
    grid = refine_timesteps(400, 5)
    coordinated = _refined("coordinated", S, S, _structure(), grid, "predicted")
    torch.testing.assert_close(coordinated, _refined("standard", S, S, _structure(), grid), rtol=0, atol=1e-10)
    fresh = _refined("coordinated", S, S, _structure(), grid, "fresh")
    assert (fresh - coordinated).abs().max() > 0.01


def test_shared_noise_is_the_same_on_both_hops() -> None:
    S, T = _experts()
    hops: list[str] = []

    def draw(hop: str) -> torch.Tensor:
        hops.append(hop)
        return _draw(hop, 0)

    for hinge_noise in ("fresh", "shared", "predicted"):
        step = RefineStep(PromptedExpert(S, NO_TEXT), PromptedExpert(T, NO_TEXT), 100, 100, 0, 5, hinge_noise, draw)
        RULES.find("coordinated").refine(Prediction(_structure(), _draw("ε", 0)), step)
    assert hops == ["temporal", "spatial", "both", "both"]


def test_blend_takes_half_of_each_experts_clean_latents() -> None:
    S, T = _experts()
    a_S, a_T = _alpha(STABLE_DIFFUSION, 200), _alpha(LAVIE, 200)
    x = math.sqrt(a_S) * _structure() + math.sqrt(1 - a_S) * _draw("ε", 0)
    seen = _posterior(x, a_S, 0.3, 0.8)
    y = math.sqrt(a_T) * seen + math.sqrt(1 - a_T) * _draw("temporal", 0)
    blended = 0.5 * (seen + _posterior(y, a_T, -0.2, 1.1))
    torch.testing.assert_close(_refined("blend", S, T, _structure(), (200,)), blended, rtol=0, atol=1e-10)


def test_alternating_ends_with_the_spatial_expert() -> None:
    S, T = _experts()
    _refined("alternate", S, T, _structure(), (500, 400, 300, 200, 100))
    assert (S.asked, T.asked) == ([500, 300, 100], [400, 200])
    S, T = _experts()
    _refined("split", S, T, _structure(), (500, 400, 300, 200, 100))
    assert (S.asked, T.asked) == ([300, 200, 100], [500, 400])


ASKED = {  # in 5 steps: spatial, temporal
    "standard": (5, 0),
    "temporal": (0, 5),
    "coordinated": (10, 5),
    "alternate": (3, 2),
    "blend": (5, 5),
    "split": (3, 2),
    "reuse": (5, 5),
}


@pytest.mark.parametrize("rule", ASKED)
def test_evaluations_are_counted_as_the_rule_asks_for_them(rule: str) -> None:
    S, T = _experts()
    _refined(rule, S, T, _structure(), refine_timesteps(100, 5))
    counted = [evaluations(RULES.find(rule), k, 5) for k in range(5)]
    assert (len(S.asked), len(T.asked)) == ASKED[rule]
    assert tuple(sum(count[role] for count in counted) for role in ("spatial", "temporal")) == ASKED[rule]


def test_every_rule_of_the_library_is_counted_here() -> None:
    assert set(ASKED) == {rule.name for rule in BUILT_IN}
