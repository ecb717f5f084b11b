# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client sees of its jobs, over a real socket, with a listener and a worker in processes of their own."""

from __future__ import annotations

import uuid

from confiner_blender.protocol.messages import (
    Accepted,
    Cancel,
    Cancelled,
    Chains,
    Failed,
    Finished,
    Forget,
    FrameDone,
    GetStatus,
    Jobs,
    ListChains,
    ListJobs,
    PreviewReady,
    Queued,
    Started,
    Status,
    Stepped,
    StructureInfo,
    Submit,
    Unload,
)


def test_a_shot_becomes_frames(sidecar, shot):
    sidecar.start()
    with sidecar.client() as client:
        job_id = client.submit(shot())
        finished = client.outcome(job_id)
    kinds = [type(event) for event in client.events]
    assert isinstance(finished, Finished)
    assert kinds[:2] == [Queued, Started]
    assert kinds.count(FrameDone) == 6
    assert {Stepped, PreviewReady} < set(kinds)
    numbers = [event.number for event in client.events]
    assert numbers == sorted(set(numbers))
    assert sorted(client.frames(job_id)) == list(range(6))


def test_the_same_request_gives_the_same_bytes_and_another_seed_others(sidecar, shot):
    sidecar.start()
    with sidecar.client() as client:
        jobs = [client.submit(shot(seed=seed)) for seed in (7, 7, 8)]
        for job_id in jobs:
            client.outcome(job_id)
    first, again, other = (client.frames(job_id) for job_id in jobs)
    assert first == again
    assert first != other


def test_structure_frames_reach_the_worker(sidecar, shot, picture):
    sidecar.start()
    request = shot(structure=StructureInfo(6, 32, 32))
    with sidecar.client() as client:
        jobs = [client.submit(request, [picture(colour=colour)] * 6) for colour in ("red", "red", "blue")]
        for job_id in jobs:
            assert isinstance(client.outcome(job_id), Finished)
    red, again, blue = (client.frames(job_id) for job_id in jobs)
    assert red == again
    assert red != blue


def test_waiting_jobs_learn_their_places(sidecar, shot):
    sidecar.start()
    with sidecar.client() as client:
        jobs = [client.submit(shot(prompt="pause=0.02")) for _ in range(3)]
        for job_id in jobs:
            client.outcome(job_id)
    places = {
        job_id: [e.position for e in client.events if isinstance(e, Queued) and e.job_id == job_id] for job_id in jobs
    }
    assert [places[job_id] for job_id in jobs] == [[0], [1, 0], [2, 1, 0]]


def test_cancelling_the_running_job_is_acknowledged_and_the_next_one_runs(sidecar, shot):
    sidecar.start()
    with sidecar.client() as client:
        long = client.submit(shot(prompt="pause=0.05", num_frames=500))
        after = client.submit(shot())
        client.expect(FrameDone, job_id=long)
        client.send(Cancel(long))
        assert isinstance(client.outcome(long), Cancelled)
        assert isinstance(client.outcome(after), Finished)
        assert client.events[-1].job_id == after
    assert len(client.frames(long)) < 500


def test_cancelling_a_waiting_job_does_not_touch_the_running_one(sidecar, shot):
    sidecar.start()
    with sidecar.client() as client:
        running = client.submit(shot(prompt="pause=0.1"))
        waiting = client.submit(shot())
        client.expect(Started, job_id=running)
        client.send(Cancel(waiting))
        assert isinstance(client.outcome(waiting), Cancelled)
        assert isinstance(client.outcome(running), Finished)
    assert not client.frames(waiting)


def test_a_job_that_raises_fails_with_a_problem_and_its_traceback_is_in_the_log(sidecar, shot):
    sidecar.start()
    with sidecar.client() as client:
        broken, sound = client.submit(shot(prompt="fail=3")), client.submit(shot())
        failed = client.outcome(broken)
        assert isinstance(failed, Failed)
        assert failed.problem.code == "internal"
        assert "told to fail" in failed.problem.message
        assert failed.problem.remedy
        assert isinstance(client.outcome(sound), Finished)
    assert "Traceback" in sidecar.log()
    assert len(sidecar.workers()) == 1


def test_submitting_twice_makes_one_job(sidecar, shot):
    sidecar.start()
    with sidecar.client() as client:
        job_id = str(uuid.uuid4())
        for _ in range(2):
            assert client.ask(Submit(job_id, shot()), Accepted).job_id == job_id
        client.outcome(job_id)
        assert len(client.ask(ListJobs(), Jobs).jobs) == 1
        assert "other settings" in client.refusal(Submit(job_id, shot(seed=8))).problem.message


def test_a_client_that_comes_back_gets_what_it_missed(sidecar, shot):
    sidecar.start()
    with sidecar.client() as client:
        job_id = client.submit(shot(prompt="pause=0.05", num_frames=12))
        client.expect(FrameDone)
        seen = client.expect(FrameDone)
    with sidecar.client() as returned:
        returned.attach(job_id, after=seen.number)
        assert isinstance(returned.outcome(job_id), Finished)
        assert sorted(returned.frames(job_id)) == list(range(2, 12))
        assert min(event.number for event in returned.events) > seen.number
    with sidecar.client() as late:
        late.attach(job_id)
        late.outcome(job_id)
        assert sorted(late.frames(job_id)) == list(range(12))
        assert not [event for event in late.events if isinstance(event, Stepped | PreviewReady)]


def test_two_clients_watch_one_job(sidecar, shot):
    sidecar.start()
    with sidecar.client() as one, sidecar.client() as other:
        job_id = one.submit(shot(prompt="pause=0.02"))
        one.expect(Accepted)
        other.attach(job_id)
        one.outcome(job_id)
        other.outcome(job_id)
    assert one.frames(job_id) == other.frames(job_id)


def test_a_forgotten_job_leaves_no_files(sidecar, shot):
    sidecar.start()
    with sidecar.client() as client:
        running = client.submit(shot(prompt="pause=0.05", num_frames=100))
        client.expect(FrameDone)
        assert "expected one that has ended" in client.refusal(Forget(running)).problem.message
        client.send(Cancel(running))
        client.outcome(running)
        assert sidecar.job_folder(running).exists()
        client.send(Forget(running))
        assert client.ask(ListJobs(), Jobs).jobs == []
        assert not sidecar.job_folder(running).exists()


def test_status_and_chains_answer(sidecar, shot):
    sidecar.start()
    with sidecar.client() as client:
        assert client.ask(GetStatus(), Status).worker == "none"
        chains = {chain.name: chain for chain in client.ask(ListChains(), Chains).chains}
        assert chains["double"].sizes == [[32, 32], [16, 16], [512, 512]]
        assert chains["double"].missing == ""
        job_id = client.submit(shot(prompt="pause=0.1"))
        client.expect(Stepped)
        status = client.ask(GetStatus(), Status)
        assert (status.device, status.worker, status.running) == ("double", "busy", job_id)
        assert status.memory == {"resident": 1}
        client.outcome(job_id)


def test_unload_ends_the_worker_once_it_is_idle_and_the_next_job_starts_another(sidecar, shot, has_gone):
    sidecar.start()
    with sidecar.client() as client:
        first = client.submit(shot(prompt="pause=0.05"))
        client.expect(Started)
        client.send(Unload())
        assert isinstance(client.outcome(first), Finished)
        assert has_gone(sidecar.workers()[0])
        assert isinstance(client.outcome(client.submit(shot())), Finished)
    assert len(sidecar.workers()) == 2
