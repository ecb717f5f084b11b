# SPDX-License-Identifier: GPL-3.0-or-later
"""What is under way, outside the .blend: undo must not roll it back, and a file must not carry it along.

Main thread only. `RUNTIME` is the one piece of state that lives as long as the extension is enabled.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...client.background_task import Task
from ...client.session.session import SidecarSession
from ...client.session.session_states import State
from ...protocol.messages import ChainInfo, Problem, ShotRequest, Status
from ...protocol.weights import ChainWeights, FetchState
from ...storyboard.job_ledger import Entry
from ...storyboard.job_progress import Progress
from ...storyboard.showing import Shown


@dataclass
class Job:
    """A take that is being made, or was in this session. `request` is None for a job of an earlier session."""

    entry: Entry
    progress: Progress
    request: ShotRequest | None = None
    structure_start: int = 0
    """The timeline frame at which structure frames begin."""
    resumed: bool = False
    """Whether it goes on with a take that was cut short."""
    settled: bool = False
    """Whether its end has reached the shot: it has to wait while the shot is undone or another file is open."""
    preview: Path | None = None
    previews: int = 0
    """How many previews came, so that a picture that was replaced is read again."""

    @property
    def folder(self) -> Path:
        return Path(self.entry.folder)


@dataclass
class Arrival:
    """A take that a job brings, or has brought, while this file is open: what undo must not take back."""

    entry: Entry
    ended: bool = False
    discarded: bool = False
    """Whether there is nothing of it, so that it is in no list."""
    safe: bool = False
    """Whether a saved file has it, so that the ledger has let go of it."""


@dataclass
class Link:
    """The line to the sidecar, as the panel shows it."""

    state: State = State.CLOSED
    problem: Problem | None = None
    log_tail: str = ""
    server: str = ""
    device: str = ""


@dataclass
class Errand:
    """Work that the preferences started. A problem of None with `ended` set: it is done, or was stopped."""

    task: Task[Any]
    passed: list[str] = field(default_factory=list)
    line: str = ""
    fraction: float = 0.0
    ended: bool = False
    problem: Problem | None = None
    log_tail: str = ""


@dataclass
class Runtime:
    session: SidecarSession | None = None
    link: Link = field(default_factory=Link)
    chains: dict[str, ChainInfo] = field(default_factory=dict)
    weights: dict[str, ChainWeights] = field(default_factory=dict)
    """By chain: what it takes from the hub."""
    fetches: dict[str, FetchState] = field(default_factory=dict)
    """By chain: how its last download stands."""
    status: Status | None = None
    test: Errand | None = None
    installation: Errand | None = None
    card: Errand | None = None
    """The look for a card that the sidecar leaves unused; its problem is what was found."""
    jobs: dict[str, Job] = field(default_factory=dict)
    """By shot id: the last job of each shot."""
    captures: deque[str] = field(default_factory=deque)
    """Shots whose structure frames are still to be rendered, in order."""
    problems: dict[str, Problem] = field(default_factory=dict)
    """By shot id: why it could not be generated."""
    structures: dict[str, Path] = field(default_factory=dict)
    """By shot id: a structure frame that was rendered to be looked at."""
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    """By take id, in their order: what has come into the open file by itself."""
    shown: dict[str, Shown] = field(default_factory=dict)
    """By shot id: the take that came onto the timeline by itself last."""
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By shot id: the channel and the frame on which it stood then."""
    had_strip: dict[str, bool] = field(default_factory=dict)
    """By shot id: whether the state that the last undo or redo brought back had a strip of it."""
    moves: int = 1
    """How often anything was undone or redone."""
    copies: dict[tuple[int, str], dict[str, str]] = field(default_factory=dict)
    """By a copied scene and the storyboard that it was copied from: the copy's new ids, by the old ones."""


RUNTIME = Runtime()


def job_of(take: str) -> Job | None:
    """The job that makes that take."""
    return next((job for job in RUNTIME.jobs.values() if job.entry.take == take), None)


def running(shot: str) -> Job | None:
    """The shot's job, if it has not ended."""
    job = RUNTIME.jobs.get(shot)
    return job if job is not None and not job.progress.ended else None


def busy() -> bool:
    """Whether any job is under way."""
    return any(not job.progress.ended for job in RUNTIME.jobs.values())


def reset() -> None:
    """Forget everything, when the extension is disabled."""
    RUNTIME.__dict__.update(vars(Runtime()))
