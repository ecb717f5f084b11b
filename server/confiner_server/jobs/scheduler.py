# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs: what was asked for, which one runs, what became of it.

Everything runs on the listener's event loop, so nothing here is locked. Each change is in the journal before anybody
hears of it; `on_change` then tells that a job has something new. One job runs at a time, the others wait in the order
in which they came.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from typing import Any, Protocol

from confiner.chains import ChainSpec

from confiner_blender.protocol.errors import InvalidRequest
from confiner_blender.protocol.framing import Image
from confiner_blender.protocol.messages import (
    Cancelled,
    Failed,
    Finished,
    FrameDone,
    JobEvent,
    JobInfo,
    Paused,
    Problem,
    Queued,
    ShotRequest,
    Started,
)

from ..supervision.worker_messages import (
    JobFailed,
    JobFinished,
    JobFrame,
    JobMessage,
    JobPreview,
    JobStarted,
    JobStepped,
    JobStopped,
    RunJob,
)
from .event_log import JobEvents
from .job_folders import JobFolders
from .job_states import ENDED, JobState, Trigger, next_state
from .journal import Job, Journal
from .retention import beyond_limit, outdated
from .submission_checks import check_job_id, check_shot, check_structure_frame

log = logging.getLogger(__name__)

MAX_CRASHES = 2
WORKING = (JobState.RUNNING, JobState.CANCELLING)
STOPPED = (JobState.CANCELLED, JobState.FAILED)


class Worker(Protocol):
    """What the scheduler asks of the worker; what the worker says comes back through `heard` and `worker_lost`."""

    def run(self, job: RunJob) -> None: ...

    def stop(self, job_id: str) -> None: ...


