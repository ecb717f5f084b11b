# SPDX-License-Identifier: GPL-3.0-or-later
"""The session against the real sidecar: real socket, real listener, real worker process, and things that are killed."""

from __future__ import annotations

import json
import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from confiner_blender.client.session import inbox
from confiner_blender.client.session.session import SidecarSession
from confiner_blender.client.session.session_states import State
from confiner_blender.client.sidecar_process.launcher import LaunchCommand, find
from confiner_blender.client.sidecar_process.liveness import alive
from confiner_blender.protocol import rendezvous
from confiner_blender.protocol.messages import (
    Cancelled,
    Chains,
    FrameDone,
    ListChains,
    Paused,
    Refused,
    ShotRequest,
    Shutdown,
    StructureInfo,
)
from tests.client import metronome
from tests.client.sidecar_double import Reader, contents, eventually

Open = Callable[[LaunchCommand | None], Reader]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Open a session and give its reader; every session is closed at the end."""
    with ExitStack() as stack:

        def start(launch: LaunchCommand | None) -> Reader:
            session = SidecarSession(launch)
            session.open()
            stack.callback(session.close)
            return Reader(session)

        yield start


@pytest.fixture
def job_id() -> str:
    return str(uuid.uuid4())


def shot(num_frames: int = 6, **changes: object) -> ShotRequest:
    request = ShotRequest("a red cube", num_frames, 64, 64, seed=3, chain=metronome.CHAIN, fps=8.0)
    return replace(request, **changes)


def whole_take(folder: Path, num_frames: int) -> bool:
    names = [f"frame_{number:04d}.png" for number in range(1, num_frames + 1)]
    right = all((folder / name).read_bytes() == metronome.picture(3, i) for i, name in enumerate(names))
    return right and contents(folder) == [*names, "take.json"]


def sidecar_pid() -> int:
    connection = find()
    assert connection is not None
    return connection.pid


def test_a_shot_lands_in_its_folder_and_the_sidecar_forgets_it(
    ticking: LaunchCommand, opened: Open, job_id: str, tmp_path: Path, home: Path
) -> None:
    reader = opened(ticking)
    reader.session.submit(job_id, shot(), [], tmp_path)
    reader.until_a(inbox.PreviewStored)
    reader.until_a(inbox.TakeStored)
    assert whole_take(tmp_path, 6)
    assert json.loads((tmp_path / "take.json").read_text()) == {"request": {"num_frames": 6}}
    numbers = [event.number for event in reader.events()]
    assert numbers == sorted(set(numbers))
    assert [event.frame for event in reader.events() if isinstance(event, FrameDone)] == list(range(6))
    eventually(lambda: not list(rendezvous.data_folder().rglob(job_id)))


def test_structure_frames_reach_the_sidecar(ticking: LaunchCommand, opened: Open, job_id: str, tmp_path: Path) -> None:
    reader = opened(ticking)
    frames = [metronome.picture(1, frame) for frame in range(4)]
    structure = StructureInfo(4, metronome.SIZE, metronome.SIZE)
    reader.session.submit(job_id, shot(4, structure=structure), frames, tmp_path)
    reader.until_a(inbox.TakeStored)
    assert whole_take(tmp_path, 4)


def test_a_shot_that_cannot_be_made_is_refused_with_a_sentence(
    ticking: LaunchCommand, opened: Open, job_id: str, tmp_path: Path
) -> None:
    reader = opened(ticking)
    reader.session.submit(job_id, shot(prompt=""), [], tmp_path)
    refused = reader.until(lambda m: isinstance(m, inbox.MessageArrived) and isinstance(m.message, Refused))
    assert isinstance(refused, inbox.MessageArrived)
    assert isinstance(refused.message, Refused)
    assert refused.message.job_id == job_id
    assert "prompt" in refused.message.problem.message
    assert refused.message.problem.remedy


def test_a_cancelled_shot_stops_and_keeps_what_it_had(
    ticking: LaunchCommand, opened: Open, job_id: str, tmp_path: Path
) -> None:
    reader = opened(ticking)
    reader.session.submit(job_id, shot(1000), [], tmp_path)
    reader.until_a(inbox.FrameStored)
    reader.session.cancel(job_id)
    reader.until(lambda m: isinstance(m, inbox.EventArrived) and isinstance(m.event, Cancelled))
    assert (tmp_path / "frame_0001.png").read_bytes() == metronome.picture(3, 0)
    assert not (tmp_path / "take.json").exists()
    assert not (tmp_path / "preview.png").exists()
    part = json.loads((tmp_path / "part.json").read_text())
    assert part["frames"] == [f"pixels of {frame}" for frame in range(part["kept"])]
    assert (tmp_path / f"frame_{part['kept']:04d}.png").exists()


def test_a_cancelled_shot_that_is_asked_for_again_goes_on_to_its_end(
    ticking: LaunchCommand, opened: Open, job_id: str, tmp_path: Path
) -> None:
    reader = opened(ticking)
    reader.session.submit(job_id, shot(20), [], tmp_path)
    reader.until_a(inbox.FrameStored)
    reader.session.cancel(job_id)
    reader.until(lambda m: isinstance(m, inbox.EventArrived) and isinstance(m.event, Cancelled))
    reader.session.submit(job_id, shot(20), [], tmp_path)
    reader.until_a(inbox.TakeStored)
    assert whole_take(tmp_path, 20)
    assert not (tmp_path / "part.json").exists()


def test_a_sidecar_killed_in_the_middle_is_started_again_and_the_shot_goes_on(
    ticking: LaunchCommand, opened: Open, job_id: str, tmp_path: Path
) -> None:
    reader = opened(ticking)
    reader.session.submit(job_id, shot(20), [], tmp_path)
    reader.until_a(inbox.FrameStored)
    killed = sidecar_pid()
    os.kill(killed, signal.SIGKILL)
    failed = reader.until_state(State.FAILED)
    assert failed.problem is not None
    assert failed.problem.code == "sidecar-ended"
    assert "listens on" in failed.log_tail
    reader.until_state(State.READY)
    assert sidecar_pid() != killed
    reader.until_a(inbox.TakeStored)
    assert whole_take(tmp_path, 20)
    frames = [event.frame for event in reader.events() if isinstance(event, FrameDone)]
    assert frames == list(range(20))


def test_a_sidecar_ended_by_another_program_is_started_again_and_the_shot_goes_on(
    ticking: LaunchCommand, opened: Open, job_id: str, tmp_path: Path
) -> None:
    reader = opened(ticking)
    reader.session.submit(job_id, shot(20), [], tmp_path)
    reader.until_a(inbox.FrameStored)
    os.kill(sidecar_pid(), signal.SIGTERM)
    reader.until(lambda m: isinstance(m, inbox.EventArrived) and isinstance(m.event, Paused))
    reader.until_a(inbox.TakeStored)
    assert whole_take(tmp_path, 20)


def test_a_blender_that_comes_back_finds_its_shot(
    ticking: LaunchCommand, opened: Open, job_id: str, tmp_path: Path
) -> None:
    first = opened(ticking)
    first.session.submit(job_id, shot(20), [], tmp_path)
    stored = first.until_a(inbox.FrameStored)
    assert isinstance(stored, inbox.FrameStored)
    first.session.close()
    second = opened(None)
    second.session.track(job_id, stored.number, tmp_path)
    second.until_a(inbox.TakeStored)
    assert whole_take(tmp_path, 20)


def test_a_shot_goes_on_in_a_folder_whose_frames_were_taken_away(
    ticking: LaunchCommand, opened: Open, job_id: str, tmp_path: Path
) -> None:
    reader = opened(ticking)
    reader.session.submit(job_id, shot(8), [], tmp_path)
    stored = reader.until_a(inbox.FrameStored)
    assert isinstance(stored, inbox.FrameStored)
    stored.path.unlink()
    reader.until_a(inbox.TakeStored)
    assert whole_take(tmp_path, 8)


def test_two_blenders_share_one_sidecar(ticking: LaunchCommand, opened: Open, tmp_path: Path) -> None:
    readers = [opened(ticking), opened(ticking)]
    for number, reader in enumerate(readers):
        reader.session.submit(str(uuid.uuid4()), shot(3), [], tmp_path / str(number))
    for reader in readers:
        reader.until_a(inbox.TakeStored)
    assert whole_take(tmp_path / "0", 3)
    assert whole_take(tmp_path / "1", 3)
    log = rendezvous.log_file().read_text()
    assert log.count("listens on") == 1


def test_the_panel_gets_the_chains(ticking: LaunchCommand, opened: Open) -> None:
    reader = opened(ticking)
    reader.session.send(ListChains())
    found = reader.until(lambda m: isinstance(m, inbox.MessageArrived) and isinstance(m.message, Chains))
    assert isinstance(found, inbox.MessageArrived)
    assert isinstance(found.message, Chains)
    assert metronome.CHAIN in {chain.name for chain in found.message.chains}


def test_a_wrong_token_is_refused_by_the_real_sidecar(ticking: LaunchCommand, opened: Open) -> None:
    opened(ticking).until_state(State.READY)
    connection = find()
    assert connection is not None
    rendezvous.connection_file().write_text(rendezvous.write_text(replace(connection, token="guessed")))
    failed = opened(None).until_state(State.FAILED)
    assert failed.problem is not None
    assert failed.problem.code == "unauthorised"
    rendezvous.connection_file().write_text(rendezvous.write_text(connection))


def test_a_sidecar_that_was_told_to_end_is_not_started_again(
    ticking: LaunchCommand, opened: Open, tmp_path: Path, job_id: str
) -> None:
    reader = opened(ticking)
    reader.session.submit(job_id, shot(1000), [], tmp_path)
    reader.until_a(inbox.FrameStored)
    pid = sidecar_pid()
    reader.session.send(Shutdown())
    reader.until_state(State.CLOSED)
    eventually(lambda: not alive(pid))
    assert find() is None


def test_a_closed_session_leaves_no_thread_and_in_the_end_no_sidecar(ticking: LaunchCommand, opened: Open) -> None:
    reader = opened(replace(ticking, arguments=(*ticking.arguments, "--grace", "0.2")))
    reader.until_state(State.READY)
    pid = sidecar_pid()
    reader.session.close()
    assert not [thread for thread in threading.enumerate() if "session" in thread.name]
    eventually(lambda: not alive(pid))
    assert not rendezvous.connection_file().exists()
