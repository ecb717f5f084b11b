# SPDX-License-Identifier: GPL-3.0-or-later
"""Test connection: goes the way from Blender to the experts hop by hop and names the one that fails."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ... import __version__
from ...protocol import codec
from ...protocol.messages import GetStatus, Hello, Problem, Refused, Status, Welcome
from ...protocol.version import PROTOCOL_VERSION
from ..background_task import Task
from ..errors import ClientError, Hop, Stopped
from ..setup.interpreters import describe
from ..sidecar_process.launcher import LaunchCommand, log_tail, meet
from .transport import Transport, dial

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds for each answer."""


@dataclass(frozen=True)
class HopPassed:
    """This hop works; `seen` says what was found there."""

    hop: Hop
    seen: str


def connection_test(launch: LaunchCommand | None) -> Task[HopPassed]:
    """A task that reports each hop that works, then Done, or GaveUp with the hop that does not and what to do."""
    return Task("confiner-connection-test", lambda post, stop: walk(launch, post, stop))


def walk(launch: LaunchCommand | None, post: Callable[[HopPassed], None], stop: threading.Event) -> None:
    """Go the way once, with a connection of its own.

    Raises:
        ClientError: at the hop that failed.
        Stopped: `stop` was set.
    """
    if launch is not None:
        post(HopPassed(Hop.INTERPRETER, describe(launch.interpreter)))
    meeting = meet(launch, stop)
    how = "started just now" if meeting.process else "was running"
    post(HopPassed(Hop.START, f"version {meeting.connection.version}, process {meeting.connection.pid}, {how}"))
    line = dial(meeting.connection)
    try:
        line.open()
        post(HopPassed(Hop.CONNECT, f"{meeting.connection.host}:{meeting.connection.port}"))
        client = f"connection test of confiner {__version__} in process {os.getpid()}"
        line.send(codec.encode(Hello(PROTOCOL_VERSION, meeting.connection.token, client)))
        welcome = _answer(line, Welcome, Hop.HANDSHAKE, stop)
        post(HopPassed(Hop.HANDSHAKE, f"{welcome.server}, protocol {welcome.protocol}"))
        line.send(codec.encode(GetStatus()))
        status = _answer(line, Status, Hop.WORKER, stop)
        post(HopPassed(Hop.WORKER, _worker_seen(status)))
    finally:
        line.close()


def _answer(line: Transport, kind: type[T], hop: Hop, stop: threading.Event) -> T:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if stop.is_set():
            raise Stopped
        message = line.receive(0.1)
        if not isinstance(message, str):
            continue
        decoded = codec.decode(message)
        if isinstance(decoded, kind):
            return decoded
        if isinstance(decoded, Refused):
            raise ClientError(hop, decoded.problem, log_tail())
    message = f"the sidecar did not answer in {PATIENCE:.0f} s"
    raise ClientError(hop, Problem("no-answer", message, "it may be busy: wait a little, or restart it"), log_tail())


def _worker_seen(status: Status) -> str:
    states = {"none": "starts with the first shot", "starting": "is starting", "ready": "is ready", "busy": "is busy"}
    return f"{states.get(status.worker, status.worker)}, {status.device}, {status.queued} shots waiting"
