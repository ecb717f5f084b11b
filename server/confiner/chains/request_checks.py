# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse what a chain cannot make, with a sentence, before it costs anything."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import RequestError, StructureError
from ..method.prompt_schedule import CROSSOVER, Prompted
from ..method.rules import RULES
from .spec import ChainSpec

MAX_SEED = 2**63 - 1
MAX_CROSSOVER = 1024


def check_request(
    spec: ChainSpec,
    *,
    prompt: str,
    negative_prompt: str = "",
    num_frames: int,
    width: int,
    height: int,
    rule: str = "coordinated",
    freedom: int | None = None,
    control_steps: int | None = None,
    refine_steps: int | None = None,
    structure: tuple[int, int, int] | None = None,
    seed: int = 0,
    fps: float = 8.0,
    stretches: Sequence[Prompted] = (),
    crossover: int = CROSSOVER,
) -> None:
    """Raise RequestError or StructureError if `spec` cannot make this clip.

    `structure` is `(num_frames, width, height)` of the structure frames, None where there are none. `stretches` are the
    prompts that follow the first one.
    """
    _check_text(spec, prompt, negative_prompt)
    _check_extent(spec, num_frames, width, height)
    _check_stretches(stretches, crossover, num_frames)
    RULES.find(rule)
    default = spec.refinement(structure is not None)
    wanted = default[0] if freedom is None else freedom, default[1] if refine_steps is None else refine_steps
    _check_refinement(*wanted, default, spec.spatial.schedule.train_timesteps)
    _check_control(spec, spec.control_steps if control_steps is None else control_steps)
    if not 0 <= seed <= MAX_SEED:
        raise RequestError(f"seed {seed}", f"a whole number from 0 to {MAX_SEED}", "choose another seed")
    if not 0.0 < fps <= 240.0:
        raise RequestError(
            f"fps {fps:g}", "more than 0 and at most 240", f"set the clip rate, {spec.fps:g} for this chain"
        )
    if structure is not None and structure != (num_frames, width, height):
        raise StructureError(
            f"{structure[0]} structure frames of {structure[1]}×{structure[2]}",
            f"{num_frames} of {width}×{height}, as the clip has",
            "capture the structure again at the clip's length and size",
        )


def _check_text(spec: ChainSpec, prompt: str, negative_prompt: str) -> None:
    if not prompt.strip():
        raise RequestError("an empty prompt", "a few words on what to show", "describe the shot in its prompt")
    if negative_prompt.strip() and not spec.negative_prompt:
        raise RequestError(
            f"a negative prompt for the chain {spec.name!r}",
            "none, since no expert of it is guided",
            "clear the negative prompt, or choose another chain",
        )


def _check_extent(spec: ChainSpec, num_frames: int, width: int, height: int) -> None:
    if not 1 <= num_frames <= spec.max_frames:
        raise RequestError(f"{num_frames} frames", f"1 to {spec.max_frames}", "change the shot's length")
    if (width, height) not in spec.sizes:
        sizes = ", ".join(f"{w}×{h}" for w, h in spec.sizes)
        raise RequestError(
            f"a size of {width}×{height}",
            f"one that the chain {spec.name!r} makes: {sizes}",
            "choose one of these sizes",
        )


def _check_stretches(stretches: Sequence[Prompted], crossover: int, num_frames: int) -> None:
    """Each stretch has a prompt, and begins within the clip and behind the one before it."""
    earlier = 0
    for number, stretch in enumerate(stretches, start=2):
        if not stretch.prompt.strip():
            raise RequestError(
                f"an empty prompt from frame {stretch.start} on", "a few words on what to show", "describe the stretch"
            )
        if not earlier < stretch.start < num_frames:
            raise RequestError(
                f"prompt {number} from frame {stretch.start} on, in a clip of {num_frames} frames",
                f"a frame from {earlier + 1} to {num_frames - 1}" if earlier < num_frames - 1 else "none there",
                "let each prompt begin behind the one before it and within the clip",
            )
        earlier = stretch.start
    if not 0 <= crossover <= MAX_CROSSOVER:
        raise RequestError(
            f"a cross-over of {crossover} frames",
            f"0 (a cut) to {MAX_CROSSOVER}",
            f"set it to {CROSSOVER}, the default",
        )


def _check_refinement(freedom: int, steps: int, default: tuple[int, int], train_timesteps: int) -> None:
    """Every step needs a timestep of its own between T_e and 0."""
    if not 1 <= freedom < train_timesteps:
        raise RequestError(
            f"a freedom of {freedom}", f"1 to {train_timesteps - 1}", f"set it to {default[0]}, the default"
        )
    if not 1 <= steps <= freedom:
        raise RequestError(
            f"{steps} refinement steps with a freedom of {freedom}",
            f"1 to {freedom} steps",
            f"set {default[1]}, the default",
        )


def _check_control(spec: ChainSpec, steps: int) -> None:
    allowed, most = spec.control.steps, spec.control.schedule.train_timesteps
    if steps not in allowed if allowed else not 1 <= steps <= most:
        wanted = " or ".join(map(str, allowed)) if allowed else f"1 to {most}"
        raise RequestError(f"{steps} control steps", wanted, f"set them to {spec.control_steps}, the default")
