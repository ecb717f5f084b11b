# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbered events of jobs: most are kept in the journal, of steps and previews only the latest is remembered.

Runs on the listener's event loop, as the scheduler does, which decides what happens; here it gets its number.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from confiner_blender.protocol.messages import Cancelled, Failed, FrameDone, JobEvent, PreviewReady, Started, Stepped

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
        self._lost: dict[str, set[int]] = {}

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
        events = (self._still_true(self._journal.next_event(job_id, number)), passing.step, passing.preview)
        return min((e for e in events if e is not None and e.number > number), key=lambda e: e.number, default=None)

    def part(self, job_id: str) -> dict[str, Any]:
        """What is finished of a job, as the record of a take of its own; {} if no frame is.

        The record is that of the whole take, request and all, with the number of frames that were `kept`: those before
        the first that is lost.
        """
        starts = [event for event in self._journal.kept(job_id, Started) if isinstance(event, Started)]
        frames = {event.frame: event for event in self._journal.kept(job_id, FrameDone) if isinstance(event, FrameDone)}
        whole = itertools.takewhile(lambda n: n in frames and n not in self.lost(job_id), itertools.count())
        kept = [frames[frame].pixels for frame in whole]
        if not starts or not kept:
            return {}
        return {**starts[-1].take, "frames": kept, "kept": len(kept)}

    def picture(self, event: JobEvent) -> bytes:
        """The PNG that goes with an event; empty if none does, or if it is not the one that was announced any more."""
        if isinstance(event, FrameDone):
            return self._frame(event.job_id, event.frame, event.sha256)
        passing = self._passing.get(event.job_id, Passing())
        return passing.picture if passing.preview == event else b""

    # --- frames that were announced and are not as they were

    def lost(self, job_id: str) -> set[int]:
        """Frames that a client was not sent, because their files were missing or damaged."""
        return self._lost.get(job_id, set())

    def lose(self, job_id: str, frame: int) -> None:
        self._lost.setdefault(job_id, set()).add(frame)

    def drop_lost(self, job_id: str) -> None:
        """The job is gone, and nobody misses its frames."""
        self._lost.pop(job_id, None)

    def find(self, event: FrameDone) -> bool:
        """Whether the frame is as it was announced. If it was lost, it is announced anew, for those who missed it."""
        job_id, frame = event.job_id, event.frame
        if not self._frame(job_id, frame, event.sha256):
            return False
        self._lost[job_id].discard(frame)
        self._journal.take_back_frame(job_id, frame)
        self.keep(job_id, FrameDone, frame=frame, sha256=event.sha256, pixels=event.pixels)
        return True

    def _frame(self, job_id: str, frame: int, sha256: str) -> bytes:
        """The file of a frame, if it has that hash; else nothing."""
        try:
            png = self._folders.frame(job_id, frame).read_bytes()
        except OSError:
            return b""
        return png if hashlib.sha256(png).hexdigest() == sha256 else b""

    def _still_true(self, event: JobEvent | None) -> JobEvent | None:
        """An end that tells of a part, which is smaller if frames of it were lost since."""
        if isinstance(event, Failed | Cancelled) and self.lost(event.job_id):
            return replace(event, take=self.part(event.job_id))
        return event

    def _numbered(self, job_id: str, kind: type[_Event], **fields: Any) -> _Event:
        return kind(job_id, self._journal.next_number(job_id), **fields)
