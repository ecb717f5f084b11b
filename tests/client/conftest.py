# SPDX-License-Identifier: GPL-3.0-or-later
"""A home of its own for every test, so that no sidecar of the user's is disturbed, and nothing left behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from confiner_blender.client.sidecar_process.launcher import LaunchCommand, find
from confiner_blender.client.sidecar_process.liveness import alive
from confiner_blender.protocol import rendezvous
from tests.client import metronome

ROOT = Path(__file__).resolve().parents[2]
SOURCES = os.pathsep.join([str(ROOT), str(ROOT / "server")])


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that holds everything a sidecar keeps. A sidecar that a test leaves running is ended."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv(rendezvous.HOME_VARIABLE, str(home))
    rendezvous.runtime_folder().mkdir(parents=True)
    yield home
    if (connection := find()) and connection.pid != os.getpid():
        os.kill(connection.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while alive(connection.pid) and time.monotonic() < deadline:
            time.sleep(0.01)


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(5)
    assert not [thread.name for thread in left if thread.is_alive()]


@pytest.fixture
def real() -> LaunchCommand:
    """How the add-on starts the real sidecar."""
    return LaunchCommand(Path(sys.executable), ("--grace", "2"), {"PYTHONPATH": SOURCES})


@pytest.fixture
def ticking(tmp_path_factory: pytest.TempPathFactory) -> LaunchCommand:
    """The same, with a metronome in place of the experts."""
    folder = tmp_path_factory.mktemp("metronome")
    (folder / "confiner_cli").mkdir()
    (folder / "confiner_cli" / "__init__.py").touch()
    (folder / "confiner_cli" / "__main__.py").write_text("from tests.client.metronome import main\nmain()\n")
    arguments = ("--grace", "2", "--chains", str(metronome.chain_file(folder)))
    path = os.pathsep.join([str(folder), SOURCES])
    return LaunchCommand(Path(sys.executable), arguments, {"PYTHONPATH": path})
