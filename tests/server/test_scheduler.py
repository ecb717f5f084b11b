# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduler's decisions, with a worker that only notes what it is told."""

import dataclasses
import time
import uuid

import pytest
from confiner.chains import read_chains
from confiner_server.jobs import retention
from confiner_server.jobs.job_folders import JobFolders
from confiner_server.jobs.journal import Journal
from confiner_server.jobs.scheduler import Scheduler
from confiner_server.supervision.worker_messages import (
    JobFinished,
    JobFrame,
    JobStarted,
    JobStepped,
    JobStopped,
    RunJob,
)

from confiner_blender.protocol.messages import (
    Cancelled,
    Failed,
    Finished,
    FrameDone,
    Paused,
    Started,
    Stepped,
    StructureInfo,
)


class Notes:
    """A worker that notes: running jobs, and what it was told to stop."""

    def __init__(self):
        self.jobs = []
        self.stopped = []

    def run(self, job):
        self.jobs.append(job)

    def stop(self, job_id, run):
        self.stopped.append(job_id)


class Desk:
    """A scheduler on its own files."""

    def __init__(self, tmp_path):
        (tmp_path / "parts").mkdir()
        self.folders = JobFolders(tmp_path / "jobs")
        self.journal = Journal(tmp_path / "journal.sqlite3")
        self.worker = Notes()
        self.changed = []
        chains = read_chains(tmp_path / "chains.toml")
        self.scheduler = Scheduler(self.journal, self.folders, self.worker, lambda: chains, self.changed.append)

    def submit(self, request):
        job_id = str(uuid.uuid4())
        self.scheduler.submit(job_id, request)
        return job_id

    def say(self, message, payload=b"", run=None):
        """Have the worker say something in its last run, or in another."""
        self.scheduler.heard(dataclasses.replace(message, run=run or self.worker.jobs[-1].run), payload)

    def events(self, job_id):
        events, after = [], 0
        while event := self.scheduler.events.after(job_id, after):
            events.append(event)
            after = event.number
        return events

    def state(self, job_id):
        return self.journal.job(job_id).state.value


@pytest.fixture
def desk(tmp_path, chain_file):
    return Desk(tmp_path)


def test_one_job_runs_and_the_next_is_given_when_it_ends(desk, shot):
    first, second = desk.submit(shot()), desk.submit(shot(seed=8))
    assert [job.job_id for job in desk.worker.jobs] == [first]
    desk.say(JobFinished(first, {"seed": 7}))
    assert [job.job_id for job in desk.worker.jobs] == [first, second]
    assert desk.events(first)[-1] == Finished(first, 2, {"seed": 7})


def test_the_plan_of_the_first_start_is_given_again(desk, shot):
    job_id = desk.submit(shot())
    desk.say(JobStarted(job_id, {"threads": 2}))
    desk.scheduler.worker_lost("it died")
    again = desk.worker.jobs[-1]
    assert again == RunJob(job_id, shot(), str(desk.folders.folder(job_id)), {"threads": 2}, run=again.run)


def test_only_the_latest_step_is_remembered_and_none_of_a_job_that_ended(desk, shot):
    job_id = desk.submit(shot())
    for step in (1, 2, 3):
        desk.say(JobStepped(job_id, "refine", step, 5, None))
    assert [event.step for event in desk.events(job_id) if isinstance(event, Stepped)] == [3]
    desk.say(JobFinished(job_id, {}))
    assert not [event for event in desk.events(job_id) if isinstance(event, Stepped)]


def test_a_frame_is_announced_once_and_one_that_changed_fails_the_job(desk, shot):
    job_id = desk.submit(shot())
    for digest in ("aa", "aa", "bb"):
        desk.say(JobFrame(job_id, 0, digest))
    assert [event.sha256 for event in desk.events(job_id) if isinstance(event, FrameDone)] == ["aa"]
    failed = desk.events(job_id)[-1]
    assert isinstance(failed, Failed)
    assert failed.problem.code == "not-reproducible"
    assert desk.worker.stopped == [job_id]


def test_words_about_a_job_that_is_over_are_let_go(desk, shot):
    job_id = desk.submit(shot())
    desk.say(JobFinished(job_id, {}))
    before = desk.events(job_id)
    for message in (JobStopped(job_id), JobFrame(job_id, 5, "aa"), JobStarted("another", {})):
        desk.say(message)
    assert desk.events(job_id) == before


def test_what_an_earlier_run_of_a_job_still_says_is_let_go(desk, shot):
    job_id = desk.submit(shot())
    for digest in ("aa", "bb"):
        desk.say(JobFrame(job_id, 0, digest))
    assert desk.state(job_id) == "failed"
    desk.scheduler.submit(job_id, shot())
    first, second = (job.run for job in desk.worker.jobs)
    assert first != second
    before = desk.events(job_id)
    for message in (JobFrame(job_id, 1, "cc"), JobStopped(job_id), JobFinished(job_id, {})):
        desk.say(message, run=first)
    assert desk.events(job_id) == before
    desk.say(JobFrame(job_id, 0, "aa"))
    desk.say(JobFinished(job_id, {}))
    assert isinstance(desk.events(job_id)[-1], Finished)


def test_a_job_that_was_done_before_it_heard_of_the_cancel_is_finished(desk, shot):
    job_id = desk.submit(shot())
    desk.scheduler.cancel(job_id)
    desk.say(JobFinished(job_id, {}))
    assert isinstance(desk.events(job_id)[-1], Finished)
    desk.scheduler.cancel(job_id)
    assert desk.state(job_id) == "finished"


