# SPDX-License-Identifier: GPL-3.0-or-later
"""The WebSocket to a sidecar, behind the few calls that a session needs. Every call is bounded in time.

One thread opens, sends, receives and closes; any thread may `abort()`, which ends whatever that thread waits for.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from typing import Protocol

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from ...protocol.framing import MAX_MESSAGE
from ...protocol.messages import Problem
from ...protocol.rendezvous import Connection
from ..errors import ClientError, Hop

log = logging.getLogger(__name__)
log.addHandler(logging.NullHandler())  # what matters becomes a ClientError; Blender's console stays clean

OPEN_TIMEOUT = 5.0
SEND_TIMEOUT = 15.0
CLOSE_TIMEOUT = 1.0
PING_INTERVAL = 5.0
PING_TIMEOUT = 15.0


class Transport(Protocol):
    """A connection that carries messages; `dial` makes the real one."""

    def open(self) -> None:
        """Connect. Raises ClientError if nobody is there, or nobody answers."""

    def send(self, message: str | bytes) -> None:
        """Send one message. Raises ClientError if the connection is lost."""

    def receive(self, timeout: float) -> str | bytes | None:
        """The next message, or None if none came in time. Raises ClientError if the connection is lost."""

    def close(self) -> None:
        """Say goodbye and let go of the socket."""

    def abort(self) -> None:
        """Cut the connection, from any thread."""


def dial(connection: Connection) -> Transport:
    """The way to the sidecar that wrote `connection`, not yet open."""
    return WebSocketTransport(connection)


class WebSocketTransport:
    """A Transport over loopback TCP."""

    def __init__(self, connection: Connection) -> None:
        self._peer = connection
        self._socket: socket.socket | None = None
        self._websocket: ClientConnection | None = None

    def open(self) -> None:
        address = (self._peer.host, self._peer.port)
        try:
            self._socket = socket.create_connection(address, timeout=OPEN_TIMEOUT)
            self._socket.settimeout(None)
            entering = connect(
                f"ws://{self._peer.host}:{self._peer.port}",
                sock=self._socket,
                proxy=None,
                compression=None,
                max_size=MAX_MESSAGE,
                open_timeout=OPEN_TIMEOUT,
                ping_interval=PING_INTERVAL,
                ping_timeout=PING_TIMEOUT,
                close_timeout=CLOSE_TIMEOUT,
                logger=log,
            )
            self._websocket = entering.__enter__()
            # The keep-alive cannot end a send that the other side does not read: they share a lock. This can.
            with contextlib.suppress(OSError):  # the other side has closed it already: the next call tells
                self._socket.settimeout(SEND_TIMEOUT)
        except TimeoutError as error:
            raise self._no_answer() from error
        except (OSError, WebSocketException, EOFError) as error:
            raise self._refused(error) from error

    def send(self, message: str | bytes) -> None:
        assert self._websocket is not None
        try:
            self._websocket.send(message)
        except ConnectionClosed as error:
            raise _lost(error) from error

    def receive(self, timeout: float) -> str | bytes | None:
        assert self._websocket is not None
        try:
            return self._websocket.recv(timeout)
        except TimeoutError:
            return None
        except ConnectionClosed as error:
            raise _lost(error) from error

    def close(self) -> None:
        if self._websocket is not None:
            self._websocket.close()
        elif self._socket is not None:
            self._socket.close()

    def abort(self) -> None:
        if self._socket is not None:
            # A socket that is not connected any more has nothing to cut.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _no_answer(self) -> ClientError:
        message = f"the sidecar (process {self._peer.pid}) took the call but did not answer in {OPEN_TIMEOUT:.0f} s"
        remedy = f"it may be busy: wait a little; if that does not help, end process {self._peer.pid}"
        return ClientError(Hop.CONNECT, Problem("no-answer", message, remedy))

    def _refused(self, error: Exception) -> ClientError:
        message = f"no sidecar answers at {self._peer.host}:{self._peer.port} ({error})"
        remedy = f"it is looked for again; if that does not help, end process {self._peer.pid}"
        return ClientError(Hop.CONNECT, Problem("connect-failed", message, remedy))


def _lost(error: ConnectionClosed) -> ClientError:
    silent = error.sent is not None and error.rcvd is None
    seen = f"no answer for {PING_TIMEOUT:.0f} s" if silent else str(error)
    message = f"the connection to the sidecar was lost ({seen})"
    return ClientError(Hop.CONNECT, Problem("lost", message, "wait: it is taken up again, and jobs go on meanwhile"))
