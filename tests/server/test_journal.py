# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal keeps what it was told, over its own end too."""

import sqlite3

import pytest
from confiner_server.jobs.job_states import JobState
from confiner_server.jobs.journal import Journal, JournalUnreadable

from confiner_blender.protocol.messages import Cancelled, FrameDone, Queued


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "journal.sqlite3"


def test_jobs_come_back_in_the_order_of_their_submission(path, shot):
    journal = Journal(path)
    for job_id in ("c", "a", "b"):
        journal.add(job_id, shot(prompt=f"größer, {job_id}"), JobState.QUEUED)
    journal.set_state("a", JobState.PAUSED)
    journal.set_plan("a", {"threads": 2})
    journal.close()
    again = Journal(path)
    assert [job.id for job in again.jobs()] == ["c", "a", "b"]
    assert [job.id for job in again.jobs(JobState.QUEUED)] == ["c", "b"]
    paused = again.job("a")
    assert (paused.state, paused.plan, paused.request) == (JobState.PAUSED, {"threads": 2}, shot(prompt="größer, a"))
    assert again.job("d") is None


def test_event_numbers_only_grow_even_where_nothing_was_kept(path, shot):
    journal = Journal(path)
    journal.add("a", shot(), JobState.RUNNING)
    assert [journal.next_number("a") for _ in range(3)] == [1, 2, 3]
    journal.close()
    assert Journal(path).next_number("a") == 4


def test_events_are_read_one_after_the_other_and_only_the_latest_place_is_kept(path, shot):
    journal = Journal(path)
    journal.add("a", shot(), JobState.QUEUED)
    events = [Queued("a", 1, 2), Queued("a", 2, 1), FrameDone("a", 5, 0, "ff"), Cancelled("a", 9)]
    for event in events:
        journal.keep(event)
    assert journal.next_event("a", 0) == events[1]
    assert journal.next_event("a", 2) == events[2]
    assert journal.next_event("a", 5) == events[3]
    assert journal.next_event("a", 9) is None
    assert (journal.frames_done("a"), journal.frame_digest("a", 0), journal.frame_digest("a", 1)) == (1, "ff", None)


def test_a_transaction_that_fails_leaves_nothing(path, shot):
    journal = Journal(path)
    journal.add("a", shot(), JobState.QUEUED)
    journal.keep(Cancelled("a", 1))

    def end_twice():
        with journal.transaction():
            journal.set_state("a", JobState.CANCELLED)
            journal.keep(Cancelled("a", 2))
            journal.keep(Cancelled("a", 1))

    with pytest.raises(sqlite3.IntegrityError):
        end_twice()
    assert journal.job("a").state is JobState.QUEUED
    assert journal.next_event("a", 1) is None


def test_a_forgotten_job_takes_its_events_along(path, shot):
    journal = Journal(path)
    journal.add("a", shot(), JobState.CANCELLED)
    journal.keep(Cancelled("a", 1))
    journal.forget("a")
    assert journal.jobs() == []
    assert journal.next_event("a", 0) is None


def test_only_ended_jobs_grow_old(path, shot):
    journal = Journal(path)
    for state in JobState:
        journal.add(state.value, shot(), state)
    assert set(journal.ended_before(1e12)) == {"finished", "failed", "cancelled"}
    assert journal.ended_before(0) == []


def test_a_file_that_is_no_journal_is_named_with_what_to_do(path):
    path.parent.mkdir()
    path.write_bytes(b"something else entirely " * 100)
    with pytest.raises(JournalUnreadable, match=r"journal\.sqlite3 is damaged") as error:
        Journal(path)
    assert "move" in error.value.remedy
