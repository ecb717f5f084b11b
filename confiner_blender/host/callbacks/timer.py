# SPDX-License-Identifier: GPL-3.0-or-later
"""The pump: whatever came from the sidecar is applied, and one slice of what this side has to do is done.

A persistent timer calls it; tests and scripts, where timers never fire, call `pump()` themselves. It works until a
deadline of a few milliseconds, so that Blender stays fluent however much has arrived.
"""

from __future__ import annotations

import dataclasses
import queue
import time
import traceback

import bpy

from ...client.session import inbox
from ...client.session.session_states import State
from ...protocol.messages import Cancelled, Chains, Failed, Problem, Refused, Status, Welcome
from ...protocol.weights import RUNNING, FetchState, Weights
from ...storyboard.job_progress import JobState, advance
from ..blender.refusal import Refusal
from ..jobs import capture, jobs
from ..scene import rule_menu, shots
from ..session import background_work, sidecar_link
from ..session.runtime import RUNTIME, Job, busy, job_of

DEADLINE = 0.005
"""Seconds that one call may spend on messages."""
BUSY, IDLE = 0.05, 0.4
"""Seconds between two calls by the timer."""
SHOWING = ("SEQUENCE_EDITOR", "VIEW_3D", "PREFERENCES")


def pump() -> bool:
    """Apply messages until the deadline, then render one structure frame if any is wanted. Whether anything changed."""
    shots.part_copies()
    changed = background_work.drain()
    changed |= _drain(time.monotonic() + DEADLINE)
    if (job := capture.pending()) is not None:
        _capture(job)
        changed = True
    if changed:
        _redraw()
    return changed


def tick() -> float:
    """What the timer calls. A defect of ours is shown and does not stop the pump."""
    try:
        pump()
    except Exception as error:  # noqa: BLE001  Blender would silently drop a timer that raises
        RUNTIME.link.problem = _defect(error)
    return BUSY if busy() or _waiting() else IDLE


def _waiting() -> bool:
    """Whether the user waits for something in the preferences."""
    return any(errand is not None and not errand.ended for errand in (RUNTIME.test, RUNTIME.installation))


def start() -> None:
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=IDLE, persistent=True)


def stop() -> None:
    """A timer that is left at exit crashes some Blenders and hangs others."""
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)


def _drain(deadline: float) -> bool:
    changed = False
    while RUNTIME.session is not None:
        try:
            message = RUNTIME.session.inbox.get_nowait()
        except queue.Empty:
            break
        apply(message)
        changed = True
        if time.monotonic() > deadline:
            break
    return changed


def apply(message: inbox.Message) -> None:
    """Change what is shown, and the storyboard and its strips, as the message says."""
    match message:
        case inbox.StateChanged():
            sidecar_link.state_changed(message)
            if message.state is State.READY:
                background_work.look_at_card()
        case inbox.EventArrived(event):
            if (job := job_of(event.job_id)) and not job.progress.ended:
                job.progress = advance(job.progress, event)
                if isinstance(event, Failed):
                    jobs.end(job, JobState.FAILED, event.problem)
                elif isinstance(event, Cancelled):
                    jobs.end(job, JobState.CANCELLED)
        case inbox.FrameStored():
            if job := job_of(message.job_id):
                jobs.frame_stored(job, message.path)
        case inbox.PreviewStored():
            if job := job_of(message.job_id):
                job.preview, job.previews = message.path, job.previews + 1
        case inbox.TakeStored():
            if job := job_of(message.job_id):
                jobs.frame_stored(job, message.path)
                jobs.end(job, JobState.FINISHED)
        case inbox.StoringFailed():
            if job := job_of(message.job_id):
                paused = dataclasses.replace(job.progress, state=JobState.PAUSED, note=message.problem.message)
                job.progress = dataclasses.replace(paused, problem=message.problem)
        case inbox.MessageArrived(answer):
            _answered(answer)


def _answered(answer: object) -> None:
    match answer:
        case Welcome():
            RUNTIME.link.server, RUNTIME.link.device = answer.server, answer.device
        case Chains():
            RUNTIME.chains = {chain.name: chain for chain in answer.chains}
            rule_menu.offer(answer.rules)
        case Status():
            RUNTIME.status = answer
        case Weights():
            RUNTIME.weights = {weights.chain: weights for weights in answer.chains}
        case FetchState():
            RUNTIME.fetches[answer.chain] = answer
            if answer.state != RUNNING:
                sidecar_link.ask_for_chains()
        case Refused(problem, job_id):
            if job_id is None:
                RUNTIME.link.problem = problem
            elif (job := job_of(job_id)) and not job.progress.ended:
                jobs.end(job, JobState.FAILED, problem)


def _capture(job: Job) -> None:
    """One more of the job's structure frames. Whatever goes wrong with them ends this job, and no other."""
    try:
        frames = capture.step(job)
        if frames is not None:
            RUNTIME.captures.remove(job.entry.shot)
            jobs.submit(job, frames)
    except Refusal as refusal:
        _capture_failed(job, refusal.problem)
    except Exception as error:  # noqa: BLE001  the next tick would raise it again, and no other shot would have its turn
        _capture_failed(job, _defect(error))


def _capture_failed(job: Job, problem: Problem) -> None:
    if job.entry.shot in RUNTIME.captures:
        RUNTIME.captures.remove(job.entry.shot)
    jobs.end(job, JobState.FAILED, problem)


def _defect(error: Exception) -> Problem:
    """A defect of ours, as a sentence; its traceback goes to Blender's console."""
    traceback.print_exception(error)
    summary = "".join(traceback.format_exception_only(error)).strip()
    return Problem("internal", summary, "report this with the text in Blender's console")


def _redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in SHOWING:
                area.tag_redraw()
