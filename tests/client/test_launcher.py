# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding and starting the real sidecar: real processes, real files, every way in which a start can fail."""

import os
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from confiner_blender.client.errors import ClientError, Hop, Stopped
from confiner_blender.client.sidecar_process import launcher
from confiner_blender.client.sidecar_process.launcher import LaunchCommand, Meeting, meet
from confiner_blender.client.sidecar_process.liveness import alive
from confiner_blender.protocol import rendezvous
from confiner_blender.protocol.rendezvous import Connection
from confiner_blender.protocol.version import PROTOCOL_VERSION

GOES_ON = threading.Event()


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Every process started here, each ended at the end."""
    processes: list[subprocess.Popen[bytes]] = []
    spawn = launcher._spawn

    def remembering(launch: LaunchCommand, output: Path) -> subprocess.Popen[bytes]:
        processes.append(spawn(launch, output))
        return processes[-1]

    monkeypatch.setattr(launcher, "_spawn", remembering)
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def standing_in(folder: Path, code: str) -> LaunchCommand:
    """A sidecar's interpreter whose `confiner_cli` runs `code` instead."""
    (folder / "confiner_cli").mkdir()
    (folder / "confiner_cli" / "__init__.py").touch()
    (folder / "confiner_cli" / "__main__.py").write_text(code)
    return LaunchCommand(Path(sys.executable), environment={"PYTHONPATH": str(folder)})


def write_connection(pid: int, port: int = 1) -> Connection:
    connection = Connection("127.0.0.1", port, "token", pid, PROTOCOL_VERSION, "0")
    rendezvous.connection_file().write_text(rendezvous.write_text(connection))
    return connection


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_sidecar_is_started_and_the_next_one_to_look_finds_it(real: LaunchCommand) -> None:
    first = meet(real, GOES_ON)
    assert first.process is not None
    assert meet(real, GOES_ON) == Meeting(first.connection, None)
    assert meet(None, GOES_ON) == Meeting(first.connection, None)


def test_two_at_once_start_one_sidecar(real: LaunchCommand, started: list[subprocess.Popen[bytes]]) -> None:
    with ThreadPoolExecutor(4) as pool:
        meetings = list(pool.map(lambda _: meet(real, GOES_ON), range(4)))
    assert len(started) == 1
    assert len({meeting.connection for meeting in meetings}) == 1


def test_the_file_of_a_dead_sidecar_is_no_sidecar(real: LaunchCommand) -> None:
    stale = write_connection(dead_pid())
    with pytest.raises(ClientError, match="no sidecar is running"):
        meet(None, GOES_ON)
    assert meet(real, GOES_ON).connection.port != stale.port


def test_a_file_that_nobody_can_read_is_no_sidecar(real: LaunchCommand) -> None:
    rendezvous.connection_file().write_bytes(b'{"host": "127.0.\xff')
    assert meet(real, GOES_ON).process is not None


def test_a_connection_that_is_distrusted_is_replaced_though_its_process_lives(real: LaunchCommand) -> None:
    theirs = write_connection(os.getppid())
    assert meet(real, GOES_ON) == Meeting(theirs, None)
    assert meet(real, GOES_ON, theirs).connection != theirs


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ClientError) as caught:
        meet(LaunchCommand(tmp_path / "python"), GOES_ON)
    assert (caught.value.hop, caught.value.problem.code) == (Hop.INTERPRETER, "no-interpreter")
    assert "choose the Python" in caught.value.problem.remedy


def test_an_interpreter_without_the_sidecar_is_told_how_to_install_it(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", symlinks=os.name != "nt")
    interpreter = tmp_path / "bare" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    with pytest.raises(ClientError) as caught:
        meet(LaunchCommand(interpreter), GOES_ON)
    assert caught.value.problem.code == "not-installed"
    assert "-m pip install" in caught.value.problem.remedy
    assert str(interpreter) in caught.value.problem.remedy


def test_a_sidecar_that_ends_at_once_shows_its_last_words(tmp_path: Path) -> None:
    launch = standing_in(tmp_path, "import sys\nsys.exit('the disk is on fire')\n")
    with pytest.raises(ClientError) as caught:
        meet(launch, GOES_ON)
    assert caught.value.problem.code == "start-failed"
    assert caught.value.log_tail == "the disk is on fire"


def test_a_sidecar_that_never_answers_is_ended_in_time(tmp_path: Path, started: list[subprocess.Popen[bytes]]) -> None:
    launch = replace(standing_in(tmp_path, "import time\nprint('thinking', flush=True)\ntime.sleep(600)\n"), patience=1)
    with pytest.raises(ClientError) as caught:
        meet(launch, GOES_ON)
    assert caught.value.problem.code == "start-timeout"
    assert caught.value.log_tail == "thinking"
    assert not alive(started[0].pid)


def test_a_start_that_nobody_waits_for_any_more_leaves_no_process(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Stopped):
        meet(standing_in(tmp_path, "import time\ntime.sleep(600)\n"), stop)
    assert not alive(started[0].pid)


def test_the_sidecar_does_not_see_blenders_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV"):
        monkeypatch.setenv(variable, "/opt/blender/python")
    monkeypatch.setenv("KEPT", "yes")
    launch = standing_in(
        tmp_path, "import json, os, sys\nsys.exit(json.dumps([dict(os.environ), sys.argv, os.getcwd()]))"
    )
    with pytest.raises(ClientError) as caught:
        meet(launch, GOES_ON)
    told = caught.value.log_tail
    assert "/opt/blender/python" not in told
    assert '"KEPT": "yes"' in told
    assert f'"serve", "--parent", "{os.getpid()}"' in told
    assert str(rendezvous.runtime_folder()) in told


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_a_ctrl_c_in_blenders_console_does_not_reach_the_sidecar(real: LaunchCommand) -> None:
    process = meet(real, GOES_ON).process
    assert process is not None
    assert os.getpgid(process.pid) != os.getpgid(0)
    assert os.getsid(process.pid) != os.getsid(0)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other links")
@pytest.mark.parametrize("name", ["start.log", rendezvous.start_lock().name])
def test_a_start_writes_through_no_link(real: LaunchCommand, tmp_path: Path, name: str) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("a letter")
    place = rendezvous.runtime_folder() / name
    place.symlink_to(letter)
    with pytest.raises(ClientError) as caught:
        meet(real, GOES_ON)
    assert f"{place} is a link" in caught.value.problem.message
    assert letter.read_text() == "a letter"
