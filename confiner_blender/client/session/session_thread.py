# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread behind a session: meets the sidecar, connects, talks, and tries again after every failure.

Threads: only this thread touches what begins with an underscore, and the conversation it was lent. The main thread
fills the outbox and calls `relaunch()`, `hurry()`, `stop()` and `cut()`, which set one reference, set an event, or shut
the socket down.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ... import __version__
from ...protocol import codec
from ...protocol.errors import MalformedMessage, ProtocolError
from ...protocol.framing import Image, ImageAssembler, ImageKind, pieces
from ...protocol.messages import Problem, ServerMessage
from ...protocol.rendezvous import Connection
from ..errors import ClientError, Hop, Stopped, unexpected
from ..sidecar_process.launcher import LaunchCommand, Meeting, log_tail
from . import inbox
from .actions import Action, Deliver, Send, SendStructure
from .conversation import Conversation
from .disk_actions import store
from .retry_policy import REFUSALS, STARTS, Patience
from .session_states import Happening, State, after
from .transport import Transport

HEARTBEAT = 0.05
"""Seconds between looks at the outbox while nothing arrives."""
WELCOME_PATIENCE = 5.0

Call = Callable[[Conversation], list[Action]]
Dial = Callable[[Connection], Transport]


class Meet(Protocol):
    def __call__(
        self, launch: LaunchCommand | None, stop: threading.Event, distrusted: Connection | None = None
    ) -> Meeting: ...


