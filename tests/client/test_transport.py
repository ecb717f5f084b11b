# SPDX-License-Identifier: GPL-3.0-or-later
"""The WebSocket over real sockets: sidecars that hang, refuse, stop reading, or go away."""

from __future__ import annotations

import os
import queue
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from websockets.sync.server import ServerConnection, serve

from confiner_blender.client.errors import ClientError
from confiner_blender.client.session import inbox, transport
from confiner_blender.client.session.session import SidecarSession
from confiner_blender.client.session.session_states import State
from confiner_blender.client.session.transport import WebSocketTransport, dial
from confiner_blender.client.sidecar_process.launcher import LaunchCommand, Meeting, meet
from confiner_blender.protocol.framing import MAX_MESSAGE
from confiner_blender.protocol.rendezvous import Connection
from confiner_blender.protocol.version import PROTOCOL_VERSION
from tests.client.sidecar_double import Reader

Serve = Callable[[Callable[[ServerConnection], None]], Connection]


def connection_to(port: int) -> Connection:
    return Connection("127.0.0.1", port, "token", os.getpid(), PROTOCOL_VERSION, "0")


@pytest.fixture
def serving() -> Iterator[Serve]:
    """Start a WebSocket server with a handler of the test's; returns how to reach it."""
    with ExitStack() as stack:

        def start(handler: Callable[[ServerConnection], None]) -> Connection:
            server = stack.enter_context(serve(handler, "127.0.0.1", 0, close_timeout=0.2))
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return connection_to(server.socket.getsockname()[1])

        yield start


@pytest.fixture
def hung() -> Iterator[Connection]:
    """A sidecar that takes the call and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield connection_to(listening.getsockname()[1])


def test_messages_of_both_kinds_pass_at_full_size(serving: Serve) -> None:
    def echo(websocket: ServerConnection) -> None:
        for message in websocket:
            websocket.send(message)

    line = dial(serving(echo))
    line.open()
    for message in ("text", b"bytes", bytes(MAX_MESSAGE)):
        line.send(message)
        assert line.receive(10) == message
    assert line.receive(0) is None
    line.close()


def test_a_proxy_in_the_environment_is_not_used(serving: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    line = dial(serving(lambda websocket: [None for _ in websocket] and None))
    line.open()
    line.close()


def test_nobody_listening_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(ClientError) as caught:
        dial(connection_to(port)).open()
    assert caught.value.problem.code == "connect-failed"


def test_what_is_no_websocket_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with listening.accept()[0] as peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ClientError) as caught:
            dial(connection_to(listening.getsockname()[1])).open()
        thread.join()
    assert caught.value.problem.code == "connect-failed"


def test_a_sidecar_that_never_answers_is_told_in_bounded_time(
    hung: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "OPEN_TIMEOUT", 0.3)
    with pytest.raises(ClientError) as caught:
        dial(hung).open()
    assert caught.value.problem.code == "no-answer"
    assert f"end process {os.getpid()}" in caught.value.problem.remedy


def test_a_sidecar_that_stops_reading_does_not_hold_the_sender_for_ever(
    serving: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "SEND_TIMEOUT", 0.3)
    done = threading.Event()
    line = dial(serving(lambda websocket: done.wait() and None))
    line.open()

    def send_without_end() -> None:
        for _ in range(1000):
            line.send(bytes(MAX_MESSAGE))

    with pytest.raises(ClientError, match="was lost"):
        send_without_end()
    done.set()
    line.close()


def test_a_lost_connection_is_told_to_whoever_receives_or_sends(serving: Serve) -> None:
    line = dial(serving(lambda websocket: websocket.close()))
    line.open()
    with pytest.raises(ClientError, match="was lost"):
        line.receive(10)
    with pytest.raises(ClientError, match="was lost"):
        line.send("more")
    line.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that stops a process")
def test_a_sidecar_that_falls_silent_is_told_in_bounded_time_and_without_noise(
    real: LaunchCommand, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for limit in ("PING_INTERVAL", "PING_TIMEOUT", "CLOSE_TIMEOUT"):
        monkeypatch.setattr(transport, limit, 0.2)
    connection = meet(real, threading.Event()).connection
    line = dial(connection)
    line.open()
    os.kill(connection.pid, signal.SIGSTOP)
    with pytest.raises(ClientError, match="no answer for"):
        line.receive(10)
    line.close()
    os.kill(connection.pid, signal.SIGKILL)
    assert capfd.readouterr() == ("", "")


def test_another_thread_can_cut_an_open_that_hangs(hung: Connection) -> None:
    line = WebSocketTransport(hung)
    told: queue.SimpleQueue[ClientError] = queue.SimpleQueue()

    def opening() -> None:
        try:
            line.open()
        except ClientError as error:
            told.put(error)

    thread = threading.Thread(target=opening)
    thread.start()
    while thread.is_alive():
        line.abort()
        thread.join(0.05)
    assert told.get_nowait().problem.code == "connect-failed"
    line.close()


def test_a_session_with_a_hung_sidecar_shows_the_problem_and_still_closes(
    hung: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "OPEN_TIMEOUT", 0.3)

    def meet(launch: LaunchCommand | None, stop: threading.Event, distrusted: Connection | None = None) -> Meeting:
        return Meeting(hung, None)

    session = SidecarSession(None, meet=meet)
    session.open()
    failed = Reader(session).until_state(State.FAILED)
    assert failed.problem is not None
    assert failed.problem.code == "no-answer"
    session.close()
    assert Reader(session).until(lambda m: m == inbox.StateChanged(State.CLOSED, failed.problem, failed.log_tail))


def test_a_sidecar_that_takes_the_greeting_and_is_silent_is_told_in_bounded_time(
    serving: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("confiner_blender.client.session.session_thread.WELCOME_PATIENCE", 0.2)
    connection = serving(lambda websocket: [None for _ in websocket] and None)

    def meet(launch: LaunchCommand | None, stop: threading.Event, distrusted: Connection | None = None) -> Meeting:
        return Meeting(connection, None)

    session = SidecarSession(None, meet=meet)
    session.open()
    failed = Reader(session).until_state(State.FAILED)
    assert failed.problem is not None
    assert failed.problem.message.startswith("the sidecar did not answer the greeting in")
    session.close()
