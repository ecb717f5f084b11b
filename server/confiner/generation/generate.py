# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a shot: one step at a time, each a pure function from a state to an event that carries the next.

    structure   the control expert makes segments, or viewport frames are encoded           V0
    refine      V0 is noised to T_e and denoised, window by window, to timestep 0           levels 0 … T2
    deliver     frames that no later window touches are decoded and leave                   FramesDone

A clip of one window and a shot of a thousand frames take the same path. Whatever lies deepest goes first, so the
frames in flight are a short diagonal band: first frames leave early, and memory does not grow with the shot.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import torch

from ..experts.latent_space import Pictures
from ..experts.preview import preview
from ..loading.chain import Chain
from ..memory.out_of_memory import out_of_memory_reported
from ..method.consistency import initial_noise
from ..method.control import Guidance, control_step, pure_noise
from ..method.finite import Watch, WatchedDenoiser
from ..method.rules import RULES
from ..method.schedule import Prediction, joined
from ..method.windows import Window
from .events import Event, FramesDone, Stage, StepDone, StructureReady
from .numerics import numerics
from .plan import Plan, check_clip, check_edges, check_plan
from .prepared_shot import PreparedShot, prepare
from .request import ClipRequest
from .state import ShotState


def generate(request: ClipRequest, chain: Chain, plan: Plan, state: ShotState | None = None) -> Iterator[Event]:
    """Yield the shot's events in order until its last frame is out; `state` is any event's, to go on after it.

    Nothing runs between two pulls, and no torch context spans them: to cancel is to stop pulling. Raises
    RequestError if the chain cannot make this clip, StateError if the plan was made for another one, NotFinite when a
    network gives what is no number: no frame is made of it, and the last event's state is sound.
    """
    check_clip(request, chain.spec)
    chain = chain.at(plan.control_steps)
    check_plan(plan, chain)
    check_edges(plan, request)
    with numerics(plan), _memory_of(request, chain):
        shot = prepare(request, chain, plan)
    state = shot.start() if state is None else state
    while state.delivered < shot.layout.needed[-1]:
        with numerics(plan), _memory_of(request, chain):
            event = advance(shot, state)
        state = event.state
        yield event


def _memory_of(request: ClipRequest, chain: Chain) -> AbstractContextManager[None]:
    """Where memory that runs out is told with what would need less."""
    size = {"num_frames": request.num_frames, "width": request.width, "height": request.height}
    return out_of_memory_reported(chain.spec, chain.device, chain.memory, **size)


def advance(shot: PreparedShot, state: ShotState) -> Event:
    """Do the next thing: deliver what is final, else refine what is deepest, else make more structure."""
    if (last := _deliverable(shot, state)) is not None:
        return _deliver(shot, state, last)
    for step in reversed(range(shot.plan.refine_steps)):
        done = state.levels[step + 1].end
        if done < shot.layout.length:
            window = shot.layout.window_from(step, done)
            if window.end <= state.levels[step].end:
                return _refine(shot, state, step, window)
    if shot.request.structure is not None:
        return _encode(shot, state, shot.request.structure)
    if state.control_step == shot.plan.control_steps:
        return _hand_over(shot, state)
    return _control(shot, state)


# --- structure -------------------------------------------------------------------------------------------------------


def _control(shot: PreparedShot, state: ShotState) -> Event:
    """One denoising step of the next segments."""
    plan, k = shot.plan, state.control_step
    batch = shot.layout.batch_from(state.segment)
    watch = Watch(shot.chain.dtype)
    prediction, reference = control_step(
        WatchedDenoiser(shot.chain.control, "the control expert", watch),
        _segment_noise(shot, batch) if state.control is None else state.control,
        shot.control_timesteps[k],
        shot.segment_embeds(batch),
        Guidance(plan.coherence, plan.coherence_space, plan.coherence_reference),
        state.references[k] if state.references else None,
    )
    watch.note("guiding the control expert", prediction.x0)
    frames = _named(shot, batch.start * shot.layout.segment_frames, batch.stop * shot.layout.segment_frames)
    watch.check(f"at control step {k + 1} of {plan.control_steps} (timestep {shot.control_timesteps[k]}), {frames}")
    after = replace(
        state,
        control=prediction,
        control_step=k + 1,
        trace=(*state.trace, reference),
        steps_done=(state.steps_done[0] + 1, state.steps_done[1]),
        evaluations=state.evaluations + len(batch) * shot.chain.control.passes,
    )
    n = shot.layout.segment_frames
    return _step_done(shot, after, "control", shot.control_timesteps[k], batch.start * n, len(batch) * n, prediction)


def _segment_noise(shot: PreparedShot, batch: range) -> Prediction:
    plan = shot.plan
    noises = [
        initial_noise(
            shot.noise, shot.frame_shape, segment, shot.layout.segment_frames, plan.initial_noise, plan.initial_mix
        )
        for segment in batch
    ]
    return joined([pure_noise(shot.to_device(noise)) for noise in noises], "batch")


