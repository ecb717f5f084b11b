# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of a job: one value, and how each event of the sidecar changes it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from ..protocol.messages import (
    Cancelled,
    Failed,
    Finished,
    FrameDone,
    JobEvent,
    Paused,
    PreviewReady,
    Problem,
    Queued,
    Started,
    Stepped,
)
from .take_record import unread_in


class JobState(enum.Enum):
    """Where a job stands, as the animator sees it."""

    CAPTURING = "capturing structure"
    WAITING = "waiting for the sidecar"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({JobState.FINISHED, JobState.FAILED, JobState.CANCELLED})

_STAGES = {
    "load": "Loading experts",
    "control": "Control expert",
    "refine": "Refining",
    "decode": "Decoding",
}
_LOADED, _MADE = 0.05, 0.95
"""How full the bar is once the experts are loaded, and once they have done their work."""

_TOLD = ("stage", "step", "steps", "eta", "start", "frames", "segment_frames", "done")
"""What is taken from the last step as it is."""


@dataclass(frozen=True)
class Progress:
    """A job's progress. `eta` counts seconds; `position` is the place in the queue, 0 next.

    `unread` says what of its prompts the experts do not read. The last step worked on `frames` frames from `start` on;
    `done` is the part of the work that is done, 0 to 1.
    """

    state: JobState
    num_frames: int
    stage: str = ""
    step: int = 0
    steps: int = 0
    eta: float | None = None
    start: int = 0
    frames: int = 0
    segment_frames: int = 0
    done: float = 0.0
    position: int = 0
    frames_done: int = 0
    note: str = ""
    unread: tuple[str, ...] = ()
    problem: Problem | None = None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def advance(progress: Progress, event: JobEvent) -> Progress:
    """The progress after `event`. An ended job stays ended."""
    if progress.ended:
        return progress
    match event:
        case Queued():
            return replace(progress, state=JobState.QUEUED, position=event.position, note="")
        case Started():
            return replace(progress, state=JobState.RUNNING, note="", unread=unread_in(event.take))
        case Stepped():
            told = {name: getattr(event, name) for name in _TOLD}
            return replace(progress, state=JobState.RUNNING, **told)
        case FrameDone():
            done = max(progress.frames_done, event.frame + 1)
            return replace(progress, state=JobState.RUNNING, frames_done=done)
        case Paused():
            return replace(progress, state=JobState.PAUSED, note=event.reason, eta=None)
        case Failed():
            return replace(progress, state=JobState.FAILED, problem=event.problem, eta=None)
        case Cancelled():
            return replace(progress, state=JobState.CANCELLED, eta=None)
        case Finished():
            return replace(progress, eta=0.0)  # FINISHED once its frames and record are stored
        case PreviewReady():
            return progress


def fraction(progress: Progress) -> float:
    """How full the bar is, from 0 to 1."""
    if progress.state is JobState.FINISHED:
        return 1.0
    if progress.state is JobState.CAPTURING:
        return progress.step / max(progress.steps, 1)
    if progress.stage == "load":
        return _LOADED * progress.step / max(progress.steps, 1)
    return _LOADED + (_MADE - _LOADED) * progress.done if progress.stage else 0.0


def sentence(progress: Progress) -> str:
    """One line: stage, step and the time left."""
    match progress.state:
        case JobState.CAPTURING:
            return f"Capturing structure {progress.step}/{progress.steps}"
        case JobState.QUEUED:
            return "Next in the queue" if progress.position == 0 else f"In the queue, {progress.position} before it"
        case JobState.RUNNING if progress.stage:
            stage = _STAGES.get(progress.stage, progress.stage.capitalize())
            return f"{stage} {progress.step}/{progress.steps}{_left(progress.eta)}"
        case JobState.RUNNING:
            return "Starting"
        case JobState.PAUSED:
            return f"Paused: {progress.note}" if progress.note else "Paused"
        case JobState.FAILED if progress.problem is not None:
            return progress.problem.message
        case _:
            return progress.state.value.capitalize()


def whereabouts(progress: Progress) -> str:
    """Where in the shot the experts are, and how much of it is out; empty before they have begun."""
    if progress.state is not JobState.RUNNING or not progress.frames:
        return ""
    out = f"{progress.frames_done} of {progress.num_frames} frames are there"
    last = min(progress.start + progress.frames, progress.num_frames)
    if progress.stage == "refine":
        where = f"Window {progress.start + 1}–{last}"
    else:
        first, last = progress.start // progress.segment_frames + 1, -(-last // progress.segment_frames)
        segments = -(-progress.num_frames // progress.segment_frames)
        where = f"Segment {first} of {segments}" if first == last else f"Segments {first}–{last} of {segments}"
    return f"{where} · {out}"


def _left(eta: float | None) -> str:
    if eta is None:
        return ""
    seconds = max(round(eta), 0)
    return f" · {seconds} s left" if seconds < 90 else f" · {round(seconds / 60)} min left"
