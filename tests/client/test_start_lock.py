# SPDX-License-Identifier: GPL-3.0-or-later
"""One process at a time starts a sidecar; the lock of a dead one is free."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from confiner_blender.client.errors import ClientError, Stopped
from confiner_blender.client.sidecar_process.start_lock import start_lock

HOLDER = """
import sys, threading, pathlib
from confiner_blender.client.sidecar_process.start_lock import start_lock
with start_lock(pathlib.Path(sys.argv[1]), threading.Event(), 5):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "start.lock"


def test_who_waits_too_long_gets_a_problem_with_a_remedy(path: Path) -> None:
    with (
        start_lock(path, threading.Event(), 5),
        pytest.raises(ClientError) as caught,
        start_lock(path, threading.Event(), 0.1),
    ):
        pass
    assert caught.value.problem.code == "start-locked"
    assert "close the other Blender" in caught.value.problem.remedy


def test_who_is_told_to_stop_stops_waiting(path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with start_lock(path, threading.Event(), 5), pytest.raises(Stopped), start_lock(path, stop, 60):
        pass


def test_the_lock_is_free_after_its_block_and_after_an_error_in_it(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), start_lock(path, threading.Event(), 0):
        raise ZeroDivisionError
    with start_lock(path, threading.Event(), 0):
        pass


def test_the_lock_of_a_killed_process_is_free(path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": "."}) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ClientError), start_lock(path, threading.Event(), 0):
            pass
        holder.kill()
        holder.wait()
    with start_lock(path, threading.Event(), 0):
        pass