def _hand_over(shot: PreparedShot, state: ShotState) -> Event:
    """Finished segments become structure: they are put behind one another and cut to the shot's length."""
    assert state.control is not None
    batch = shot.layout.batch_from(state.segment)
    start = state.levels[0].end
    end = min(shot.layout.length, batch.stop * shot.layout.segment_frames)
    structure = torch.cat(state.control.x0.split(1), dim=2)[:, :, : end - start]
    after = replace(state, segment=batch.stop, control=None, control_step=0, references=state.trace, trace=())
    return _structure_ready(shot, after, start, structure)


def _encode(shot: PreparedShot, state: ShotState, pictures: Pictures) -> Event:
    """The next viewport frames become structure in the control expert's place."""
    start = state.levels[0].end
    plan, chosen = shot.plan, pictures[start : start + shot.layout.segment_frames]
    of = f"structure, {_named(shot, start, start + len(chosen))}"
    latents = shot.chain.space.encode(chosen, together=plan.decode_frames, tiling=plan.vae_tiling, of=of)
    return _structure_ready(shot, state, start, latents)


def _structure_ready(shot: PreparedShot, state: ShotState, start: int, structure: torch.Tensor) -> Event:
    """V0 and the noise it is to be noised with are what refinement starts from."""
    frames = range(start, start + structure.shape[2])
    noised = Prediction(structure.contiguous(), shot.structure_noise(frames))
    return StructureReady(max(0, start - shot.layout.lead_in), len(frames), state.grown(0, noised))


# --- refinement ------------------------------------------------------------------------------------------------------


def _refine(shot: PreparedShot, state: ShotState, step: int, window: Window) -> Event:
    """One refinement step of one window; frames that no later window of this step reads are released."""
    before = state.levels[step].cut(window.start, window.end)
    rule, watch, at = RULES.find(shot.plan.rule), Watch(shot.chain.dtype), shot.refine_step(step, window)
    S = replace(at.S, expert=WatchedDenoiser(at.S.expert, "the spatial expert", watch))
    T = replace(at.T, expert=WatchedDenoiser(at.T.expert, "the temporal expert", watch))
    prediction = rule.refine(before, replace(at, S=S, T=T))
    watch.note(f"the rule {rule.name}", prediction.x0)
    where = _named(shot, window.start, window.end)
    watch.check(f"at refinement step {step + 1} of {shot.plan.refine_steps} (timestep {at.t}), {where}")
    kept = prediction.cut(window.first - window.start, window.last - window.start)
    still_read = (
        shot.layout.window_from(step, window.last).start if window.last < shot.layout.length else shot.layout.length
    )
    after = state.grown(step + 1, kept).with_level(step, state.levels[step].without_before(still_read))
    after = replace(
        after,
        steps_done=(state.steps_done[0], state.steps_done[1] + 1),
        evaluations=state.evaluations + shot.step_evaluations(step),
    )
    timestep = shot.refine_timesteps[step]
    return _step_done(shot, after, "refine", timestep, window.first, window.last - window.first, kept)


def _step_done(
    shot: PreparedShot,
    state: ShotState,
    stage: Stage,
    timestep: int,
    start: int,
    frames: int,
    prediction: Prediction,
) -> StepDone:
    which = 0 if stage == "control" else 1
    middle = prediction.x0[0, :, prediction.x0.shape[2] // 2]
    return StepDone(
        stage=stage,
        step=state.steps_done[which],
        steps=shot.layout.steps[which],
        timestep=timestep,
        start=max(0, start - shot.layout.lead_in),
        frames=frames,
        evaluations=state.evaluations,
        evaluations_total=shot.evaluations,
        state=state,
        latents=prediction.x0,
        preview=preview(middle, shot.chain.preview_map, shot.chain.preview_decoder),
    )


# --- delivery --------------------------------------------------------------------------------------------------------


def _deliverable(shot: PreparedShot, state: ShotState) -> int | None:
    """The end of the frames that can be decoded now: a whole group, counted from the first, or what is left."""
    group = shot.plan.decode_frames
    groups = (state.delivered - shot.layout.lead_in) // group + 1
    last = min(shot.layout.needed[-1], shot.layout.lead_in + groups * group)
    return last if last <= state.levels[-1].end else None


def _deliver(shot: PreparedShot, state: ShotState, last: int) -> Event:
    band = state.levels[-1]
    latents = band.cut(state.delivered, last).x0
    after = replace(
        state.with_level(len(state.levels) - 1, band.without_before(last)),
        delivered=last,
    )
    frames = shot.chain.space.decode(latents, tiling=shot.plan.vae_tiling, of=_named(shot, state.delivered, last))
    return FramesDone(state.delivered - shot.layout.lead_in, frames, latents, after)


def _named(shot: PreparedShot, start: int, end: int) -> str:
    """Frames of the clip as a person counts them, from 1; those made around it and dropped are not counted."""
    lead_in = shot.layout.lead_in
    first, last = max(0, start - lead_in) + 1, min(end - lead_in, shot.request.num_frames)
    return f"frames {first} to {max(first, last)}"
