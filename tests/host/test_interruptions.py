# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Blender, real sidecar, and things that are killed in the middle: nothing is lost and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from confiner_blender.client.sidecar_process.launcher import find
from confiner_blender.client.sidecar_process.liveness import alive
from confiner_blender.protocol import rendezvous

pytestmark = pytest.mark.blender

Start = Callable[..., subprocess.Popen[str]]
FRAMES = [f"frame_{number:04d}.png" for number in range(1, 5)]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The sidecar's home, as `start_script` sets it; a sidecar that a test leaves running is ended."""
    monkeypatch.setenv(rendezvous.HOME_VARIABLE, str(tmp_path / "confiner"))
    yield tmp_path / "confiner"
    if connection := find():
        os.kill(connection.pid, signal.SIGKILL)


@pytest.fixture
def saves() -> bool:
    """Whether the .blend is saved once more in the middle of the job."""
    return False


@pytest.fixture
def under_way(start_in_blender: Start, sidecar_python: Path, saves: bool) -> subprocess.Popen[str]:
    """A Blender in the middle of a job."""
    process = start_in_blender("mid_job.py", sidecar=str(sidecar_python), steps=4, save=saves)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("UNDER WAY"):
            return process
    raise AssertionError(f"Blender ended before its job was under way\n{process.communicate()[1]}")


@pytest.mark.parametrize("saves", [False, True], ids=["saved before the job", "saved in the middle of it"])
def test_a_killed_blender_finds_its_job_again(
    under_way: subprocess.Popen[str], in_blender: Any, sidecar_python: Path
) -> None:
    under_way.kill()
    under_way.wait()
    said = in_blender("reopen.py", sidecar=str(sidecar_python))
    assert said["found"] == 1
    assert said["takes_at_once"] == 1, "also where the .blend was saved before the take existed"
    assert said["state"] == "FINISHED", said["problem"]
    assert said["on_timeline"]
    assert said["files"] == FRAMES
    assert said["spans"] == [["Shot 01", 1, 1, 13]]
    assert said["missing"] == []
    assert said["ledger"] == [["arrived"], []], "the ledger lets go once a saved file has the take"
    eventually_gone()


def test_a_killed_worker_costs_nothing_but_time(under_way: subprocess.Popen[str]) -> None:
    connection = find()
    assert connection is not None
    (worker,) = children(connection.pid)
    os.kill(worker, signal.SIGKILL)
    said = result_of(under_way)
    assert said["state"] == "FINISHED", said["problem"]
    assert said["files"] == FRAMES
    assert said["missing"] == []
    eventually_gone()


def test_a_killed_sidecar_is_started_again_and_goes_on(under_way: subprocess.Popen[str]) -> None:
    connection = find()
    assert connection is not None
    (worker,) = children(connection.pid)
    os.kill(connection.pid, signal.SIGKILL)
    said = result_of(under_way)
    assert said["state"] == "FINISHED", said["problem"]
    assert said["files"] == FRAMES
    assert not alive(worker), "a worker ends with its listener"


def result_of(process: subprocess.Popen[str]) -> Any:
    output, errors = process.communicate(timeout=500)
    line = next((line for line in output.splitlines() if line.startswith("RESULT ")), None)
    assert line is not None, f"{output}\n{errors}"
    return json.loads(line.removeprefix("RESULT "))


def children(pid: int) -> list[int]:
    """The processes that `pid` has started."""
    return [child.pid for child in psutil.Process(pid).children()]


def eventually_gone() -> None:
    """The sidecar ends after the Blender that started it."""
    deadline = time.monotonic() + 30
    while find() is not None:
        assert time.monotonic() < deadline, "the sidecar outlived the last Blender"
        time.sleep(0.1)
