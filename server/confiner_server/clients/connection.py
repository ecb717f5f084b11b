# SPDX-License-Identifier: GPL-3.0-or-later
"""One client: its handshake, its messages, and what it still has to be sent.

Two tasks: one receives, one sends. The sender keeps, per job, the number of the last event it has sent, and asks the
scheduler for the next one; so a client that comes back, one that reads slowly and one that watches live are the same
case, and nothing piles up in memory. Images of one connection never interleave, since one task sends.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
from typing import Protocol

from confiner.errors import ConfinerError
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from confiner_blender.protocol import codec, framing
from confiner_blender.protocol.errors import MalformedMessage, ProtocolError
from confiner_blender.protocol.framing import Image, ImageAssembler, ImageKind
from confiner_blender.protocol.messages import (
    Accepted,
    Attach,
    Cancel,
    Chains,
    ClientMessage,
    Forget,
    FrameDone,
    GetStatus,
    Hello,
    Jobs,
    ListChains,
    ListJobs,
    PreviewReady,
    Refused,
    ServerMessage,
    Shutdown,
    Status,
    Submit,
    Unload,
    Welcome,
)
from confiner_blender.protocol.weights import FetchWeights, ListWeights, StopFetching, Weights

from ..jobs.scheduler import Scheduler
from ..problems import problem_for
from ..weights.fetches import Fetches
from .handshake import HELLO_SECONDS, check_hello

log = logging.getLogger(__name__)


class Sidecar(Protocol):
    """What a connection asks of the sidecar as a whole."""

    token: str
    scheduler: Scheduler
    fetches: Fetches

    def welcome(self) -> Welcome: ...

    def status(self) -> Status: ...

    def chains(self) -> Chains: ...

    def weights(self) -> Weights: ...

    def fetch(self, wanted: FetchWeights) -> None: ...

    def unload(self) -> None: ...

    def stop(self) -> None: ...


async def greet(websocket: ServerConnection, token: str) -> Hello | None:
    """The client's Hello; None, after saying why, if it may not go on."""
    try:
        text = await asyncio.wait_for(websocket.recv(), HELLO_SECONDS)
        if not isinstance(text, str):
            raise MalformedMessage("a binary message as the first one, expected Hello")
        return check_hello(text, token)
    except TimeoutError:
        refusal = MalformedMessage(f"nothing in {HELLO_SECONDS:.0f} s, expected Hello").problem()
    except ProtocolError as error:
        refusal = error.problem()
    except ConnectionClosed:
        return None
    log.warning("refused a connection: %s", refusal.message)
    with contextlib.suppress(ConnectionClosed):
        await websocket.send(codec.encode(Refused(refusal)))
        await websocket.close(CloseCode.POLICY_VIOLATION, refusal.code)
    return None


