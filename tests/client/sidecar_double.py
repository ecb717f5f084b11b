# SPDX-License-Identifier: GPL-3.0-or-later
"""A sidecar in memory, behind the very interfaces the session uses, that a test plays by hand.

It keeps jobs and their numbered events as the real one does, answers Hello, Submit, Attach and Forget, and can be told
to lose connections, damage frames or forget jobs. No socket, no process.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from confiner_blender.client.errors import ClientError, Hop
from confiner_blender.client.session import inbox
from confiner_blender.client.session.session import SidecarSession
from confiner_blender.client.sidecar_process.launcher import LaunchCommand, Meeting
from confiner_blender.protocol import codec
from confiner_blender.protocol.framing import Image, ImageAssembler, ImageKind, pieces
from confiner_blender.protocol.messages import (
    Accepted,
    Attach,
    ClientMessage,
    Forget,
    FrameDone,
    Hello,
    JobEvent,
    PreviewReady,
    Problem,
    Refused,
    ServerMessage,
    ShotRequest,
    Submit,
    Welcome,
)
from confiner_blender.protocol.rendezvous import Connection
from confiner_blender.protocol.version import PROTOCOL_VERSION

JOB = "11111111-1111-4111-8111-111111111111"
OTHER_JOB = "22222222-2222-4222-8222-222222222222"
TOKEN = "a token"


def request(num_frames: int = 3) -> ShotRequest:
    return ShotRequest("a red cube", num_frames, 64, 64, seed=1, chain="bundled", fps=8.0)


def png(frame: int) -> bytes:
    """The bytes of a frame; nothing on this side of the socket looks inside them."""
    return b"\x89PNG\r\n" + bytes([frame % 256]) * 1000


def frame_done(number: int, frame: int, job_id: str = JOB) -> FrameDone:
    return FrameDone(job_id, number, frame, hashlib.sha256(png(frame)).hexdigest())


class SidecarDouble:
    """One lock guards everything: the session's thread calls the transport, the test's thread plays the sidecar."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.received: list[ClientMessage] = []
        self.structure: list[Image] = []
        self.events: dict[str, list[tuple[JobEvent, bytes]]] = {}
        self.damaged: dict[int, int] = {}
        self.answers: dict[type, Callable[[], ServerMessage | None]] = {}
        self.meetings: list[LaunchCommand | None] = []
        self.absent = 0
        self.line: LineDouble | None = None

    # --- what the session is given

    def meet(
        self, launch: LaunchCommand | None, stop: threading.Event, distrusted: Connection | None = None
    ) -> Meeting:
        with self.lock:
            self.meetings.append(launch)
            if self.absent:
                self.absent -= 1
                raise ClientError(Hop.START, Problem("no-sidecar", "no sidecar is running", "start one"))
        return Meeting(Connection("127.0.0.1", 1, TOKEN, 1, PROTOCOL_VERSION, "0"), None)

    def dial(self, connection: Connection) -> LineDouble:
        with self.lock:
            self.line = LineDouble(self)
            return self.line

    # --- what the test does

    def happen(self, event: JobEvent, image: bytes = b"") -> None:
        """The job goes on: the event is kept, and sent if somebody listens."""
        with self.lock:
            self.events.setdefault(event.job_id, []).append((event, image))
            self.tell(event, image)

    def frame(self, number: int, frame: int, job_id: str = JOB) -> None:
        self.happen(frame_done(number, frame, job_id), png(frame))

    def tell(self, event: ServerMessage, image: bytes = b"") -> None:
        with self.lock:
            if self.line is None:
                return
            self.line.arriving.put(codec.encode(event))
            if isinstance(event, FrameDone | PreviewReady) and image:
                if self.damaged.get(event.number, 0):
                    self.damaged[event.number] -= 1
                    image = image[:-1] + b"?"
                kind = ImageKind.FRAME if isinstance(event, FrameDone) else ImageKind.PREVIEW
                for piece in pieces(Image(kind, event.job_id, event.number, event.frame, image)):
                    self.line.arriving.put(piece)

    def hang_up(self) -> None:
        """The connection is lost, the sidecar lives on."""
        with self.lock:
            if self.line is not None:
                self.line.abort()
            self.line = None

    # --- what it does by itself

    def hear(self, message: ClientMessage) -> None:
        with self.lock:
            self.received.append(message)
            if (answer := self.answers.get(type(message))) is not None:
                if (said := answer()) is not None:
                    self.tell(said)
            elif isinstance(message, Hello):
                self.tell(Welcome(PROTOCOL_VERSION, "double", "cpu"))
            elif isinstance(message, Submit):
                self.events.setdefault(message.job_id, [])
                self.tell(Accepted(message.job_id))
            elif isinstance(message, Attach):
                self.replay(message)
            elif isinstance(message, Forget):
                self.events.pop(message.job_id, None)

    def replay(self, message: Attach) -> None:
        if message.job_id not in self.events:
            self.tell(Refused(Problem("unknown-job", "no such job", "generate again"), message.job_id))
        for event, image in self.events.get(message.job_id, []):
            if event.number > message.after:
                self.tell(event, image)


class LineDouble:
    """A Transport to the double."""

    def __init__(self, sidecar: SidecarDouble) -> None:
        self.sidecar = sidecar
        self.arriving: queue.SimpleQueue[str | bytes | None] = queue.SimpleQueue()
        self.assembler = ImageAssembler()
        self.cut = False

    def open(self) -> None:
        return

    def send(self, message: str | bytes) -> None:
        if self.cut:
            raise lost()
        if isinstance(message, bytes):
            if (image := self.assembler.receive(message)) is not None:
                self.sidecar.structure.append(image)
            return
        decoded = codec.decode(message)
        assert isinstance(decoded, ClientMessage)
        self.sidecar.hear(decoded)

    def receive(self, timeout: float) -> str | bytes | None:
        try:
            message = self.arriving.get(timeout=timeout) if timeout else self.arriving.get_nowait()
        except queue.Empty:
            return None
        if message is None:
            raise lost()
        return message

    def close(self) -> None:
        with self.sidecar.lock:
            if self.sidecar.line is self:
                self.sidecar.line = None

    def abort(self) -> None:
        self.cut = True
        self.arriving.put(None)


def lost() -> ClientError:
    return ClientError(Hop.CONNECT, Problem("lost", "the connection was lost", "wait"))


class Reader:
    """The main thread's side: drains the inbox, and waits for what a test expects within a bound."""

    def __init__(self, session: SidecarSession) -> None:
        self.session = session
        self.seen: list[inbox.Message] = []

    def until(self, expected: Callable[[inbox.Message], bool], seconds: float = 60.0) -> inbox.Message:
        """Read on to the first message that is `expected`, and return it."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = self.session.inbox.get(timeout=left)
            except queue.Empty:
                break
            self.seen.append(message)
            if expected(message):
                return message
        told = "\n".join(map(repr, self.seen[-20:]))
        raise AssertionError(f"what was expected did not come in {seconds} s; the last messages were:\n{told}")

    def until_a(self, kind: type, seconds: float = 60.0) -> inbox.Message:
        return self.until(lambda message: isinstance(message, kind), seconds)

    def until_state(self, state: object, seconds: float = 60.0) -> inbox.StateChanged:
        found = self.until(lambda m: isinstance(m, inbox.StateChanged) and m.state is state, seconds)
        assert isinstance(found, inbox.StateChanged)
        return found

    def events(self) -> list[JobEvent]:
        return [message.event for message in self.seen if isinstance(message, inbox.EventArrived)]


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that another thread brings about."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def contents(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
