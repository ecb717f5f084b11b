# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker with the library in it: `confiner serve` on a chain of tiny experts, killed in the middle of a shot."""

from __future__ import annotations

import hashlib
import io
import sys

import numpy as np
import pytest
from PIL import Image

from confiner_blender.protocol.messages import (
    Cancel,
    Cancelled,
    Finished,
    FrameDone,
    GetStatus,
    Paused,
    PreviewReady,
    Started,
    Status,
    Stepped,
    Stretch,
    StructureInfo,
)

SIZE = (32, 32)


@pytest.fixture(scope="module")
def serving(tmp_path_factory, sidecars):
    """A sidecar as a user starts it, with the chain "tiny"."""
    from tests.confiner.tiny_models import write_tiny_chain

    folder = tmp_path_factory.mktemp("real")
    chains = write_tiny_chain(folder / "tiny")
    with sidecars(
        folder, [sys.executable, "-m", "confiner_cli", "serve", "--stay", "--chains", str(chains)]
    ) as sidecar:
        sidecar.environment["OMP_NUM_THREADS"] = "1"
        sidecar.start()
        yield sidecar


@pytest.fixture
def tiny(shot):
    def make(**changes):
        return shot(**{"chain": "tiny", "num_frames": 20, "control_steps": 2, "refine_steps": 2, **changes})

    return make


@pytest.fixture(scope="module")
def finished(serving):
    """What an undisturbed run made: its events, its frames, its record."""
    from confiner_blender.protocol.messages import ShotRequest

    request = ShotRequest("a red cube", 20, *SIZE, 7, "tiny", 8.0, control_steps=2, refine_steps=2)
    with serving.client() as client:
        job_id = client.submit(request)
        outcome = client.outcome(job_id)
        assert isinstance(outcome, Finished), outcome
        return client.events, client.frames(job_id), outcome.take


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def test_every_stage_is_reported_with_a_preview_and_a_remaining_time(finished):
    events, _, _ = finished
    stages = [event.stage for event in events if isinstance(event, Stepped)]
    assert stages[0] == "load"
    assert {"load", "control", "refine"} <= set(stages)
    assert any(isinstance(event, PreviewReady) for event in events)
    etas = [event.eta for event in events if isinstance(event, Stepped) and event.eta is not None]
    assert etas[-1] > 0, "the last frames are still to be decoded"


def test_the_record_names_the_frames_that_arrived_and_the_plan_that_made_them(finished):
    events, frames, take = finished
    assert take["frames"] == [hashlib.sha256(pixels(frames[i]).tobytes()).hexdigest() for i in range(20)]
    assert take["plan"] == next(event.plan for event in events if isinstance(event, Started))
    assert take["request"]["prompt"] == "a red cube"
    assert {pixels(png).shape for png in frames.values()} == {(32, 32, 3)}


def test_a_killed_worker_changes_no_byte(serving, tiny, kill, finished):
    """Killed behind its first frames, with later ones half refined and the next segment half made."""
    _, frames, take = finished
    with serving.client() as client:
        job_id = client.submit(tiny())
        client.expect(FrameDone)
        kill(serving.workers()[-1])
        assert "SIGKILL" in client.expect(Paused).reason
        outcome = client.outcome(job_id)
        assert isinstance(outcome, Finished), outcome
        assert client.frames(job_id) == frames
        assert outcome.take == take


def test_a_cancelled_shot_goes_on_and_is_the_same_to_the_byte(serving, tiny, finished):
    """Its first frames are a part with a record of its own; it goes on from the very step at which it was stopped."""
    events, frames, take = finished
    with serving.client() as client:
        job_id = client.submit(tiny())
        client.expect(FrameDone)
        client.send(Cancel(job_id))
        part = client.outcome(job_id).take
        assert 0 < part["kept"] < 20
        assert part == {**take, "frames": take["frames"][: part["kept"]], "kept": part["kept"]}
        last = [event for event in client.events if isinstance(event, Stepped)][-1]
    with serving.client() as client:
        client.submit(tiny(), job_id=job_id)
        outcome = client.outcome(job_id)
        assert isinstance(outcome, Finished), outcome
        assert client.frames(job_id) == frames
        assert outcome.take == take
    steps = [(event.stage, event.step) for event in events if isinstance(event, Stepped) and event.stage != "load"]
    first = next(event for event in client.events if isinstance(event, Stepped) and event.stage != "load")
    assert steps.index((first.stage, first.step)) > steps.index((last.stage, last.step))


def test_a_prompt_holds_for_its_stretch(serving, tiny, finished):
    _, frames, _ = finished
    with serving.client() as client:
        job_id = client.submit(tiny(stretches=[Stretch(12, "a blue sphere")], crossover=0))
        outcome = client.outcome(job_id)
        assert isinstance(outcome, Finished), outcome
    assert outcome.take["request"]["stretches"] == [{"start": 12, "prompt": "a blue sphere"}]
    assert client.frames(job_id)[19] != frames[19]


def test_each_step_tells_which_frames_it_worked_on(finished):
    events, _, _ = finished
    steps = [event for event in events if isinstance(event, Stepped)]
    segments = {(event.start, event.frames) for event in steps if event.stage == "control"}
    n = next(event.segment_frames for event in steps if event.stage == "control")
    assert segments == {(start, n) for start in range(0, 20, n)}
    assert {event.start + event.frames for event in steps if event.stage == "refine"} >= {20}
    shares = [event.done for event in steps if event.stage != "load"]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_structure_frames_lead_the_clip(serving, tiny, picture):
    with serving.client() as client:
        structure = StructureInfo(4, *SIZE)
        shots = [
            client.submit(tiny(num_frames=4, structure=structure), [picture(colour=colour, mode=mode)] * 4)
            for colour, mode in (("red", "RGB"), ("red", "RGBA"), ("blue", "RGB"))
        ]
        outcomes = [client.outcome(job_id) for job_id in shots]
        assert all(isinstance(outcome, Finished) for outcome in outcomes), outcomes
        red, red_again, blue = (client.frames(job_id) for job_id in shots)
    assert red == red_again
    assert red != blue
    assert not [event for event in client.events if isinstance(event, Stepped) and event.stage == "control"]


def test_cancel_ends_the_shot_and_the_worker_lives_on(serving, tiny):
    before = serving.workers()
    with serving.client() as client:
        job_id = client.submit(tiny(num_frames=600))
        while client.expect(Stepped, job_id=job_id).stage == "load":
            pass
        client.send(Cancel(job_id))
        assert isinstance(client.outcome(job_id), Cancelled)
        status = client.ask(GetStatus(), Status)
        assert (status.device, status.worker) == ("cpu", "ready")
        assert status.memory["weights"] > 0
        assert status.memory["resident"] > status.memory["weights"]
    assert serving.workers() == before


def test_lost_frames_of_a_finished_shot_are_made_again_to_the_byte(serving, tiny, finished):
    _, frames, take = finished
    with serving.client() as client:
        job_id = client.submit(tiny())
        client.outcome(job_id)
    folder = serving.job_folder(job_id) / "frames"
    (folder / "0002.png").unlink()
    (folder / "0007.png").write_bytes(b"")
    (folder / "0011.png").write_bytes((folder / "0012.png").read_bytes())
    with serving.client() as late:
        late.attach(job_id)
        outcome = late.outcome(job_id)
        assert isinstance(outcome, Finished), outcome
        assert (late.frames(job_id), outcome.take) == (frames, take)
