# SPDX-License-Identifier: GPL-3.0-or-later
"""A sidecar removes what it made for a job that was forgotten, and nothing else: not beside it, not behind a link."""

from __future__ import annotations

import shutil
import uuid

import pytest
from confiner_server.jobs.journal import Journal

from confiner_blender.protocol.messages import Finished, Forget, Jobs, ListJobs, Refused, Submit
from confiner_blender.protocol.version import PROTOCOL_VERSION


@pytest.fixture
def canary(tmp_path):
    """A folder of the user's, all of which has to be as it was in the end, modes and all."""
    docs = tmp_path / "docs"
    (docs / "holiday").mkdir(parents=True)
    (docs / "holiday" / "0000.png").write_bytes(b"a picture of the sea")
    (docs / "frames").mkdir()
    (docs / "frames" / "0000.png").write_bytes(b"another picture")
    (docs / "checkpoint").write_bytes(b"a word of the user's")
    docs.chmod(0o755)

    def state():
        paths = [docs, *sorted(docs.rglob("*"))]
        return [(path, path.stat().st_mode, path.read_bytes() if path.is_file() else None) for path in paths]

    before = state()
    yield docs
    assert state() == before


@pytest.fixture
def jobs_folder(sidecar):
    return sidecar.home / "data" / f"jobs-p{PROTOCOL_VERSION}"


@pytest.fixture
def journal_file(sidecar):
    return sidecar.home / "data" / f"journal-p{PROTOCOL_VERSION}.sqlite3"


@pytest.fixture
def finished(sidecar, shot):
    """A finished job of a sidecar that has ended."""
    process = sidecar.start("--stay")
    with sidecar.client() as client:
        job_id = client.submit(shot())
        assert isinstance(client.outcome(job_id), Finished)
    process.terminate()
    process.wait()
    return job_id


def frames(folder):
    return sorted(path.name for path in (folder / "frames").iterdir())


def forget(sidecar, job_id):
    with sidecar.client() as client:
        client.send(Forget(job_id))
        assert job_id not in [job.job_id for job in client.ask(ListJobs(), Jobs).jobs]


def test_a_link_in_the_place_of_all_jobs_is_refused_with_a_sentence(sidecar, canary, jobs_folder, capfd):
    jobs_folder.parent.mkdir(parents=True)
    jobs_folder.symlink_to(canary)
    assert sidecar.launch().wait(30) != 0
    assert f"{jobs_folder} is a link" in capfd.readouterr().err


def test_what_lies_beside_the_jobs_stays_and_is_told(sidecar, canary, jobs_folder, finished):
    (jobs_folder / "mine").mkdir()
    (jobs_folder / "mine" / "notes.txt").write_text("keep")
    (jobs_folder / "a file").write_text("keep")
    named, linked = jobs_folder / str(uuid.uuid4()), jobs_folder / str(uuid.uuid4())
    (named / "frames").mkdir(parents=True)
    (named / "frames" / "0000.png").write_text("keep")
    linked.symlink_to(canary)
    copy = jobs_folder / str(uuid.uuid4())
    shutil.copytree(jobs_folder / finished, copy)
    sidecar.start()
    places = [jobs_folder / "mine", jobs_folder / "a file", named, linked, copy]
    for place in places:
        assert place.exists()
        assert f"left alone: {place}" in sidecar.log()
    assert (jobs_folder / "mine" / "notes.txt").read_text() == "keep"
    assert (named / "frames" / "0000.png").read_text() == "keep"
    assert len(frames(copy)) == len(frames(jobs_folder / finished)) == 6


@pytest.mark.parametrize("loss", ["emptied", "moved away"])
def test_a_journal_that_knows_no_job_costs_no_frame(sidecar, jobs_folder, journal_file, finished, loss):
    for ending in ("-wal", "-shm"):
        journal_file.with_name(journal_file.name + ending).unlink(missing_ok=True)
    if loss == "emptied":
        journal_file.write_bytes(b"")
    else:
        journal_file.rename(journal_file.with_name("journal.old"))
    sidecar.start()
    assert len(frames(jobs_folder / finished)) == 6
    assert f"left alone: {jobs_folder / finished} holds a job that the journal does not know" in sidecar.log()


