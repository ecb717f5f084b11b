# SPDX-License-Identifier: GPL-3.0-or-later
"""Meets the user's sidecar: the running one if its connection file leads to a living process, else one started here.

One process at a time starts a sidecar, under the start lock; who waited for the lock finds the other's sidecar. The
sidecar is detached from Blender's console and signals, and watches Blender by its process id.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...protocol import rendezvous
from ...protocol.errors import MalformedMessage, UnusablePlace
from ...protocol.messages import Problem
from ...protocol.private_files import open_private, read_private
from ...protocol.rendezvous import Connection
from ...protocol.version import PROTOCOL_VERSION
from ..child_process import DETACHED, clean_environment
from ..errors import ClientError, Hop, Stopped
from ..wheel import install_command
from .liveness import alive
from .start_lock import start_lock

TAIL = 4000
"""Characters of a log that a panel shows."""


@dataclass(frozen=True)
class LaunchCommand:
    """How to start a sidecar: the Python it is installed in, further arguments for `confiner serve`, variables to set.

    `patience` is the time in seconds that a start may take.
    """

    interpreter: Path
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    patience: float = 30.0

    def words(self) -> list[str]:
        """The command line. The sidecar ends when the process that runs this ends."""
        return [str(self.interpreter), "-m", "confiner_cli", "serve", "--parent", str(os.getpid()), *self.arguments]


@dataclass(frozen=True)
class Meeting:
    """A sidecar that can be connected to, and its process if it was started here."""

    connection: Connection
    process: subprocess.Popen[bytes] | None


def meet(launch: LaunchCommand | None, stop: threading.Event, distrusted: Connection | None = None) -> Meeting:
    """Find a running sidecar, or start one.

    A connection that is `distrusted` (nobody listens there, though a process with that id lives) counts as stale.

    Raises:
        ClientError: none is running, and none can be started.
        Stopped: `stop` was set while waiting.
    """
    if connection := find(distrusted):
        return Meeting(connection, None)
    if launch is None:
        remedy = "choose the sidecar's Python in the preferences, or type: confiner serve"
        raise ClientError(Hop.START, Problem("no-sidecar", "no sidecar is running", remedy), log_tail())
    try:
        with start_lock(rendezvous.start_lock(), stop, launch.patience):
            if connection := find(distrusted):
                return Meeting(connection, None)
            return _start(launch, stop, distrusted)
    except UnusablePlace as error:
        raise ClientError(Hop.START, error.problem()) from error


def find(distrusted: Connection | None = None) -> Connection | None:
    """The running sidecar's connection.

    A file that is half written, a link, another user's, or whose process has died, is no connection. It is left for
    the next sidecar to replace: taking it away could hit the file of one that was started by hand just now.
    """
    try:
        connection = rendezvous.read_text(read_private(rendezvous.connection_file()).decode("utf-8"))
    except (OSError, MalformedMessage, UnusablePlace, UnicodeDecodeError):
        return None
    if connection == distrusted or connection.protocol != PROTOCOL_VERSION or not alive(connection.pid):
        return None
    return connection


def log_tail() -> str:
    """The last lines of the sidecar's log; empty if there is none."""
    return tail(rendezvous.log_file())


def tail(path: Path) -> str:
    """The last lines of a text file; empty if there is none."""
    try:
        with open(path, "rb", opener=open_private) as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            return file.read().decode("utf-8", errors="replace").strip()
    except (OSError, UnusablePlace):
        return ""


def _start(launch: LaunchCommand, stop: threading.Event, distrusted: Connection | None) -> Meeting:
    output = rendezvous.runtime_folder() / "start.log"
    process = _spawn(launch, output)
    deadline = time.monotonic() + launch.patience
    while True:
        ended = process.poll() is not None
        if connection := find(distrusted):
            return Meeting(connection, None if ended else process)
        if ended:
            raise _ended(launch, process.returncode, tail(output) or log_tail())
        if stop.wait(0.02):
            _end(process)
            raise Stopped
        if time.monotonic() > deadline:
            _end(process)
            message = f"the sidecar did not answer in {launch.patience:.0f} s after its start"
            problem = Problem("start-timeout", message, "try again; if it happens again, look at the sidecar's log")
            raise ClientError(Hop.START, problem, tail(output) or log_tail())


def _spawn(launch: LaunchCommand, output: Path) -> subprocess.Popen[bytes]:
    # The working folder is one without Python files, since `-m` looks there first.
    environment = {**clean_environment(), **launch.environment}
    try:
        with open(output, "wb", opener=open_private) as sink:
            return subprocess.Popen(
                launch.words(),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=output.parent,
                env=environment,
                creationflags=DETACHED,
                start_new_session=True,
            )
    except OSError as error:
        message = f"{launch.interpreter} cannot be run: {error.strerror or error}"
        remedy = "choose the Python that the sidecar is installed in, in the add-on's preferences"
        raise ClientError(Hop.INTERPRETER, Problem("no-interpreter", message, remedy)) from error


def _ended(launch: LaunchCommand, status: int, output: str) -> ClientError:
    if "No module named" in output and "confiner_cli" in output:
        message = f"{launch.interpreter} has no module named confiner_cli"
        remedy = f"install the sidecar from the preferences, or type: {install_command(launch.interpreter)}"
        return ClientError(Hop.START, Problem("not-installed", message, remedy), output)
    message = f"the sidecar ended with status {status} before it answered"
    remedy = f"read its last lines below; to see more, type: {launch.interpreter} -m confiner_cli doctor"
    return ClientError(Hop.START, Problem("start-failed", message, remedy), output)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(2)