class SessionThread(threading.Thread):
    def __init__(
        self,
        launch: LaunchCommand | None,
        conversation: Conversation,
        outbox: queue.SimpleQueue[Call],
        messages: queue.SimpleQueue[inbox.Message],
        *,
        meet: Meet,
        dial: Dial,
    ) -> None:
        super().__init__(name="confiner-session", daemon=True)
        self._launch = launch
        self._inbox = messages
        self._meet = meet
        self._dial = dial
        self._outbox = outbox
        self._stopping = threading.Event()
        self._hurrying = threading.Event()
        self._transport: Transport | None = None
        self._conversation = conversation
        self._assembler = ImageAssembler()
        self._wire: deque[str | bytes] = deque()
        self._patience = Patience()
        self._process: subprocess.Popen[bytes] | None = None
        self._refusals: tuple[Connection | None, int] = (None, 0)
        self._state = State.CLOSED
        self._trouble: tuple[Problem | None, str] = (None, "")

    # --- the main thread's calls

    def relaunch(self, launch: LaunchCommand | None) -> None:
        """Start the sidecar in this way from now on."""
        self._launch = launch

    def hurry(self) -> None:
        """Wait no longer for the next try."""
        self._hurrying.set()

    def stop(self) -> None:
        """Send what is left and end."""
        self._stopping.set()
        self._hurrying.set()

    def cut(self) -> None:
        """End whatever this thread waits for on the socket."""
        if transport := self._transport:
            transport.abort()

    # --- this thread

    def run(self) -> None:
        self._conversation.shutting_down = False
        self._move(Happening.OPENED)
        self._try_once()
        while not self._over():
            self._rest()
            if not self._over():
                self._move(Happening.RETRIED)
                self._try_once()
        self._move(Happening.CLOSED)

    def _over(self) -> bool:
        return self._stopping.is_set() or self._conversation.shutting_down

    def _try_once(self) -> None:
        """One visit, with the one catch of this thread: whatever ends the visit becomes a problem that is shown."""
        try:
            self._visit()
        except Stopped:
            self._stopping.set()
        except ClientError as error:
            self._fail(error.problem, error.log_tail)
        except ProtocolError as error:
            self._fail(error.problem(), "")
        except Exception as error:  # noqa: BLE001  a thread that died would leave the panel waiting for ever
            self._fail(*unexpected(error))

    def _visit(self) -> None:
        try:
            self._greet(self._find())
            self._talk()
        except ClientError as error:
            raise self._bereaved() or error from error
        finally:
            self._hang_up()

    def _greet(self, meeting: Meeting) -> None:
        self._move(Happening.MET)
        self._connect(meeting.connection)
        self._move(Happening.CONNECTED)
        self._perform(
            self._conversation.greet(meeting.connection.token, f"confiner {__version__} in process {os.getpid()}")
        )
        self._await_welcome()
        self._patience.succeeded()
        self._trouble = (None, "")
        self._move(Happening.WELCOMED)

    def _find(self) -> Meeting:
        launch = self._launch if self._patience.may_start() else None
        distrusted, refusals = self._refusals
        try:
            meeting = self._meet(launch, self._stopping, distrusted if refusals >= REFUSALS else None)
        except ClientError:
            known, tail = self._trouble
            if launch is None and self._launch is not None and known is not None:
                raise ClientError(Hop.START, _given_up(known), tail) from None
            if launch is not None:
                self._patience.started()
            raise
        if meeting.process is not None:
            self._patience.started()
            self._process = meeting.process
        elif self._process is not None and self._process.poll() is not None:
            self._process = None  # ours has ended, and this is another one
        return meeting

    def _connect(self, connection: Connection) -> None:
        self._transport = self._dial(connection)
        try:
            self._transport.open()
        except ClientError as error:
            if error.problem.code == "connect-failed":
                last, refusals = self._refusals
                self._refusals = (connection, refusals + 1 if last == connection else 1)
            raise
        self._refusals = (None, 0)

    def _await_welcome(self) -> None:
        deadline = time.monotonic() + WELCOME_PATIENCE
        while not self._conversation.ready:
            if self._stopping.is_set():
                raise Stopped
            if time.monotonic() > deadline:
                message = f"the sidecar did not answer the greeting in {WELCOME_PATIENCE:.0f} s"
                problem = Problem("no-answer", message, "it may be busy: wait a little, or restart the sidecar")
                raise ClientError(Hop.HANDSHAKE, problem)
            self._beat()

    def _talk(self) -> None:
        while not self._stopping.is_set():
            self._take_calls()
            self._beat()
        self._take_calls()
        while self._wire:
            self._beat()

    def _beat(self) -> None:
        """Send one message, receive one: neither side can stop the other by not reading."""
        assert self._transport is not None
        if self._wire:
            self._transport.send(self._wire.popleft())
        if (message := self._transport.receive(0 if self._wire else HEARTBEAT)) is None:
            return
        if isinstance(message, str):
            decoded = codec.decode(message)
            if not isinstance(decoded, ServerMessage):
                raise MalformedMessage(f"a {type(decoded).__name__} from the sidecar, which only clients send")
            self._perform(self._conversation.received(decoded))
        elif (image := self._assembler.receive(message)) is not None:
            self._perform(self._conversation.pictured(image))

    def _take_calls(self) -> None:
        while not self._outbox.empty():
            self._perform(self._outbox.get_nowait()(self._conversation))

    def _perform(self, actions: list[Action]) -> None:
        todo = deque(actions)
        while todo:
            todo.extend(self._act(todo.popleft()))

    def _act(self, action: Action) -> list[Action]:
        """Do one thing and return what follows from how it went."""
        match action:
            case Send(message):
                self._wire.append(codec.encode(message))
            case SendStructure(job_id, pngs):
                for frame, png in enumerate(pngs):
                    self._wire.extend(pieces(Image(ImageKind.STRUCTURE, job_id, 0, frame, png)))
            case Deliver(message):
                self._inbox.put(message)
            case _:
                return store(action, self._conversation)
        return []

    def _rest(self) -> None:
        """Wait for the next try, shorter if somebody asks for something."""
        self._hurrying.clear()
        until = time.monotonic() + self._patience.delay()
        while not self._over() and time.monotonic() < until:
            self._take_calls()
            if self._hurrying.wait(HEARTBEAT):
                self._patience.renew()
                break
        self._take_calls()

    def _bereaved(self) -> ClientError | None:
        """The error that tells that the connection was lost because our sidecar ended, if it did."""
        if self._process is None:
            return None
        try:
            status = self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            return None
        self._process = None
        problem = Problem("sidecar-ended", f"the sidecar ended with status {status}", "wait: it is started again")
        return ClientError(Hop.START, problem, log_tail())

    def _fail(self, problem: Problem, tail: str) -> None:
        if self._over():
            return
        self._trouble = (problem, tail or log_tail())
        self._move(Happening.FAILED)

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()
        self._transport = None
        self._conversation.lost()
        self._assembler = ImageAssembler()
        self._wire.clear()

    def _move(self, happening: Happening) -> None:
        self._state = after(self._state, happening)
        self._inbox.put(inbox.StateChanged(self._state, *self._trouble))


def _given_up(known: Problem) -> Problem:
    """What is shown once a sidecar was started often enough: what went wrong, and that it is no longer tried."""
    if known.code == "given-up":
        return known
    remedy = "read its last lines below" if known.code == "sidecar-ended" else known.remedy
    message = f"{known.message}; it was started {STARTS} times and is not started again"
    return Problem("given-up", message, f"{remedy}; then try again")
