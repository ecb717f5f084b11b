# SPDX-License-Identifier: GPL-3.0-or-later
"""The listener: starts, wires the parts together, and ends without leaving anything behind.

One thread, one event loop. It imports nothing that computes, so it is ready in a fraction of a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import logging
import os
import secrets
import signal
import sqlite3
import sys
import time

from confiner.chains import ChainSpec, find_chain, read_chains
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from confiner_blender import __version__
from confiner_blender.protocol import framing, rendezvous
from confiner_blender.protocol.errors import Unauthorised
from confiner_blender.protocol.messages import Chains, Status, Welcome
from confiner_blender.protocol.rendezvous import Connection
from confiner_blender.protocol.version import PROTOCOL_VERSION
from confiner_blender.protocol.weights import FetchWeights, Weights

from ..clients.connection import ClientConnection, greet
from ..clients.handshake import check_origin
from ..jobs.job_folders import JobFolders
from ..jobs.journal import Journal
from ..jobs.scheduler import Scheduler
from ..supervision.supervisor import Supervisor
from ..supervision.worker_messages import JobMessage
from ..weights.catalogue import chain_info, chain_weights, rule_infos
from ..weights.fetches import Fetches
from ..weights.licences import accepted_licences
from . import readiness
from .lifetime import Lifetime, watch_process
from .logs import log_to
from .settings import Settings

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
TICK = 0.5
FAREWELL_SECONDS = 1.0
TRANSPORT_LIMIT = 4 * framing.MAX_MESSAGE
"""Beyond this a message ends the connection; between the protocol's limit and this it gets a sentence."""


def run(settings: Settings) -> None:
    """Be the user's sidecar until it is over; or, if there is one already, announce that one.

    Raises:
        readiness.StartFailed, journal.JournalUnreadable, protocol.errors.UnusablePlace: with what to do about it.
    """
    lock = readiness.acquire()
    if isinstance(lock, Connection):
        readiness.announce(lock)
        return
    with lock:
        log_to(rendezvous.log_file())
        asyncio.run(Listener(settings).live())


