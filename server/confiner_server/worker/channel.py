# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's end of the socket pair: whole messages in and out, blocking."""

from __future__ import annotations

import socket
import sys
import threading
import typing

from confiner_server.supervision.worker_messages import LENGTHS, FromWorker, ToWorker, pack, unpack, unpack_lengths


class ListenerGone(SystemExit):
    """The listener has died: nobody is left to work for. No Exception, so that no job's catch takes it for its own."""


class Channel:
    """One thread receives; any may send."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._sending = threading.Lock()

    def send(self, message: FromWorker, payload: bytes = b"") -> None:
        """Send one message.

        Raises:
            ListenerGone: nobody takes it.
        """
        with self._sending:
            try:
                self._link.sendall(pack(message, payload))
            except OSError as error:
                raise ListenerGone from error

    def receive(self) -> ToWorker:
        """The next message.

        Raises:
            ListenerGone: there will be none.
        """
        text, payload = unpack_lengths(self._read(LENGTHS.size))
        message = unpack(self._read(text))
        self._read(payload)
        return typing.cast(ToWorker, message)

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                piece = self._link.recv(size - len(data))
            except OSError as error:
                raise ListenerGone from error
            if not piece:
                raise ListenerGone
            data += piece
        return bytes(data)


def open_channel(name: str) -> Channel:
    """The channel that the listener left: a descriptor's number, or "stdin" where sockets are handed over as bytes."""
    if sys.platform == "win32":
        return Channel(socket.fromshare(sys.stdin.buffer.read()))
    return Channel(socket.socket(fileno=int(name)))
