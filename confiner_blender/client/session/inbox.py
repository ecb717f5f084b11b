# SPDX-License-Identifier: GPL-3.0-or-later
"""What the worker thread tells the main thread: one frozen dataclass per kind of message."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...protocol.messages import Accepted, Chains, JobEvent, Jobs, Problem, Refused, Status, Welcome
from ...protocol.weights import FetchState, Weights
from .session_states import State


@dataclass(frozen=True)
class StateChanged:
    """The session's state. A problem stays attached while it is tried again, until the session is READY."""

    state: State
    problem: Problem | None = None
    log_tail: str = ""


@dataclass(frozen=True)
class EventArrived:
    """An event of a tracked job, in order and once. The picture it announces is stored later, if it announces one."""

    event: JobEvent


@dataclass(frozen=True)
class FrameStored:
    """Frame `frame` (counted from 0) lies at `path`, whole and checked. `number` is its event's."""

    job_id: str
    number: int
    frame: int
    path: Path


@dataclass(frozen=True)
class PreviewStored:
    """A newer preview lies at `path`, over the last one."""

    job_id: str
    path: Path


@dataclass(frozen=True)
class TakeStored:
    """Every frame is stored and `path` is the take's record. The sidecar is told to forget the job."""

    job_id: str
    path: Path


@dataclass(frozen=True)
class StoringFailed:
    """The job goes on in the sidecar, but its frames cannot be stored here: mend it, then `track()` the job again."""

    job_id: str
    problem: Problem


@dataclass(frozen=True)
class MessageArrived:
    """An answer that belongs to no event: of the sidecar as a whole, or whether a job was taken on."""

    message: Welcome | Accepted | Refused | Jobs | Chains | Status | Weights | FetchState


Message = StateChanged | EventArrived | FrameStored | PreviewStored | TakeStored | StoringFailed | MessageArrived