class Listener:
    """The parts of one sidecar, and what concerns all of them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.token = secrets.token_urlsafe(32)
        self._journal = Journal(rendezvous.journal_file())
        self._worker = Supervisor(self._worker_command(), self._heard, self._lost)
        folders = JobFolders(rendezvous.jobs_folder())
        self.scheduler = Scheduler(self._journal, folders, self._worker, self._read_chains, self._changed)
        self.fetches = Fetches(settings.chains, self._fetch_changed)
        self._clients: set[ClientConnection] = set()
        self._lifetime = Lifetime(settings.grace, settings.stay, time.monotonic())
        self._over = asyncio.Event()
        self._unloading = False
        self._unload: asyncio.Task[None] | None = None

    async def live(self) -> None:
        self.scheduler.halt("the sidecar had ended; the shot goes on when it is asked for")
        self.scheduler.sweep()
        self._watch_signals()
        server = await serve(
            self._meet,
            HOST,
            0,
            compression=None,
            max_size=TRANSPORT_LIMIT,
            process_request=_refuse_pages,
            ping_interval=20,
            ping_timeout=20,
        )
        connection = self._connection(server)
        readiness.show(connection)
        log.info("sidecar %s listens on %s:%d, process %d", __version__, HOST, connection.port, connection.pid)
        readiness.announce(connection)
        try:
            await self._until_over()
        finally:
            await self._end(server)

    def _connection(self, server: Server) -> Connection:
        port = next(iter(server.sockets)).getsockname()[1]
        return Connection(HOST, port, self.token, os.getpid(), PROTOCOL_VERSION, __version__)

    async def _until_over(self) -> None:
        parent_alive = watch_process(self._settings.parent)
        while not self._over.is_set():
            if self._lifetime.is_over(time.monotonic(), parent_alive()):
                log.info("nobody is here any more")
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), TICK)

    async def _end(self, server: Server) -> None:
        """Pause the jobs, tell who listens, end the worker. The last checkpoints are on disk already."""
        readiness.hide()
        try:
            self.scheduler.halt("the sidecar was ended; the shot goes on when it is asked for")
            deadline = time.monotonic() + FAREWELL_SECONDS
            while time.monotonic() < deadline and not all(client.up_to_date for client in self._clients):
                await asyncio.sleep(0.01)
        finally:
            server.close()
            await self.fetches.end()
            await self._worker.end()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(server.wait_closed(), FAREWELL_SECONDS)
            for client in self._clients:
                client.cut()
            await server.wait_closed()
            self._journal.close()
            log.info("sidecar ended")

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        if sys.platform == "win32":
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(self.stop))
        else:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.add_signal_handler(number, self.stop)

    async def _meet(self, websocket: ServerConnection) -> None:
        """One connection, from its handshake to its end."""
        if (hello := await greet(websocket, self.token)) is None:
            return
        log.info("%s attached", hello.client)
        client = ClientConnection(websocket, self)
        self._clients.add(client)
        self._lifetime.attached()
        try:
            await client.serve()
        finally:
            self._clients.discard(client)
            self._lifetime.detached(time.monotonic())
            log.info("%s detached", hello.client)

    # --- what a connection asks of the whole

    def welcome(self) -> Welcome:
        return Welcome(PROTOCOL_VERSION, f"confiner {__version__}", self._device())

    def status(self) -> Status:
        queued, running = self.scheduler.load()
        worker = "busy" if running and self._worker.state == "ready" else self._worker.state
        return Status(self._device(), worker, queued, running, self._worker.memory)

    def chains(self) -> Chains:
        return Chains([chain_info(spec) for spec in self._read_chains().values()], rule_infos())

    def weights(self) -> Weights:
        accepted = accepted_licences()
        return Weights([chain_weights(spec, accepted) for spec in self._read_chains().values()])

    def fetch(self, wanted: FetchWeights) -> None:
        """Download what a chain lacks.

        Raises:
            confiner.errors.UnknownChain: there is no such chain.
        """
        find_chain(self._read_chains(), wanted.chain)
        self.fetches.start(wanted)

    def unload(self) -> None:
        """End the worker, and all its memory with it, as soon as it has nothing to do; the next job starts another."""
        self._unloading = True
        self._unload_if_idle()

    def stop(self) -> None:
        self._over.set()

    # --- between the parts

    def _worker_command(self) -> tuple[str, ...]:
        chains = self._settings.chains
        options = ("--device", self._settings.device, *(("--chains", str(chains)) if chains else ()))
        return (*self._settings.worker, *options)

    def _read_chains(self) -> dict[str, ChainSpec]:
        """Read anew each time, so that a chain file can be edited while the sidecar runs."""
        return read_chains(self._settings.chains)

    def _device(self) -> str:
        return self._worker.device or self._settings.device

    def _changed(self, job_id: str) -> None:
        for client in self._clients:
            client.notice(job_id)
        self._unload_if_idle()

    def _fetch_changed(self, chain: str) -> None:
        for client in self._clients:
            client.notice_fetch(chain)

    def _unload_if_idle(self) -> None:
        if self._unloading and self.scheduler.load() == (0, None):
            self._unloading = False
            self._unload = asyncio.create_task(self._worker.end())

    def _heard(self, message: JobMessage, payload: bytes) -> None:
        self.scheduler.heard(message, payload)

    def _lost(self, reason: str) -> None:
        try:
            self.scheduler.worker_lost(reason)
        except sqlite3.Error:
            # Without a journal no promise can be kept. What is on the disk is found again by the next start.
            log.exception("the journal cannot be written, the sidecar ends")
            self.stop()


def _refuse_pages(connection: ServerConnection, request: Request) -> Response | None:
    try:
        check_origin(request.headers.get_all("Origin"))
    except Unauthorised as error:
        log.warning("refused a connection: %s", error)
        return connection.respond(http.HTTPStatus.FORBIDDEN, f"{error}\n{error.remedy}\n")
    return None
