# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes jobs, runs them, reports: the worker without what it computes with.

The main thread computes. A second thread receives, so that a cancel is heard during a step and takes effect after it,
and the end of the listener ends the process in the middle of one.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Protocol

from confiner_blender.protocol.messages import Problem, ShotRequest
from confiner_server.problems import problem_for
from confiner_server.supervision.worker_messages import (
    FromWorker,
    JobFailed,
    JobMessage,
    JobStopped,
    RunJob,
    WorkerReady,
)

from .channel import Channel, ListenerGone

log = logging.getLogger(__name__)


class Engine(Protocol):
    """What runs jobs. It is made once, when the first job is there."""

    device: str

    def run(self, job: RunJob) -> Generator[tuple[FromWorker, bytes], None, None]:
        """Run a job to its end; every message it yields is sent with its bytes. To stop it is to close it."""

    def advice(self, error: Exception, request: ShotRequest) -> Problem | None:
        """What to do about `error` if the next try will differ: with less memory, or with more precision."""


class Inbox:
    """Jobs to run, and which runs are to be stopped. Filled by the receiving thread, emptied by the main thread."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._jobs: queue.Queue[RunJob] = queue.Queue()
        self._stopped_runs: set[str] = set()
        threading.Thread(target=self._receive, name="receiver", daemon=True).start()

    def next_job(self) -> RunJob:
        return self._jobs.get()

    def is_stopped(self, run: str) -> bool:
        return run in self._stopped_runs

    def _receive(self) -> None:
        try:
            while True:
                message = self._channel.receive()
                if isinstance(message, RunJob):
                    self._jobs.put(message)
                else:
                    self._stopped_runs.add(message.run)
        except ListenerGone:
            os._exit(0)  # a step may last minutes; what is on disk is whole


def serve_jobs(channel: Channel, make_engine: Callable[[], Engine]) -> None:
    """Run jobs until the listener is gone."""
    inbox = Inbox(channel)
    engine: Engine | None = None
    while True:
        job = inbox.next_job()
        try:
            if engine is None:
                engine = make_engine()
                channel.send(WorkerReady(engine.device))
            run_job(job, engine, channel, inbox)
        except Exception as error:  # the one catch per job
            log.exception("job %s failed", job.job_id)
            problem = engine.advice(error, job.request) if engine else None
            channel.send(JobFailed(job.job_id, problem or problem_for(error), job.run))


def run_job(job: RunJob, engine: Engine, channel: Channel, inbox: Inbox) -> None:
    """Run one job until it ends or is to be stopped; what the engine says of it goes out under the run's id."""
    messages = engine.run(job)
    for message, payload in messages:
        channel.send(replace(message, run=job.run) if isinstance(message, JobMessage) else message, payload)
        if inbox.is_stopped(job.run):
            messages.close()  # it keeps where it was
            channel.send(JobStopped(job.job_id, job.run))
            return
