# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs: what was asked for, which one runs, what became of it.

Everything runs on the listener's event loop, so nothing here is locked. Each change is in the journal before anybody
hears of it; `on_change` then tells that a job has something new. One job runs at a time, the others wait in the order
in which they came.
"""

from __future__ import annotations

import collections
import dataclasses
import logging
import uuid
from collections.abc import Callable
from typing import Any, Protocol

from confiner.chains import ChainSpec

from confiner_blender.protocol.errors import InvalidRequest, UnusablePlace
from confiner_blender.protocol.framing import Image, ImageKind
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

from ..problems import FramesLost, NotReproducible, problem_for
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
from .job_folders import JobFolders, structure_path
from .job_states import ENDED, JobState, Trigger, next_state
from .journal import Job, Journal
from .retention import beyond_limit, outdated
from .submission_checks import check_job_id, check_shot, check_structure_frame

log = logging.getLogger(__name__)

MAX_CRASHES = 2
WORKING = (JobState.RUNNING, JobState.CANCELLING)
STOPPED = (JobState.CANCELLED, JobState.FAILED)
WAITING = (*STOPPED, JobState.PAUSED)
LOST = "frames of the shot are missing or damaged on the disk, and are made again"
MAX_REMAKES = 3
"""How often a job is run again because frames of it are not on the disk any more, in one life of the sidecar."""


class Worker(Protocol):
    """What the scheduler asks of the worker; what the worker says comes back through `heard` and `worker_lost`."""

    def run(self, job: RunJob) -> None: ...

    def stop(self, job_id: str, run: str) -> None: ...


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
        self._run = ""
        self._remakes: collections.Counter[str] = collections.Counter()

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
            if job.state not in WAITING or self._is_whole(job):
                self._go_on(job)
                return
            self._remove(job_id)
        check_shot(request, self._chains(), self._folders.root)
        if not self._folders.is_free(job_id):
            seen = f"{self._folders.folder(job_id)} holds frames of a job {job_id} that the journal does not know"
            raise InvalidRequest(f"{seen}, expected a new id for a new shot", "generate the shot again as a new take")
        self._folders.make(job_id)
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
        if self._folders.structure_count(job.id) == job.request.structure.num_frames:
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
        """Whether every structure frame that was announced is there, and is a picture still."""
        structure = job.request.structure
        try:
            for frame in range(structure.num_frames if structure else 0):
                png = structure_path(self._folders.folder(job.id), frame).read_bytes()
                check_structure_frame(job.request, Image(ImageKind.STRUCTURE, job.id, 0, frame, png))
        except (OSError, InvalidRequest):
            return False
        return True

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
            self._worker.stop(job_id, self._run)
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
        """Remove what ended long ago, is too much, or never arrived whole; mark what an earlier release has made.

        Only what the journal says was forgotten is removed. What else lies there is left, and told in the log.
        """
        for job_id in self._journal.forgotten():
            if self._folders.remove(job_id):
                self._journal.folder_gone(job_id)
        for job in self._journal.jobs():
            self._folders.take_over(job.id)
        for job_id in outdated(self._journal):
            self._remove(job_id)
        self._limit()
        known = {job.id for job in self._journal.jobs()} | set(self._journal.forgotten())
        for path, reason in self._folders.strangers(known):
            log.warning("left alone: %s %s; remove it by hand if nobody needs it", path, reason)

    def _limit(self) -> None:
        for job_id in beyond_limit(self._journal, self._folders):
            self._remove(job_id)

    # --- what the worker says

    def heard(self, message: JobMessage, payload: bytes) -> None:
        """Take one message of the worker about a job. What an earlier run says, or one that is over, is let go."""
        job_id = message.job_id
        job = self._journal.job(job_id)
        if job is None or job.state not in WORKING or message.run != self._run:
            return
        match message:
            case JobStarted(plan=plan, take=take):
                self._journal.set_plan(job_id, plan)
                self._report(job_id, Started, plan=plan, take=take)
            case JobStepped():
                fields = dataclasses.asdict(message)
                del fields["run"]
                self.events.step(fields.pop("job_id"), **fields)
                self._on_change(job_id)
            case JobPreview(frame=frame):
                self.events.preview(job_id, frame, payload)
                self._on_change(job_id)
            case JobFrame():
                self._take_frame(job, message)
            case JobFinished(take=take):
                self._finish(job, take)
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
        """Announce a frame once. One that is made again has to be the same."""
        frame, sha256 = message.frame, message.sha256
        announced = self._journal.frame_digest(job.id, frame)
        if announced is None:
            self._report(job.id, FrameDone, frame=frame, sha256=sha256, pixels=message.pixels)
        elif announced != sha256:
            self._worker.stop(job.id, self._run)
            self._fail(job, NotReproducible(frame).problem())
        elif frame in self.events.lost(job.id):
            self._find_lost(job.id)

    def _finish(self, job: Job, take: dict[str, Any]) -> None:
        """End a job, unless frames that it made cannot be sent: then it is run again for those."""
        self._find_lost(job.id)
        if not self.events.lost(job.id):
            self._end(job.id, Trigger.FINISH, Finished, take=take)
        elif self._halt(job, LOST) is JobState.PAUSED:
            self._make_again(job.id)
        else:
            self._advance()

    def lose_frame(self, event: FrameDone) -> None:
        """A frame that was announced cannot be sent: its file is missing or damaged. A finished job makes it again."""
        job = self._journal.job(event.job_id)
        if job is None or event.frame in self.events.lost(job.id):
            return
        log.warning("frame %d of job %s is missing or damaged, and has to be made again", event.frame, job.id)
        self.events.lose(job.id, event.frame)
        if job.state is JobState.FINISHED:
            with self._journal.transaction():
                self._journal.take_back_end(job.id)
                self._move(job.id, Trigger.LOSE)
                self.events.keep(job.id, Paused, reason=LOST)
            self._make_again(job.id)

    def _find_lost(self, job_id: str) -> None:
        """Announce anew what was lost and is there again."""
        if not self.events.lost(job_id):
            return
        with self._journal.transaction():
            for event in self._journal.kept(job_id, FrameDone):
                if isinstance(event, FrameDone) and event.frame in self.events.lost(job_id):
                    self.events.find(event)
        self._on_change(job_id)

    def _make_again(self, job_id: str) -> None:
        """Run a paused job again for frames that are not on the disk any more; not for ever, if the disk keeps none."""
        self._remakes[job_id] += 1
        if self._remakes[job_id] > MAX_REMAKES:
            lost, folder = sorted(self.events.lost(job_id)), self._folders.folder(job_id)
            self._fail(self._known(job_id), FramesLost(lost, folder).problem())
        else:
            self._move(job_id, Trigger.RESUME)
            self._on_change(job_id)
            self._advance()

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
            self._dispatch(job)

    def _dispatch(self, job: Job) -> None:
        """Give the worker a job: a run of its own, in a folder of its own."""
        self._run = uuid.uuid4().hex
        try:
            folder = self._folders.make(job.id)
        except (UnusablePlace, OSError) as error:
            log.exception("the folder of job %s cannot be used", job.id)
            self._fail(job, problem_for(error))
            return
        announced = {str(frame): sha256 for frame, sha256 in self._journal.frame_digests(job.id).items()}
        self._worker.run(RunJob(job.id, job.request, str(folder), job.plan, self._run, announced))

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
        """Forget a job and remove its files. A worker may be writing still: the next start looks once more."""
        self._journal.forget(job_id)
        self._folders.remove(job_id)
        self.events.drop_lost(job_id)
        self.events.drop_passing(job_id)
