# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL anywhere: nothing is lost, nothing is left behind, and the frames are the same bytes."""

from __future__ import annotations

import os
import signal

import pytest

from confiner_blender.protocol.messages import (
    Cancel,
    Cancelled,
    Failed,
    Finished,
    FrameDone,
    Jobs,
    ListJobs,
    Paused,
    Queued,
    Started,
)


@pytest.fixture
def undisturbed(sidecar, shot):
    """The running sidecar, and the frames of the twelve-frame shot that the tests disturb."""
    process = sidecar.start()
    with sidecar.client() as client:
        job_id = client.submit(shot(num_frames=12))
        client.outcome(job_id)
        return process, client.frames(job_id)


@pytest.mark.parametrize("frames_before", [0, 1, 7])
def test_a_killed_worker_is_replaced_and_its_job_goes_on(sidecar, shot, kill, undisturbed, frames_before):
    _, expected = undisturbed
    with sidecar.client() as client:
        job_id = client.submit(shot(num_frames=12, prompt="pause=0.05"))
        client.expect(Started)
        for _ in range(frames_before):
            client.expect(FrameDone)
        kill(sidecar.workers()[-1])
        assert "SIGKILL" in client.expect(Paused).reason
        assert client.expect(Queued).position == 0
        client.expect(Started)
        assert isinstance(client.outcome(job_id), Finished)
        assert client.frames(job_id) == expected
    assert len(sidecar.workers()) == 2


@pytest.mark.parametrize("victims", ["listener", "listener and worker"])
def test_a_killed_listener_leaves_no_worker_and_its_job_is_offered_again(
    sidecar, shot, kill, has_gone, undisturbed, victims
):
    listener, expected = undisturbed
    with sidecar.client() as client:
        job_id = client.submit(shot(num_frames=12, prompt="pause=0.05"))
        waiting = client.submit(shot())
        for _ in range(3):
            last = client.expect(FrameDone)
        worker = sidecar.workers()[-1]
        kill(listener.pid)
        if "worker" in victims:
            os.kill(worker, signal.SIGKILL)
    assert has_gone(worker)

    sidecar.start()
    with sidecar.client() as returned:
        offered = {job.job_id: job for job in returned.ask(ListJobs(), Jobs).jobs}
        assert (offered[job_id].state, offered[waiting].state) == ("paused", "paused")
        assert offered[job_id].last_event >= last.number
        returned.attach(job_id, after=last.number)
        assert isinstance(returned.outcome(job_id), Finished)
        assert min(event.number for event in returned.events) > last.number
        returned.attach(job_id)
        returned.outcome(job_id)
        returned.attach(waiting)
        assert isinstance(returned.outcome(waiting), Finished)
    with sidecar.client() as late:
        late.attach(job_id)
        late.outcome(job_id)
        assert late.frames(job_id) == expected


def test_frames_that_were_written_and_never_told_are_told_after_the_restart(sidecar, shot, kill, eventually):
    """The listener dies between the worker's file and the journal's line: the file has to find its way."""
    listener = sidecar.start()
    with sidecar.client() as client:
        job_id = client.submit(shot(prompt="pause=0.05"))
        client.expect(FrameDone)
        os.kill(listener.pid, signal.SIGSTOP)
        assert eventually((sidecar.job_folder(job_id) / "frames" / "0003.png").exists)
        kill(listener.pid)
    sidecar.start()
    with sidecar.client() as returned:
        returned.attach(job_id)
        assert isinstance(returned.outcome(job_id), Finished)
        assert sorted(returned.frames(job_id)) == list(range(6))


def test_a_job_that_kills_its_worker_twice_is_set_aside_with_the_reason(sidecar, shot):
    sidecar.start()
    with sidecar.client() as client:
        poison, sound = client.submit(shot(prompt="die=3")), client.submit(shot())
        failed = client.outcome(poison)
        assert isinstance(failed, Failed)
        assert failed.problem.code == "worker-crash"
        assert "SIGKILL" in failed.problem.message
        assert isinstance(client.outcome(sound), Finished)
        assert sorted(client.frames(poison)) == [0, 1], "what was made is kept"
    assert len(sidecar.workers()) == 3


def test_a_worker_that_dies_while_it_cancels_leaves_the_job_cancelled(sidecar, shot, kill):
    sidecar.start()
    with sidecar.client() as client:
        job_id = client.submit(shot(prompt="pause=30"))
        client.expect(Started)
        client.send(Cancel(job_id))
        client.ask(ListJobs(), Jobs)
        kill(sidecar.workers()[0])
        assert isinstance(client.outcome(job_id), Cancelled)


def test_a_cancelled_job_goes_on_after_the_sidecar_was_ended_and_started_again(sidecar, shot, undisturbed):
    listener, expected = undisturbed
    request = shot(num_frames=12, prompt="pause=0.05")
    with sidecar.client() as client:
        job_id = client.submit(request)
        for _ in range(3):
            client.expect(FrameDone)
        client.send(Cancel(job_id))
        cancelled = client.outcome(job_id)
        done = client.frames(job_id)
        assert cancelled.take["kept"] == len(cancelled.take["frames"]) == len(done) >= 3
        assert (sidecar.job_folder(job_id) / "checkpoint").exists()
    listener.terminate()
    listener.wait()

    sidecar.start()
    with sidecar.client() as returned:
        returned.submit(request, job_id=job_id)
        assert isinstance(returned.outcome(job_id), Finished)
        assert returned.frames(job_id) == expected


def test_a_worker_that_cannot_start_is_a_problem_of_the_job_and_not_of_the_listener(sidecar, shot, tmp_path):
    sidecar.environment["PYTHONPATH"] += os.pathsep + str(tmp_path / "broken")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text(
        "import sys\nif sys.argv[-1:] != ['60'] and '--socket' in sys.orig_argv: sys.exit('no torch in here')\n"
    )
    sidecar.start()
    with sidecar.client() as client:
        failed = client.outcome(client.submit(shot()))
        assert isinstance(failed, Failed)
        assert "no torch in here" in failed.problem.message
        assert client.ask(ListJobs(), Jobs).jobs[0].state == "failed"


def test_an_engine_that_cannot_be_made_is_the_jobs_problem_and_costs_no_worker(sidecar, shot):
    sidecar.start("--device", "nowhere")
    with sidecar.client() as client:
        for _ in range(2):
            failed = client.outcome(client.submit(shot()))
            assert isinstance(failed, Failed)
            assert failed.problem.code == "device"
            assert "nowhere" in failed.problem.message
    assert len(sidecar.workers()) == 1
