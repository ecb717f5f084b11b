# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's loop stops a job between two steps, and only that job."""

import pytest
from confiner_server.supervision.worker_messages import JobFinished, JobStepped, JobStopped, RunJob
from confiner_server.worker.loop import run_job


class Steps:
    """An engine of ten steps that notes when it is closed."""

    device = "none"

    def __init__(self):
        self.done = 0
        self.closed = False

    def run(self, job):
        try:
            for step in range(1, 11):
                self.done = step
                yield JobStepped(job.job_id, "refine", step, 10, None), b""
            yield JobFinished(job.job_id, {}), b""
        finally:
            self.closed = True


class Script:
    """A channel that keeps what is sent, and an inbox whose stop arrives while a given step is computed."""

    def __init__(self, stop_during):
        self.sent = []
        self.stop_during = stop_during

    def send(self, message, payload=b""):
        self.sent.append(message)

    def is_stopped(self, job_id):
        return self.stop_during is not None and len(self.sent) >= self.stop_during


@pytest.mark.parametrize("step", [1, 4, 10])
def test_a_stop_takes_effect_after_the_step_under_way(shot, step):
    engine, script = Steps(), Script(stop_during=step)
    run_job(RunJob("a", shot(), "", None), engine, script, script)
    assert engine.done == step
    assert engine.closed
    assert script.sent[-1] == JobStopped("a")
    assert len(script.sent) == step + 1


def test_an_undisturbed_job_is_run_to_its_end(shot):
    engine, script = Steps(), Script(stop_during=None)
    run_job(RunJob("a", shot(), "", None), engine, script, script)
    assert script.sent[-1] == JobFinished("a", {})