class ClientConnection:
    """A client that was let in."""

    def __init__(self, websocket: ServerConnection, sidecar: Sidecar) -> None:
        self._websocket = websocket
        self._sidecar = sidecar
        self._assembler = ImageAssembler()
        self._sent: dict[str, int] = {}
        self._news: dict[str, None] = {}  # jobs with unsent events, in the order in which they got them
        self._fetch_news: dict[str, None] = {}  # chains whose download has an unsent state
        self._replies: collections.deque[ServerMessage] = collections.deque([sidecar.welcome()])
        self._rejected: set[str] = set()
        self._wake = asyncio.Event()
        self._wake.set()

    async def serve(self) -> None:
        """Talk until one side ends the connection. An error in here ends this connection, and no other."""
        tasks = [asyncio.create_task(self._send_all()), asyncio.create_task(self._receive_all())]
        _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        for error in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(error, Exception) and not isinstance(error, ConnectionClosed):
                log.error("a connection ended by an error", exc_info=error)
                await self._websocket.close(CloseCode.INTERNAL_ERROR, "see the sidecar's log")

    def cut(self) -> None:
        """End the connection without a goodbye that its client does not read."""
        self._websocket.transport.abort()

    def notice(self, job_id: str) -> None:
        """A job has something new to tell."""
        if job_id in self._sent:
            self._news[job_id] = None
            self._wake.set()

    def notice_fetch(self, chain: str) -> None:
        """A chain's download has a new state."""
        self._fetch_news[chain] = None
        self._wake.set()

    @property
    def up_to_date(self) -> bool:
        return not self._news and not self._replies and not self._fetch_news

    # --- sending

    async def _send_all(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while not self.up_to_date:
                await self._send_replies()
                await self._send_fetches()
                if self._news:
                    await self._send_next(next(iter(self._news)))

    async def _send_replies(self) -> None:
        while self._replies:
            await self._websocket.send(codec.encode(self._replies[0]))
            self._replies.popleft()

    async def _send_fetches(self) -> None:
        """Send how downloads stand now: a client that reads slowly gets fewer states, and the last one always."""
        while self._fetch_news:
            chain = next(iter(self._fetch_news))
            del self._fetch_news[chain]
            await self._websocket.send(codec.encode(self._sidecar.fetches.state(chain)))

    async def _send_next(self, job_id: str) -> None:
        """Send a job's next event with its image; a job without one is no news.

        A frame without its picture is never sent: it is announced anew when it is made again.
        """
        events = self._sidecar.scheduler.events
        event = events.after(job_id, self._sent[job_id])
        if event is None:
            del self._news[job_id]
            return
        self._sent[job_id] = event.number
        picture = events.picture(event)
        if isinstance(event, FrameDone) and not picture:
            self._sidecar.scheduler.lose_frame(event)
            return
        await self._websocket.send(codec.encode(event))
        if isinstance(event, FrameDone | PreviewReady) and picture:
            kind = ImageKind.FRAME if isinstance(event, FrameDone) else ImageKind.PREVIEW
            for piece in framing.pieces(Image(kind, job_id, event.number, event.frame, picture)):
                await self._websocket.send(piece)

    def _reply(self, message: ServerMessage) -> None:
        self._replies.append(message)
        self._wake.set()

    def _follow(self, job_id: str, after: int) -> None:
        self._sent[job_id] = after
        self.notice(job_id)

    # --- receiving

    async def _receive_all(self) -> None:
        async for message in self._websocket:
            try:
                if len(message) > framing.MAX_MESSAGE:
                    raise MalformedMessage(f"a message of {len(message)} bytes, expected at most {framing.MAX_MESSAGE}")
                if isinstance(message, str):
                    self._take_text(message)
                else:
                    self._take_binary(message)
            except MalformedMessage as error:
                self._reply(Refused(error.problem()))

    def _take_text(self, text: str) -> None:
        message = codec.decode(text)
        if not isinstance(message, ClientMessage):
            raise MalformedMessage(f"{type(message).__name__} from a client, expected a client's message")
        try:
            self._act(message)
        except (ProtocolError, ConfinerError) as error:
            job_id = getattr(message, "job_id", None)
            if isinstance(message, Submit):
                self._rejected.add(message.job_id)
            self._reply(Refused(problem_for(error), job_id))

    def _act(self, message: ClientMessage) -> None:
        scheduler = self._sidecar.scheduler
        match message:
            case Submit(job_id, request):
                scheduler.submit(job_id, request)
                self._rejected.discard(job_id)
                self._reply(Accepted(job_id))
                self._follow(job_id, 0)
            case Attach(job_id, after):
                scheduler.resume(job_id)
                self._follow(job_id, after)
            case Cancel(job_id):
                scheduler.cancel(job_id)
            case Forget(job_id):
                scheduler.forget(job_id)
            case ListJobs():
                self._reply(Jobs(scheduler.jobs()))
            case ListChains():
                self._reply(self._sidecar.chains())
            case ListWeights():
                self._reply(self._sidecar.weights())
                for chain in self._sidecar.fetches.running:
                    self.notice_fetch(chain)
            case FetchWeights():
                self._sidecar.fetch(message)
            case StopFetching(chain):
                self._sidecar.fetches.stop(chain)
            case GetStatus():
                self._reply(self._sidecar.status())
            case Unload():
                self._sidecar.unload()
            case Shutdown():
                self._sidecar.stop()
            case Hello():
                raise MalformedMessage("a second Hello, expected one a connection")

    def _take_binary(self, message: bytes) -> None:
        """Take a piece of an image. Images for a job that was refused were on their way already: they are let go."""
        image = self._assembler.receive(message)
        if image is None or image.job_id in self._rejected:
            return
        try:
            if image.kind is not ImageKind.STRUCTURE:
                raise MalformedMessage(f"an image of kind {image.kind.name} from a client, expected STRUCTURE")
            self._sidecar.scheduler.receive_structure(image)
        except ProtocolError as error:
            self._rejected.add(image.job_id)
            self._reply(Refused(error.problem(), image.job_id))
