# SPDX-License-Identifier: GPL-3.0-or-later
"""A Blender's line to the sidecar, as the main thread holds it.

Threads: the main thread calls every method here, and each returns at once; `close()` alone waits, a bounded time. One
`SessionThread` owns the socket, the conversation, the sidecar's process and every file written. Between them are
two queues and nothing else: `_outbox` holds calls for the conversation, `inbox` holds what the panel should know.
The conversation is lent to one thread after the other: what was asked for outlives a close, and goes on after an open.
"""

from __future__ import annotations

import queue
from pathlib import Path

from ...protocol.messages import ClientMessage, ShotRequest
from ..sidecar_process.launcher import LaunchCommand, meet
from . import inbox
from .conversation import Conversation
from .session_thread import Call, Dial, Meet, SessionThread
from .transport import dial

CLOSE_PATIENCE = 2.0
"""Seconds that `close()` waits for goodbyes, and once more after it has cut the connection."""


class SidecarSession:
    """Finds or starts a sidecar, keeps the connection, and lands the frames of every job it was given.

    `launch` says how to start a sidecar when none runs; None only looks for one. `meet` and `dial` are how a sidecar
    is found and reached.
    """

    def __init__(self, launch: LaunchCommand | None, *, meet: Meet = meet, dial: Dial = dial) -> None:
        self.inbox: queue.SimpleQueue[inbox.Message] = queue.SimpleQueue()
        self._launch = launch
        self._meet = meet
        self._dial = dial
        self._conversation = Conversation()
        self._outbox: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._thread: SessionThread | None = None

    def open(self) -> None:
        """Begin; or, if begun already, try again at once, with a fresh count of starts."""
        if self._thread is not None and self._thread.is_alive():
            self._thread.hurry()
            return
        self._thread = SessionThread(
            self._launch, self._conversation, self._outbox, self.inbox, meet=self._meet, dial=self._dial
        )
        self._thread.start()

    def relaunch(self, launch: LaunchCommand | None) -> None:
        """Start the sidecar in another way from now on, and try again at once if there is none."""
        self._launch = launch
        if self._thread is not None:
            self._thread.relaunch(launch)
        self.open()

    def close(self) -> None:
        """Let go of the sidecar. Jobs go on there; another session finds them again with `track()`."""
        if self._thread is None:
            return
        self._thread.stop()
        self._thread.join(CLOSE_PATIENCE)
        if self._thread.is_alive():
            self._thread.cut()
            self._thread.join(CLOSE_PATIENCE)
        if self._thread.is_alive():
            # It ends when the system lets it, and keeps what it was lent.
            self._conversation, self._outbox = Conversation(), queue.SimpleQueue()
        self._thread = None

    def submit(self, job_id: str, request: ShotRequest, structure_pngs: list[bytes], folder: Path) -> None:
        """Ask for a job, whose take lands in `folder`, or for one that was cut short to go on.

        Without a connection it is asked for as soon as there is one.
        """
        structure = tuple(structure_pngs)
        self._outbox.put(lambda conversation: conversation.submit(job_id, request, structure, folder))
        self._hurry()

    def track(self, job_id: str, after: int, folder: Path) -> None:
        """Follow a job of an earlier session after event `after`, 0 for all of it: frames that lie there are kept.

        For a job that is followed already this names another folder for what is still to come; a frame that was
        just being stored may land in the old one, as its FrameStored says.
        """
        self._outbox.put(lambda conversation: conversation.track(job_id, after, folder))
        self._hurry()

    def cancel(self, job_id: str) -> None:
        """Stop a job. Its Cancelled event says that it is stopped."""
        self._outbox.put(lambda conversation: conversation.cancel(job_id))

    def send(self, message: ClientMessage) -> None:
        """Send a message now, or when there is a connection. After Shutdown the session closes, until it is opened."""
        self._outbox.put(lambda conversation: conversation.say(message))

    def _hurry(self) -> None:
        if self._thread is not None:
            self._thread.hurry()