def test_cancelling_twice_tells_the_worker_once(desk, shot):
    job_id = desk.submit(shot())
    desk.scheduler.cancel(job_id)
    desk.scheduler.cancel(job_id)
    assert desk.worker.stopped == [job_id]
    desk.say(JobStopped(job_id))
    assert isinstance(desk.events(job_id)[-1], Cancelled)


def test_halted_jobs_are_paused_and_resume_in_the_order_of_their_submission(desk, shot):
    first, second, third = (desk.submit(shot(seed=seed)) for seed in (1, 2, 3))
    desk.scheduler.cancel(first)
    desk.scheduler.halt("the end")
    assert isinstance(desk.events(first)[-1], Cancelled)
    assert desk.events(second)[-1] == Paused(second, 2, "the end")
    desk.scheduler.resume(third)
    desk.scheduler.resume(second)
    desk.say(JobFinished(third, {}))
    assert [job.job_id for job in desk.worker.jobs] == [first, third, second]


def test_what_ended_long_ago_is_swept_away_and_what_no_job_knows_is_left(desk, shot, monkeypatch):
    old, running = desk.submit(shot()), desk.submit(shot())
    desk.submit(shot(structure=StructureInfo(6, 32, 32)))
    desk.say(JobFinished(old, {}))
    stray = desk.folders.make(str(uuid.uuid4()))
    desk.scheduler.sweep()
    assert stray.exists()
    assert [job.id for job in desk.journal.jobs()] == [old, running]
    assert desk.folders.folder(old).exists()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + retention.KEPT_SECONDS + 60)
    desk.scheduler.sweep()
    assert [job.id for job in desk.journal.jobs()] == [running]
    assert not desk.folders.folder(old).exists()
    assert desk.folders.folder(running).exists()


def test_every_change_is_told(desk, shot):
    job_id = desk.submit(shot())
    desk.changed.clear()
    desk.say(JobStarted(job_id, {}))
    assert desk.changed == [job_id]
    assert isinstance(desk.events(job_id)[-1], Started)


def begun(desk, request, frames=2):
    """A job that has made that many frames."""
    job_id = desk.submit(request)
    desk.say(JobStarted(job_id, {"threads": 2}, {"seed": 7, "frames": []}))
    for frame in range(frames):
        desk.say(JobFrame(job_id, frame, f"file {frame}", pixels=f"pixels {frame}"))
    return job_id


def cancelled(desk, request, frames=2):
    job_id = begun(desk, request, frames)
    desk.scheduler.cancel(job_id)
    desk.say(JobStopped(job_id))
    return job_id


def test_a_job_that_was_cut_short_leaves_the_record_of_what_is_finished(desk, shot):
    part = {"seed": 7, "frames": ["pixels 0", "pixels 1"], "kept": 2}
    assert desk.events(cancelled(desk, shot()))[-1].take == part
    crashing = begun(desk, shot())
    for _ in range(2):
        desk.scheduler.worker_lost("it died")
    failed = desk.events(crashing)[-1]
    assert isinstance(failed, Failed)
    assert failed.take == part
    assert desk.events(cancelled(desk, shot(), frames=0))[-1].take == {}


def test_a_cancelled_job_that_is_asked_for_again_goes_on_as_if_it_never_was(desk, shot):
    job_id = cancelled(desk, shot())
    number = desk.events(job_id)[-1].number
    desk.scheduler.submit(job_id, shot())
    assert desk.state(job_id) == "running"
    again = desk.worker.jobs[-1]
    assert (again.job_id, again.plan) == (job_id, {"threads": 2})
    assert again.announced == {"0": "file 0", "1": "file 1"}
    desk.say(JobFrame(job_id, 2, "file 2"))
    desk.say(JobFinished(job_id, {}))
    events = desk.events(job_id)
    assert [event.frame for event in events if isinstance(event, FrameDone)] == [0, 1, 2]
    assert not [event for event in events if isinstance(event, Cancelled)]
    assert events[-1].number > number


def test_a_job_that_failed_and_is_asked_for_again_may_end_as_many_workers_as_a_new_one(desk, shot):
    job_id = begun(desk, shot())
    for _ in range(2):
        desk.scheduler.worker_lost("it died")
    desk.scheduler.submit(job_id, shot())
    desk.scheduler.worker_lost("it died")
    assert desk.state(job_id) == "running"


def test_a_job_cancelled_before_its_structure_had_come_begins_anew(desk, shot, picture):
    request = shot(structure=StructureInfo(6, 32, 32))
    job_id = desk.submit(request)
    desk.scheduler.cancel(job_id)
    desk.scheduler.submit(job_id, request)
    assert desk.state(job_id) == "receiving"


def test_jobs_that_were_cut_short_take_no_more_than_their_share_of_the_disk(desk, shot, monkeypatch):
    monkeypatch.setattr(retention, "KEPT_BYTES", 250)
    done = desk.submit(shot())
    desk.say(JobFinished(done, {}))
    found = []
    for _ in range(4):
        job_id = begun(desk, shot())
        for other in (job_id, done):
            desk.folders.folder(other).mkdir(parents=True, exist_ok=True)
            (desk.folders.folder(other) / "checkpoint").write_bytes(b"x" * 100)
        desk.scheduler.cancel(job_id)
        desk.say(JobStopped(job_id))
        found.append(job_id)
    assert [job.id for job in desk.journal.jobs()] == [done, *found[-2:]]
    assert not desk.folders.folder(found[0]).exists()
