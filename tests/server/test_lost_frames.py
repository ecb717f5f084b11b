# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that are missing or damaged on the sidecar's disk are made again, and no client ever gets another's."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest

from confiner_blender.protocol.messages import Failed, Finished, FrameDone, StructureInfo, Submit
from confiner_blender.protocol.version import PROTOCOL_VERSION

FRAMES = 12


def missing(path):
    path.unlink()


def empty(path):
    path.write_bytes(b"")


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def anothers(path):
    shutil.copyfile(path.with_name("0001.png"), path)


def linked(path):
    path.rename(path.with_name("moved.png"))
    path.symlink_to("moved.png")
    path.with_name("moved.png").write_bytes(b"")


def all_of_them(path):
    take_away(path.parent)


def whole_folder(path):
    take_away(path.parent.parent)


def take_away(folder):
    """At one blow: somebody may be writing there."""
    gone = Path(tempfile.mkdtemp(dir=folder.parents[2]))
    folder.rename(gone / "gone")
    shutil.rmtree(gone)


DAMAGES = [missing, empty, cut, anothers, linked, all_of_them, whole_folder]


@pytest.fixture
def expected(sidecar, shot):
    """The frames that an undisturbed sidecar makes."""
    sidecar.process = sidecar.start("--stay")
    with sidecar.client() as client:
        job_id = client.submit(shot(num_frames=FRAMES))
        client.outcome(job_id)
        return client.frames(job_id)


@pytest.fixture
def again(sidecar):
    """Ends the sidecar as a kill does, and starts another."""

    def again():
        sidecar.process.kill()
        sidecar.process.wait()
        sidecar.process = sidecar.start("--stay")

    return again


def begun(client, request, frames=5):
    job_id = client.submit(request)
    while sum(isinstance(event, FrameDone) for event in client.events) < frames:
        client.hear()
    return job_id


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_finished_job_makes_a_lost_frame_again(sidecar, shot, expected, damage):
    with sidecar.client() as client:
        job_id = client.submit(shot(num_frames=FRAMES))
        client.outcome(job_id)
    damage(sidecar.job_folder(job_id) / "frames" / "0003.png")
    with sidecar.client() as late:
        late.attach(job_id)
        assert isinstance(late.outcome(job_id), Finished)
        assert late.frames(job_id) == expected


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_job_that_goes_on_makes_a_lost_frame_again(sidecar, shot, expected, again, damage):
    with sidecar.client() as client:
        job_id = begun(client, shot(num_frames=FRAMES, prompt="pause=0.05"))
    sidecar.process.kill()
    sidecar.process.wait()
    damage(sidecar.job_folder(job_id) / "frames" / "0003.png")
    again()
    with sidecar.client() as returned:
        returned.attach(job_id)
        assert isinstance(returned.outcome(job_id), Finished)
        assert returned.frames(job_id) == expected


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_frame_that_is_lost_while_later_ones_are_made_is_made_again(sidecar, shot, expected, damage):
    with sidecar.client() as client:
        job_id = begun(client, shot(num_frames=FRAMES, prompt="pause=0.05"))
        damage(sidecar.job_folder(job_id) / "frames" / "0003.png")
        with sidecar.client() as late:
            late.attach(job_id)
            assert isinstance(late.outcome(job_id), Finished)
            assert late.frames(job_id) == expected
        assert isinstance(client.outcome(job_id), Finished)


def test_a_frame_that_comes_out_differently_fails_every_time_and_is_never_announced(sidecar, shot, expected, again):
    """What another machine, or other libraries, would make of a job that was begun elsewhere."""
    request = shot(num_frames=FRAMES, prompt="pause=0.05")
    with sidecar.client() as client:
        job_id = begun(client, request)
    sidecar.process.kill()
    sidecar.process.wait()
    announced = "aa" * 32
    with sqlite3.connect(sidecar.home / "data" / f"journal-p{PROTOCOL_VERSION}.sqlite3") as journal:
        where = "WHERE job_id = ? AND frame = 3"
        (body,) = journal.execute(f"SELECT body FROM events {where}", (job_id,)).fetchone()
        changed = json.dumps({**json.loads(body), "sha256": announced})
        journal.execute(f"UPDATE events SET body = ? {where}", (changed, job_id))
    journal.close()
    again()
    with sidecar.client() as returned:
        for _ in range(3):
            returned.send(Submit(job_id, request))  # at once: the run before may not have stopped
            outcome = returned.outcome(job_id)
            assert isinstance(outcome, Failed)
            assert outcome.problem.code == "not-reproducible"
            assert outcome.take["kept"] == 3
        assert {event.frame for event in returned.events if isinstance(event, FrameDone)} == {0, 1, 2, 4}


def test_a_part_that_lost_a_frame_is_kept_up_to_it(sidecar, shot):
    sidecar.start("--stay")
    with sidecar.client() as client:
        job_id = client.submit(shot(prompt="fail=5"))
        assert client.outcome(job_id).take["kept"] == 4
    (sidecar.job_folder(job_id) / "frames" / "0002.png").unlink()
    with sidecar.client() as late:
        late.attach(job_id)
        assert late.outcome(job_id).take["kept"] == 2
        assert sorted(late.frames(job_id)) == [0, 1, 3]


@pytest.mark.parametrize("damage", [missing, empty, cut, all_of_them])
def test_damaged_structure_is_asked_for_again(sidecar, shot, picture, damage):
    structure = [picture(colour=(frame, 0, 0)) for frame in range(6)]
    request = shot(structure=StructureInfo(6, 32, 32))
    sidecar.start("--stay")
    with sidecar.client() as client:
        undisturbed = client.submit(request, structure)
        client.outcome(undisturbed)
        failing = shot(structure=StructureInfo(6, 32, 32), prompt="fail=3")
        job_id = client.submit(failing, structure)
        assert isinstance(client.outcome(job_id), Failed)
        damage(sidecar.job_folder(job_id) / "structure" / "0003.png")
        client.events.clear()
        client.submit(failing, structure, job_id)
        assert client.outcome(job_id).problem.message == "RuntimeError: told to fail; expected none of this"
        assert len(list((sidecar.job_folder(job_id) / "structure").iterdir())) == 6
