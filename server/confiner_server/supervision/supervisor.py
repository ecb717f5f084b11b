# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker process: started when there is work, listened to, ended; its death is noticed and reported, never shared.

Everything here runs on the listener's event loop. What the worker says is handed on in order; when the process is gone,
`on_lost` is called after its last message, unless the end was asked for.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable

from confiner_blender.protocol.private_files import UMASK

from .worker_messages import (
    LENGTHS,
    JobFailed,
    JobFinished,
    JobMessage,
    JobStopped,
    MemoryUsed,
    RunJob,
    StopJob,
    ToWorker,
    WireMessage,
    WorkerReady,
    pack,
    unpack,
    unpack_lengths,
)

log = logging.getLogger(__name__)
worker_log = logging.getLogger("confiner_server.worker")

CANCEL_PATIENCE = 15.0
"""Seconds in which a worker has to stop a job. Loading and one step of a large model on a slow machine take longer."""

END_PATIENCE = 3.0
STDERR_LINES = 5
MAX_LINE = 64 * 1024


class Supervisor:
    """One worker at a time. `device` and `memory` are what the worker last said of itself."""

    def __init__(
        self, command: tuple[str, ...], on_message: Callable[[JobMessage, bytes], None], on_lost: Callable[[str], None]
    ) -> None:
        self._command = command
        self._on_message = on_message
        self._on_lost = on_lost
        self._life: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._unsent: list[bytes] = []
        self._ending = False
        self._stopping = ""
        self._deadline: asyncio.TimerHandle | None = None
        self.device = ""
        self.memory: dict[str, int] = {}
        self.state = "none"

    def run(self, job: RunJob) -> None:
        """Give the worker a job, starting the worker first where there is none."""
        if self._life is None:
            self._begin()
        self._send(job)

    def stop(self, job_id: str, run: str) -> None:
        """Have the worker stop a run; a worker that does not answer in time is killed, and reported as lost."""
        self._send(StopJob(job_id, run))
        self._stopping = run
        self._set_deadline(CANCEL_PATIENCE)

    async def end(self) -> None:
        """End the worker and wait until it is gone. It is not reported as lost."""
        if self._life is None:
            return
        self._ending = True
        if self._writer is not None:
            self._writer.close()  # the end of the stream is what tells the worker
        self._set_deadline(END_PATIENCE)
        await asyncio.wait([self._life])

    def _begin(self) -> None:
        self.state = "starting"
        self._life = asyncio.create_task(self._live())

    def _send(self, message: ToWorker) -> None:
        """To the worker there is; while there is none yet, or one that ends, to the one that comes."""
        if self._writer is None or self._ending:
            self._unsent.append(pack(message))
        else:
            self._writer.write(pack(message))

    def _set_deadline(self, seconds: float) -> None:
        self._lift_deadline()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._kill)

    def _lift_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _live(self) -> None:
        """A worker's life, from its start until it is gone."""
        last_words: collections.deque[str] = collections.deque(maxlen=STDERR_LINES)
        try:
            process, reader = await self._start()
            await asyncio.gather(self._listen(reader), _log_lines(process, last_words))
            reason = _describe_end(await process.wait(), last_words)
        except Exception as error:  # whatever went wrong with a worker must not take the listener down
            log.exception("the worker could not be run")
            self._kill()
            reason = f"the worker could not be run ({error})"
        self._gone(reason)

    async def _start(self) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader]:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await _spawn(self._command, theirs)
        log.info("worker %d started", self._process.pid)
        reader, self._writer = await asyncio.open_connection(sock=ours)
        if self._ending:
            self._writer.close()
        else:
            self._writer.writelines(self._unsent)
            self._unsent.clear()
        return self._process, reader

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hand on what the worker says until the stream ends."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionResetError):
            while True:
                text, payload = unpack_lengths(await reader.readexactly(LENGTHS.size))
                message = unpack(await reader.readexactly(text))
                self._hear(message, await reader.readexactly(payload))

    def _hear(self, message: WireMessage, payload: bytes) -> None:
        if isinstance(message, WorkerReady):
            self.device, self.state = message.device, "ready"
            log.info("worker ready on %s", message.device)
        elif isinstance(message, MemoryUsed):
            self.memory = message.memory
        elif isinstance(message, JobMessage) and not self._ending:
            if isinstance(message, JobStopped | JobFinished | JobFailed) and message.run == self._stopping:
                self._lift_deadline()
            self._on_message(message, payload)

    def _gone(self, reason: str) -> None:
        self._lift_deadline()
        if self._writer is not None:
            self._writer.close()
        self._life = self._process = self._writer = None
        self.memory, self.state = {}, "none"
        if self._ending:
            log.info("%s, as it was told to", reason)
            self._ending = False
            if self._unsent:
                self._begin()
        else:
            log.error("%s", reason)
            self._unsent.clear()
            self._on_lost(reason)


async def _spawn(command: tuple[str, ...], theirs: socket.socket) -> asyncio.subprocess.Process:
    """Start a worker that owns the other end of the socket pair, and whose files are closed to other users."""
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    if sys.platform == "win32":
        words = (*command, "--socket", "stdin")
        process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=null, stderr=pipe)
        assert process.stdin is not None
        process.stdin.write(theirs.share(process.pid))
        process.stdin.close()
        return process
    number = theirs.fileno()
    words = (*command, "--socket", str(number))
    return await asyncio.create_subprocess_exec(
        *words, stdin=null, stdout=null, stderr=pipe, pass_fds=(number,), umask=UMASK
    )


async def _log_lines(process: asyncio.subprocess.Process, last: collections.deque[str]) -> None:
    """Log what the worker writes to its standard error, until it is gone; remember its last lines."""
    assert process.stderr is not None
    rest = b""
    while rest or not process.stderr.at_eof():
        data = await process.stderr.read(4096) or b"\n"
        *lines, rest = (rest + data)[-MAX_LINE:].split(b"\n")
        for line in lines:
            if text := line.decode("utf-8", errors="replace").rstrip():
                worker_log.info("%s", text)
                last.append(text)


def _describe_end(status: int, last_words: collections.deque[str]) -> str:
    if status < 0:
        name = signal.Signals(-status).name
        cause = ", often because memory ran out" if -status == 9 else ""
        return f"the worker was ended by {name}{cause}"
    said = f": {last_words[-1]}" if last_words else ""
    return f"the worker ended with status {status}{said}"
