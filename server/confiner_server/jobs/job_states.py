# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of a job, and the one table of what leads from each to which."""

from __future__ import annotations

import enum


class JobState(enum.Enum):
    """The values travel to clients in `JobInfo.state`."""

    RECEIVING = "receiving"
    """Its structure frames are on their way."""
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    """The worker was told to stop it and has not answered yet."""
    PAUSED = "paused"
    """Kept with its checkpoint; it waits for a client that attaches to it."""
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Trigger(enum.Enum):
    STRUCTURE_COMPLETE = enum.auto()
    DISPATCH = enum.auto()
    """The worker is given the job."""
    CANCEL = enum.auto()
    STOPPED = enum.auto()
    """The worker has stopped the job because it was told to."""
    FINISH = enum.auto()
    FAIL = enum.auto()
    HALT = enum.auto()
    """Nobody works on the job any more: the worker died, or the sidecar ends or has just started."""
    RESUME = enum.auto()
    LOSE = enum.auto()
    """A finished job's frame is not on the disk any more as it was announced."""


S, T = JobState, Trigger

TRANSITIONS: dict[tuple[JobState, Trigger], JobState] = {
    (S.RECEIVING, T.STRUCTURE_COMPLETE): S.QUEUED,
    (S.RECEIVING, T.CANCEL): S.CANCELLED,
    (S.RECEIVING, T.FAIL): S.FAILED,
    (S.QUEUED, T.DISPATCH): S.RUNNING,
    (S.QUEUED, T.CANCEL): S.CANCELLED,
    (S.QUEUED, T.HALT): S.PAUSED,
    (S.RUNNING, T.CANCEL): S.CANCELLING,
    (S.RUNNING, T.FINISH): S.FINISHED,
    (S.RUNNING, T.FAIL): S.FAILED,
    (S.RUNNING, T.HALT): S.PAUSED,
    (S.CANCELLING, T.CANCEL): S.CANCELLING,
    (S.CANCELLING, T.STOPPED): S.CANCELLED,
    (S.CANCELLING, T.FINISH): S.FINISHED,  # it was done before it heard of the cancel
    (S.CANCELLING, T.FAIL): S.CANCELLED,
    (S.CANCELLING, T.HALT): S.CANCELLED,
    (S.PAUSED, T.RESUME): S.QUEUED,
    (S.PAUSED, T.CANCEL): S.CANCELLED,
    (S.PAUSED, T.FAIL): S.FAILED,
    (S.CANCELLED, T.RESUME): S.QUEUED,
    (S.FAILED, T.RESUME): S.QUEUED,
    (S.FINISHED, T.LOSE): S.PAUSED,
}

ENDED = frozenset({S.FINISHED, S.FAILED, S.CANCELLED})
"""Nobody works on the job, and nobody will unless it is asked for again."""


class IllegalTransition(Exception):
    """A trigger that the job's state does not know: a defect of this program, never of a request."""

    def __init__(self, job_id: str, state: JobState, trigger: Trigger) -> None:
        legal = ", ".join(t.name for s, t in TRANSITIONS if s is state) or "nothing more"
        super().__init__(f"job {job_id} is {state.value} and met {trigger.name}, expected {legal}")
        self.state = state
        self.trigger = trigger


def next_state(job_id: str, state: JobState, trigger: Trigger) -> JobState:
    """The state that follows.

    Raises:
        IllegalTransition: the table has no such line.
    """
    try:
        return TRANSITIONS[state, trigger]
    except KeyError:
        raise IllegalTransition(job_id, state, trigger) from None