def test_a_job_that_the_journal_lost_is_not_mixed_with_a_new_one(sidecar, shot, jobs_folder, journal_file, finished):
    before = [path.read_bytes() for path in sorted((jobs_folder / finished / "frames").iterdir())]
    journal_file.unlink()
    sidecar.start()
    with sidecar.client() as client:
        answer = client.ask(Submit(finished, shot(seed=8)), Refused)
    assert finished in answer.problem.message
    assert "again" in answer.problem.remedy
    assert [path.read_bytes() for path in sorted((jobs_folder / finished / "frames").iterdir())] == before


def test_a_forgotten_job_goes_and_what_the_user_put_into_its_folder_stays(sidecar, canary, jobs_folder, finished):
    folder = jobs_folder / finished
    (folder / "notes.txt").write_text("keep")
    (folder / "frames" / "mine.png").write_text("keep")
    (folder / "structure").symlink_to(canary / "frames")
    (folder / "frames" / "0100.png").symlink_to(canary / "holiday" / "0000.png")
    sidecar.start()
    forget(sidecar, finished)
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.name.startswith("."))
    assert left == ["frames", "frames/0100.png", "frames/mine.png", "notes.txt", "structure"]
    assert f"left alone: {folder / 'notes.txt'}" in sidecar.log()


def test_a_job_folder_that_became_a_link_is_left(sidecar, canary, jobs_folder, finished):
    folder = jobs_folder / finished
    folder.rename(jobs_folder.parent / "elsewhere")
    folder.symlink_to(canary)
    sidecar.start()
    forget(sidecar, finished)
    assert folder.is_symlink()
    assert len(frames(jobs_folder.parent / "elsewhere")) == 6


def test_all_of_a_forgotten_job_goes_with_files_that_were_never_ended(sidecar, jobs_folder, finished):
    (jobs_folder / finished / "frames" / "0005.png.4711.part").write_bytes(b"half")
    (jobs_folder / finished / "checkpoint.part").write_bytes(b"half")
    sidecar.start()
    forget(sidecar, finished)
    assert list(jobs_folder.iterdir()) == []


def test_a_kill_between_the_journal_and_the_folder_is_made_good_by_the_next_start(
    sidecar, jobs_folder, journal_file, finished
):
    journal = Journal(journal_file)
    journal.forget(finished)
    journal.close()
    assert (jobs_folder / finished).exists()
    sidecar.start()
    assert list(jobs_folder.iterdir()) == []
    assert "left alone" not in sidecar.log()


def test_folders_of_an_earlier_release_without_a_mark_go_on(sidecar, jobs_folder, finished):
    for path in (jobs_folder / finished).glob(".*"):
        path.unlink()
    (jobs_folder / finished).chmod(0o755)
    sidecar.start()
    assert "left alone" not in sidecar.log()
    assert (jobs_folder / finished).stat().st_mode & 0o777 == 0o700
    with sidecar.client() as client:
        client.attach(finished)
        assert isinstance(client.outcome(finished), Finished)
        assert len(client.frames(finished)) == 6
    forget(sidecar, finished)
    assert list(jobs_folder.iterdir()) == []


def test_a_link_among_a_jobs_own_folders_is_written_through_by_nobody(sidecar, canary, jobs_folder, finished):
    frames_folder = jobs_folder / finished / "frames"
    frames_folder.rename(jobs_folder / finished / "moved")
    frames_folder.symlink_to(canary / "frames")
    sidecar.start()
    with sidecar.client() as client:
        client.attach(finished)
        failed = client.outcome(finished)
        assert failed.problem.code == "place"
        assert str(frames_folder) in failed.problem.message