class Scheduler:
    def __init__(
        self,
        journal: Journal,
        folders: JobFolders,
        worker: Worker,
        chains: Callable[[], dict[str, ChainSpec]],
        on_change: Callable[[str], None],
    ) -> None:
        self._journal = journal
        self._folders = folders
        self._worker = worker
        self._chains = chains
        self._on_change = on_change
        self.events = JobEvents(journal, folders)
        self._places: dict[str, int] = {}

    # --- what clients want

    def submit(self, job_id: str, request: ShotRequest) -> None:
        """Take a job; the same job again is the same job, and goes on if it was paused, cancelled or has failed.

        Raises:
            InvalidRequest, confiner.errors.ConfinerError: it cannot be made.
        """
        check_job_id(job_id)
        if job := self._journal.job(job_id):
            if job.request != request:
                seen = f"job {job_id} with other settings than before"
                raise InvalidRequest(f"{seen}, expected a new id for a new shot", "generate the shot again")
            if job.state not in STOPPED or self._is_whole(job):
                self._go_on(job)
                return
            self._remove(job_id)
        check_shot(request, self._chains(), self._folders.root)
        self._journal.add(job_id, request, JobState.QUEUED if request.structure is None else JobState.RECEIVING)
        self._advance()

    def receive_structure(self, image: Image) -> None:
        """Store one structure frame; the last one puts the job into the queue. A job that has them all lets them pass.

        Raises:
            InvalidRequest: it is not a frame that was announced. The job is gone then, since it can never be made.
        """
        job = self._known(image.job_id)
        if job.state is not JobState.RECEIVING:
            return
        assert job.request.structure is not None
        try:
            check_structure_frame(job.request, image)
        except InvalidRequest:
            self._remove(job.id)
            raise
        self._folders.store_structure(job.id, image.frame, image.data)
        if self._is_whole(job):
            self._move(job.id, Trigger.STRUCTURE_COMPLETE)
            self._advance()

    def resume(self, job_id: str) -> None:
        """Put a paused job back into the queue, at the place its submission gave it. Others stay as they are.

        Raises:
            InvalidRequest: there is no such job.
        """
        if self._known(job_id).state is JobState.PAUSED:
            self._move(job_id, Trigger.RESUME)
            self._advance()

    def _go_on(self, job: Job) -> None:
        """Put a job that was stopped, by whatever, back into the queue; one that runs or is finished stays as it is."""
        if job.state in STOPPED:
            with self._journal.transaction():
                self._move(job.id, Trigger.RESUME)
                self._journal.take_back_end(job.id)
            self._advance()
        else:
            self.resume(job.id)

    def _is_whole(self, job: Job) -> bool:
        """Whether every structure frame that was announced has come."""
        structure = job.request.structure
        return structure is None or self._folders.structure_count(job.id) == structure.num_frames

    def cancel(self, job_id: str) -> None:
        """Cancel a job that has not ended; the event that ends it is the acknowledgement.

        Raises:
            InvalidRequest: there is no such job.
        """
        job = self._known(job_id)
        if job.state in ENDED or job.state is JobState.CANCELLING:
            return
        if job.state is JobState.RUNNING:
            self._move(job_id, Trigger.CANCEL)
            self._worker.stop(job_id)
        else:
            self._end(job_id, Trigger.CANCEL, Cancelled, take=self.events.part(job_id))

    def forget(self, job_id: str) -> None:
        """Remove an ended job and its files.

        Raises:
            InvalidRequest: there is no such job, or it has not ended.
        """
        job = self._known(job_id)
        if job.state not in ENDED:
            raise InvalidRequest(f"job {job_id} is {job.state.value}, expected one that has ended", "cancel it first")
        self._remove(job_id)

    def jobs(self) -> list[JobInfo]:
        return [
            JobInfo(job.id, job.state.value, job.last_event, self._journal.frames_done(job.id), job.request)
            for job in self._journal.jobs()
        ]

    def load(self) -> tuple[int, str | None]:
        """How many jobs wait, and which one is being worked on."""
        working = self._journal.jobs(*WORKING)
        return len(self._journal.jobs(JobState.QUEUED)), working[0].id if working else None

    # --- the sidecar's start and end

    def halt(self, reason: str) -> None:
        """Pause what runs or waits: the sidecar ends, or it starts and finds what an earlier one left behind."""
        for job in self._journal.jobs(*WORKING, JobState.QUEUED):
            self._halt(job, reason)

    def sweep(self) -> None:
        """Remove what nobody will ask for: what ended long ago, is too much, or never arrived whole, stray folders."""
        for job_id in outdated(self._journal):
            self._remove(job_id)
        self._limit()
        known = {job.id for job in self._journal.jobs()}
        for job_id in self._folders.present():
            if job_id not in known:
                self._folders.remove(job_id)

    def _limit(self) -> None:
        for job_id in beyond_limit(self._journal, self._folders):
            self._remove(job_id)

    # --- what the worker says

    def heard(self, message: JobMessage, payload: bytes) -> None:
        """Take one message of the worker about a job. What concerns a job that is over is let go."""
        job_id = message.job_id
        job = self._journal.job(job_id)
        if job is None or job.state not in WORKING:
            return
        match message:
            case JobStarted(plan=plan, take=take):
                self._journal.set_plan(job_id, plan)
                self._report(job_id, Started, plan=plan, take=take)
            case JobStepped():
                fields = dataclasses.asdict(message)
                self.events.step(fields.pop("job_id"), **fields)
                self._on_change(job_id)
            case JobPreview(frame=frame):
                self.events.preview(job_id, frame, payload)
                self._on_change(job_id)
            case JobFrame():
                self._take_frame(job, message)
            case JobFinished(take=take):
                self._end(job_id, Trigger.FINISH, Finished, take=take)
            case JobFailed(problem=problem):
                self._fail(job, problem)
            case JobStopped():
                self._end(job_id, Trigger.STOPPED, Cancelled, take=self.events.part(job_id))

    def worker_lost(self, reason: str) -> None:
        """The worker has died. Its job goes on with the next one, unless it has killed too many."""
        for job in self._journal.jobs(*WORKING):
            if job.state is JobState.RUNNING and self._journal.count_crash(job.id) >= MAX_CRASHES:
                message = f"{reason}; this shot has now ended {MAX_CRASHES} workers and is set aside"
                remedy = "try a smaller size or fewer frames; the sidecar's log says more"
                self._fail(job, Problem("worker-crash", message, remedy))
            elif self._halt(job, f"{reason}; the shot goes on from its last checkpoint") is JobState.PAUSED:
                self._move(job.id, Trigger.RESUME)
        self._advance()

    def _take_frame(self, job: Job, message: JobFrame) -> None:
        """Announce a frame once. One that comes again after an interruption has to be the same."""
        frame, sha256 = message.frame, message.sha256
        announced = self._journal.frame_digest(job.id, frame)
        if announced is None:
            self._report(job.id, FrameDone, frame=frame, sha256=sha256, pixels=message.pixels)
        elif announced != sha256:
            seen = f"frame {frame} came out differently after an interruption, expected the same bytes"
            self._worker.stop(job.id)
            self._fail(job, Problem("not-reproducible", seen, "generate the shot again as a new take"))

    # --- states and events

    def _known(self, job_id: str) -> Job:
        job = self._journal.job(job_id)
        if job is None:
            raise InvalidRequest(f"job {job_id!r:.60} is not known here, expected one that was submitted")
        return job

    def _advance(self) -> None:
        """Tell waiting jobs how many are ahead of them, and give the worker the next one if it has none."""
        working = self._journal.jobs(*WORKING)
        queue = self._journal.jobs(JobState.QUEUED)
        places = {job.id: place for place, job in enumerate(queue, start=len(working))}
        for job_id, place in places.items():
            if self._places.get(job_id) != place:
                self._report(job_id, Queued, position=place)
        self._places = places
        if queue and not working:
            job = queue[0]
            del self._places[job.id]
            self._move(job.id, Trigger.DISPATCH)
            self._worker.run(RunJob(job.id, job.request, str(self._folders.folder(job.id)), job.plan))

    def _fail(self, job: Job, problem: Problem) -> None:
        part = self.events.part(job.id)
        if job.state is JobState.CANCELLING:
            self._end(job.id, Trigger.FAIL, Cancelled, take=part)
        else:
            self._end(job.id, Trigger.FAIL, Failed, problem=problem, take=part)

    def _halt(self, job: Job, reason: str) -> JobState:
        with self._journal.transaction():
            state = self._move(job.id, Trigger.HALT)
            if state is JobState.PAUSED:
                self.events.keep(job.id, Paused, reason=reason)
            else:
                self.events.keep(job.id, Cancelled, take=self.events.part(job.id))
        self.events.drop_passing(job.id)
        self._on_change(job.id)
        return state

    def _end(self, job_id: str, trigger: Trigger, kind: type[JobEvent], **fields: Any) -> None:
        """Put a job into its last state, with the event that says so, and go on with the next."""
        with self._journal.transaction():
            self._move(job_id, trigger)
            self.events.keep(job_id, kind, **fields)
        self.events.drop_passing(job_id)
        self._on_change(job_id)
        self._limit()
        self._advance()

    def _report(self, job_id: str, kind: type[JobEvent], **fields: Any) -> None:
        with self._journal.transaction():
            self.events.keep(job_id, kind, **fields)
        self._on_change(job_id)

    def _move(self, job_id: str, trigger: Trigger) -> JobState:
        """Put a job into its next state."""
        state = next_state(job_id, self._known(job_id).state, trigger)
        self._journal.set_state(job_id, state)
        return state

    def _remove(self, job_id: str) -> None:
        self._journal.forget(job_id)
        self._folders.remove(job_id)
        self.events.drop_passing(job_id)
