# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbered events of jobs: most are kept in the journal, of steps and previews only the latest is remembered.

Runs on the listener's event loop, as the scheduler does, which decides what happens; here it gets its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from confiner_blender.protocol.messages import FrameDone, JobEvent, PreviewReady, Started, Stepped

from .job_folders import JobFolders
from .journal import Journal

_Event = TypeVar("_Event", bound=JobEvent)


@dataclass
class Passing:
    """The latest step and preview of a running job: too short-lived for the journal."""

    step: Stepped | None = None
    preview: PreviewReady | None = None
    picture: bytes = b""


class JobEvents:
    def __init__(self, journal: Journal, folders: JobFolders) -> None:
        self._journal = journal
        self._folders = folders
        self._passing: dict[str, Passing] = {}

    def keep(self, job_id: str, kind: type[JobEvent], **fields: Any) -> None:
        """Number an event and keep it; the caller has opened a transaction."""
        self._journal.keep(self._numbered(job_id, kind, **fields))

    def step(self, job_id: str, **fields: Any) -> None:
        """Number a step; `fields` are Stepped's."""
        self._passing.setdefault(job_id, Passing()).step = self._numbered(job_id, Stepped, **fields)

    def preview(self, job_id: str, frame: int, picture: bytes) -> None:
        passing = self._passing.setdefault(job_id, Passing())
        passing.preview, passing.picture = self._numbered(job_id, PreviewReady, frame=frame), picture

    def drop_passing(self, job_id: str) -> None:
        """The job does not run any more: its last step and preview say nothing now."""
        self._passing.pop(job_id, None)

    def after(self, job_id: str, number: int) -> JobEvent | None:
        """The first event of a job with a greater number that there still is."""
        passing = self._passing.get(job_id, Passing())
        events = (self._journal.next_event(job_id, number), passing.step, passing.preview)
        return min((e for e in events if e is not None and e.number > number), key=lambda e: e.number, default=None)

    def part(self, job_id: str) -> dict[str, Any]:
        """What is finished of a job, as the record of a take of its own; {} if no frame is.

        The record is that of the whole take, request and all, with the number of frames that were `kept`.
        """
        starts = [event for event in self._journal.kept(job_id, Started) if isinstance(event, Started)]
        frames = [event for event in self._journal.kept(job_id, FrameDone) if isinstance(event, FrameDone)]
        if not starts or not frames:
            return {}
        return {**starts[-1].take, "frames": [event.pixels for event in frames], "kept": len(frames)}

    def picture(self, event: JobEvent) -> bytes:
        """The PNG that goes with an event; empty if none does, or if it is gone."""
        if isinstance(event, FrameDone):
            path = self._folders.frame(event.job_id, event.frame)
            return path.read_bytes() if path.exists() else b""
        passing = self._passing.get(event.job_id, Passing())
        return passing.picture if passing.preview == event else b""

    def _numbered(self, job_id: str, kind: type[_Event], **fields: Any) -> _Event:
        return kind(job_id, self._journal.next_number(job_id), **fields)
