# SPDX-License-Identifier: GPL-3.0-or-later
"""Test connection names the hop that fails, against the real sidecar and against things that are none."""

import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from confiner_blender.client.background_task import Done, GaveUp
from confiner_blender.client.errors import Hop
from confiner_blender.client.session import connection_test, transport
from confiner_blender.client.session.connection_test import HopPassed
from confiner_blender.client.sidecar_process.launcher import LaunchCommand, find
from confiner_blender.protocol import rendezvous
from confiner_blender.protocol.rendezvous import Connection
from confiner_blender.protocol.version import PROTOCOL_VERSION


def walk(launch: LaunchCommand | None) -> tuple[list[Hop], Done | GaveUp]:
    """The hops that passed, and how it ended."""
    task = connection_test.connection_test(launch)
    task.start()
    passed: list[Hop] = []
    while isinstance(message := task.inbox.get(timeout=30), HopPassed):
        passed.append(message.hop)
        assert message.seen
    task.stop()
    return passed, message


def test_every_hop_of_a_whole_way_passes(real: LaunchCommand) -> None:
    assert walk(real) == (list(Hop), Done())
    assert walk(real) == (list(Hop), Done())


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    passed, ended = walk(LaunchCommand(tmp_path / "python"))
    assert passed == []
    assert isinstance(ended, GaveUp)
    assert ended.hop is Hop.INTERPRETER


def test_something_that_is_no_python() -> None:
    _, ended = walk(LaunchCommand(Path("/bin/echo" if os.name == "posix" else "where")))
    assert isinstance(ended, GaveUp)
    assert ended.problem is not None
    assert ended.problem.code == "no-interpreter"


def test_a_python_without_the_sidecar(tmp_path: Path) -> None:
    (tmp_path / "confiner_cli.py").write_text("raise SystemExit('broken')")
    passed, ended = walk(LaunchCommand(Path(sys.executable), environment={"PYTHONPATH": str(tmp_path)}))
    assert passed == [Hop.INTERPRETER]
    assert isinstance(ended, GaveUp)
    assert ended.hop is Hop.START


def test_a_sidecar_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "OPEN_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        connection = Connection("127.0.0.1", port, "token", os.getpid(), PROTOCOL_VERSION, "0")
        rendezvous.connection_file().write_text(rendezvous.write_text(connection))
        passed, ended = walk(None)
    assert passed == [Hop.START]
    assert isinstance(ended, GaveUp)
    assert (ended.hop, ended.problem and ended.problem.code) == (Hop.CONNECT, "no-answer")


def test_a_wrong_token(real: LaunchCommand) -> None:
    walk(real)
    connection = find()
    assert connection is not None
    rendezvous.connection_file().write_text(rendezvous.write_text(replace(connection, token="guessed")))
    passed, ended = walk(None)
    assert passed == [Hop.START, Hop.CONNECT]
    assert isinstance(ended, GaveUp)
    assert (ended.hop, ended.problem and ended.problem.code) == (Hop.HANDSHAKE, "unauthorised")
