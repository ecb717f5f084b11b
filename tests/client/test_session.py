# SPDX-License-Identifier: GPL-3.0-or-later
"""The session as the add-on uses it, against the sidecar in memory: reconnecting, damage, failure, closing."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from confiner_blender.client.session import inbox
from confiner_blender.client.session.retry_policy import STARTS
from confiner_blender.client.session.session import SidecarSession
from confiner_blender.client.session.session_states import State
from confiner_blender.client.sidecar_process.launcher import LaunchCommand
from confiner_blender.protocol.messages import (
    Attach,
    Cancel,
    Cancelled,
    Failed,
    Finished,
    Forget,
    GetStatus,
    Hello,
    PreviewReady,
    Problem,
    Queued,
    Refused,
    Shutdown,
    Started,
    Status,
    Stepped,
    StructureInfo,
    Submit,
)
from tests.client.sidecar_double import (
    JOB,
    OTHER_JOB,
    Reader,
    SidecarDouble,
    contents,
    eventually,
    frame_done,
    png,
    request,
)


@pytest.fixture
def sidecar() -> SidecarDouble:
    return SidecarDouble()


@pytest.fixture
def session(sidecar: SidecarDouble) -> Iterator[SidecarSession]:
    session = SidecarSession(None, meet=sidecar.meet, dial=sidecar.dial)
    session.open()
    yield session
    session.close()


@pytest.fixture
def reader(session: SidecarSession) -> Reader:
    return Reader(session)


def test_events_arrive_in_order_and_the_take_lands_whole(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader, tmp_path: Path
) -> None:
    session.submit(JOB, request(3), [], tmp_path)
    reader.until_a(inbox.MessageArrived)
    eventually(lambda: JOB in sidecar.events)
    sidecar.happen(Queued(JOB, 1, 0))
    sidecar.happen(Started(JOB, 2, {}))
    sidecar.happen(Stepped(JOB, 3, "control", 1, 4, 2.5))
    sidecar.happen(PreviewReady(JOB, 4, 0), png(99))
    for frame in range(3):
        sidecar.frame(5 + frame, frame)
    sidecar.happen(Finished(JOB, 8, {"seed": 1}))
    reader.until_a(inbox.TakeStored)
    assert [event.number for event in reader.events()] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert contents(tmp_path) == ["frame_0001.png", "frame_0002.png", "frame_0003.png", "take.json"]
    assert (tmp_path / "frame_0003.png").read_bytes() == png(2)
    eventually(lambda: sidecar.received[-1] == Forget(JOB))


def test_structure_frames_follow_their_submission(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader, tmp_path: Path
) -> None:
    frames = [bytes([frame]) * 600_000 for frame in range(3)]
    shot = dataclasses.replace(request(3), structure=StructureInfo(3, 64, 64))
    session.submit(JOB, shot, frames, tmp_path)
    eventually(lambda: len(sidecar.structure) == 3)
    assert sidecar.received[-1] == Submit(JOB, shot)
    assert [image.data for image in sidecar.structure] == frames
    assert [image.frame for image in sidecar.structure] == [0, 1, 2]


def test_what_is_asked_for_while_nothing_answers_is_done_later(tmp_path: Path) -> None:
    sidecar = SidecarDouble()
    sidecar.absent = 2
    session = SidecarSession(None, meet=sidecar.meet, dial=sidecar.dial)
    session.open()
    session.submit(JOB, request(), [], tmp_path)
    session.send(GetStatus())
    reader = Reader(session)
    failed = reader.until_state(State.FAILED)
    assert failed.problem is not None
    assert failed.problem.code == "no-sidecar"
    reader.until_state(State.READY)
    eventually(lambda: len(sidecar.received) == 3)
    assert [type(message) for message in sidecar.received] == [Hello, Submit, GetStatus]
    session.close()


def test_a_lost_connection_is_taken_up_where_it_ended(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader, tmp_path: Path
) -> None:
    session.submit(JOB, request(3), [], tmp_path)
    eventually(lambda: JOB in sidecar.events)
    sidecar.frame(1, 0)
    reader.until_a(inbox.FrameStored)
    sidecar.hang_up()
    sidecar.frame(2, 1)
    sidecar.frame(3, 2)
    sidecar.happen(Finished(JOB, 4, {}))
    reader.until_a(inbox.TakeStored)
    assert Attach(JOB, 1) in sidecar.received
    assert [event.number for event in reader.events()] == [1, 2, 3, 4]
    assert len(contents(tmp_path)) == 4


def test_a_damaged_frame_never_lies_in_the_folder_and_is_fetched_again(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader, tmp_path: Path
) -> None:
    sidecar.damaged = {1: 1}
    session.submit(JOB, request(1), [], tmp_path)
    eventually(lambda: JOB in sidecar.events)
    sidecar.frame(1, 0)
    stored = reader.until_a(inbox.FrameStored)
    assert isinstance(stored, inbox.FrameStored)
    assert stored.path.read_bytes() == png(0)
    assert [event.number for event in reader.events()] == [1]


def test_a_frame_that_stays_damaged_is_told_with_what_to_do(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader, tmp_path: Path
) -> None:
    sidecar.damaged = {1: 99}
    session.submit(JOB, request(1), [], tmp_path)
    eventually(lambda: JOB in sidecar.events)
    sidecar.frame(1, 0)
    failed = reader.until_a(inbox.StoringFailed)
    assert isinstance(failed, inbox.StoringFailed)
    assert failed.problem.code == "damaged-frame"
    assert contents(tmp_path) == []
    assert Forget(JOB) not in sidecar.received


def test_a_job_can_be_tracked_again_once_its_folder_can_be_written(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader, tmp_path: Path
) -> None:
    folder = tmp_path / "take"
    folder.write_text("a file in the way")
    session.submit(JOB, request(2), [], folder)
    eventually(lambda: JOB in sidecar.events)
    sidecar.frame(1, 0)
    reader.until_a(inbox.StoringFailed)
    sidecar.frame(2, 1)
    sidecar.happen(Finished(JOB, 3, {"request": {"num_frames": 2}}))
    folder.unlink()
    session.track(JOB, 0, folder)
    reader.until_a(inbox.TakeStored)
    assert contents(folder) == ["frame_0001.png", "frame_0002.png", "take.json"]


def test_a_job_of_an_earlier_session_is_found_again_and_its_frames_are_kept(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader, tmp_path: Path
) -> None:
    sidecar.frame(1, 0)
    sidecar.frame(2, 1)
    sidecar.happen(Finished(JOB, 3, {}))
    (tmp_path / "frame_0001.png").write_bytes(png(0))
    session.track(JOB, 1, tmp_path)
    reader.until_a(inbox.TakeStored)
    assert [event.number for event in reader.events()] == [2, 3]
    assert contents(tmp_path) == ["frame_0001.png", "frame_0002.png", "take.json"]


def test_two_jobs_do_not_mix(sidecar: SidecarDouble, session: SidecarSession, reader: Reader, tmp_path: Path) -> None:
    for job_id, name in ((JOB, "one"), (OTHER_JOB, "two")):
        session.submit(job_id, request(1), [], tmp_path / name)
    eventually(lambda: len(sidecar.events) == 2)
    sidecar.frame(1, 7, OTHER_JOB)
    sidecar.frame(1, 3, JOB)
    reader.until_a(inbox.FrameStored)
    reader.until_a(inbox.FrameStored)
    assert contents(tmp_path / "one") == ["frame_0004.png"]
    assert contents(tmp_path / "two") == ["frame_0008.png"]


def test_a_wrong_token_is_shown_with_its_remedy_and_tried_again(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader
) -> None:
    reader.until_state(State.READY)
    problem = Problem("unauthorised", "the token is wrong", "restart the sidecar")
    sidecar.answers[Hello] = lambda: Refused(problem)
    sidecar.hang_up()
    reader.until(lambda m: isinstance(m, inbox.StateChanged) and m.state is State.FAILED and m.problem == problem)
    del sidecar.answers[Hello]
    assert reader.until_state(State.READY).problem is None


def test_a_failed_job_and_an_answer_of_the_sidecar_are_handed_on(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader, tmp_path: Path
) -> None:
    status = Status("cpu", "idle", 0, None, {})
    sidecar.answers[GetStatus] = lambda: status
    session.send(GetStatus())
    assert reader.until(lambda m: m == inbox.MessageArrived(status))
    session.submit(JOB, request(), [], tmp_path)
    eventually(lambda: JOB in sidecar.events)
    failed = Failed(JOB, 1, Problem("oom", "out of memory", "make it smaller"))
    sidecar.happen(failed)
    assert reader.until(lambda m: m == inbox.EventArrived(failed))


def test_a_message_that_makes_no_sense_is_a_problem_and_not_a_dead_thread(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader
) -> None:
    reader.until_state(State.READY)
    assert sidecar.line is not None
    sidecar.line.arriving.put('{"type": "Finished"}')
    failed = reader.until_state(State.FAILED)
    assert failed.problem is not None
    assert failed.problem.code == "malformed"
    reader.until_state(State.READY)


def test_a_defect_of_our_own_is_a_problem_with_its_traceback_and_not_a_dead_thread(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reader.until_state(State.READY)

    def broken(*_: object) -> Path:
        raise ZeroDivisionError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr("confiner_blender.client.session.take_writer.store_frame", broken)
        session.submit(JOB, request(1), [], tmp_path)
        eventually(lambda: JOB in sidecar.events)
        sidecar.frame(1, 0)
        failed = reader.until_state(State.FAILED)
    assert failed.problem is not None
    assert failed.problem.code == "internal"
    assert "ZeroDivisionError: a defect" in failed.log_tail
    reader.until_a(inbox.FrameStored)


def test_a_sidecar_that_cannot_be_started_is_started_a_few_times_only() -> None:
    sidecar = SidecarDouble()
    sidecar.absent = 10**6
    launch = LaunchCommand(Path("python"))
    session = SidecarSession(launch, meet=sidecar.meet, dial=sidecar.dial)
    session.open()
    reader = Reader(session)
    gave_up = reader.until(
        lambda m: isinstance(m, inbox.StateChanged) and m.problem is not None and m.problem.code == "given-up"
    )
    assert isinstance(gave_up, inbox.StateChanged)
    assert sidecar.meetings.count(launch) == STARTS
    session.open()
    eventually(lambda: sidecar.meetings.count(launch) > STARTS)
    session.close()


def test_a_cancel_said_just_before_closing_is_still_sent(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader, tmp_path: Path
) -> None:
    session.submit(JOB, request(), [], tmp_path)
    reader.until_a(inbox.MessageArrived)
    eventually(lambda: JOB in sidecar.events)
    session.cancel(JOB)
    session.close()
    assert sidecar.received[-1] == Cancel(JOB)


def test_a_shot_is_cancelled_though_no_sidecar_was_ever_found(tmp_path: Path) -> None:
    sidecar = SidecarDouble()
    sidecar.absent = 10**6
    session = SidecarSession(None, meet=sidecar.meet, dial=sidecar.dial)
    session.open()
    session.submit(JOB, request(), [], tmp_path)
    reader = Reader(session)
    reader.until_state(State.FAILED)
    session.cancel(JOB)
    reader.until(lambda message: message == inbox.EventArrived(Cancelled(JOB, 0)))
    session.close()


def test_a_shut_down_sidecar_is_not_started_again(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader
) -> None:
    reader.until_state(State.READY)
    session.send(Shutdown())
    eventually(lambda: Shutdown() in sidecar.received)
    sidecar.hang_up()
    reader.until_state(State.CLOSED)
    assert len(sidecar.meetings) == 1


def test_closing_ends_the_thread_and_says_so(sidecar: SidecarDouble, session: SidecarSession, reader: Reader) -> None:
    reader.until_state(State.READY)
    session.close()
    assert "confiner-session" not in {thread.name for thread in threading.enumerate()}
    assert sidecar.line is None
    reader.until_state(State.CLOSED)


def test_what_is_asked_of_a_closed_session_is_done_once_it_is_open(sidecar: SidecarDouble, tmp_path: Path) -> None:
    session = SidecarSession(None, meet=sidecar.meet, dial=sidecar.dial)
    session.submit(JOB, request(), [], tmp_path)
    session.open()
    eventually(lambda: JOB in sidecar.events)
    session.close()


def test_a_session_that_was_closed_and_opened_goes_on_with_its_jobs(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader, tmp_path: Path
) -> None:
    session.submit(JOB, request(2), [], tmp_path)
    eventually(lambda: JOB in sidecar.events)
    sidecar.frame(1, 0)
    reader.until_a(inbox.FrameStored)
    session.close()
    sidecar.frame(2, 1)
    sidecar.happen(Finished(JOB, 3, {}))
    session.open()
    reader.until_a(inbox.TakeStored)
    assert contents(tmp_path) == ["frame_0001.png", "frame_0002.png", "take.json"]


def test_a_shot_asked_for_before_a_sidecar_was_chosen_is_made_once_one_is(tmp_path: Path) -> None:
    sidecar = SidecarDouble()
    sidecar.absent = 10**6
    session = SidecarSession(None, meet=sidecar.meet, dial=sidecar.dial)
    session.open()
    session.submit(JOB, request(1), [], tmp_path)
    reader = Reader(session)
    reader.until_state(State.FAILED)
    chosen = LaunchCommand(Path("python"))
    session.relaunch(chosen)
    eventually(lambda: chosen in sidecar.meetings)
    sidecar.absent = 0
    reader.until_state(State.READY)
    eventually(lambda: JOB in sidecar.events)
    session.close()


def test_frames_still_to_come_land_in_the_new_folder(
    sidecar: SidecarDouble, session: SidecarSession, reader: Reader, tmp_path: Path
) -> None:
    session.submit(JOB, request(2), [], tmp_path / "unsaved")
    eventually(lambda: JOB in sidecar.events)
    sidecar.frame(1, 0)
    reader.until_a(inbox.FrameStored)
    session.track(JOB, 0, tmp_path / "saved")
    (tmp_path / "unsaved").rename(tmp_path / "saved")
    session.send(GetStatus())
    eventually(lambda: GetStatus() in sidecar.received)
    sidecar.frame(2, 1)
    sidecar.happen(Finished(JOB, 3, {}))
    reader.until_a(inbox.TakeStored)
    assert contents(tmp_path / "saved") == ["frame_0001.png", "frame_0002.png", "take.json"]
    assert frame_done(2, 1) in reader.events()
