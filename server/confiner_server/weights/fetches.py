# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads of weights: a process for each, and the latest state of each for whoever asks.

Everything here runs on the listener's event loop, which never waits for a download.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from confiner_blender.protocol.problem import Problem
from confiner_blender.protocol.weights import DONE, FAILED, RUNNING, STOPPED, FetchState, FetchWeights

from .licences import accept_licences

log = logging.getLogger(__name__)

END_PATIENCE = 3.0


class Fetches:
    def __init__(self, chains: Path | None, on_change: Callable[[str], None]) -> None:
        self._chains = chains
        self._on_change = on_change
        self._states: dict[str, FetchState] = {}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._next: dict[str, FetchWeights] = {}

    @property
    def running(self) -> list[str]:
        """The chains whose weights are being downloaded."""
        return list(self._lives)

    def state(self, chain: str) -> FetchState:
        return self._states[chain]

    def start(self, wanted: FetchWeights) -> None:
        """Download what a chain lacks, if that is not under way already."""
        accepted = accept_licences(wanted.accepted)
        if wanted.chain in self._lives:
            if self._states[wanted.chain].state != RUNNING:
                self._next[wanted.chain] = wanted  # as soon as the one that was stopped is gone
            return
        words = ["-m", "confiner_server.weights.fetcher", wanted.chain]
        words += ["--chains", str(self._chains)] if self._chains else []
        words += [word for name in sorted(accepted) for word in ("--accepted", name)]
        words += [word for name in wanted.pickled for word in ("--pickled", name)]
        words += ["--control-steps", str(wanted.control_steps)] if wanted.control_steps else []
        self._show(FetchState(wanted.chain, RUNNING))
        self._lives[wanted.chain] = asyncio.create_task(self._live(wanted.chain, words))

    def stop(self, chain: str) -> None:
        """Stop a download; what has come is kept. One that is over is left as it is."""
        if chain in self._lives:
            self._show(replace(self._states[chain], state=STOPPED))
            self._kill(chain)

    async def end(self) -> None:
        """Stop all of them, and wait until they are gone."""
        self._next.clear()
        for chain in self.running:
            self.stop(chain)
        if self._lives:
            await asyncio.wait(self._lives.values(), timeout=END_PATIENCE)

    async def _live(self, chain: str, words: list[str]) -> None:
        """One download, from its start until its process is gone."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(sys.executable, *words, stdin=pipe, stdout=pipe)
            self._processes[chain] = process
            if self._states[chain].state == STOPPED:
                self._kill(chain)
            assert process.stdout is not None
            async for line in process.stdout:
                self._hear(chain, line)
            await process.wait()
            self._settle(chain, process.returncode or 0)
        except OSError as error:
            self._fail(chain, f"the download could not be started ({error})")
        finally:
            self._processes.pop(chain, None)
            del self._lives[chain]
            if chain in self._next:
                self.start(self._next.pop(chain))

    def _hear(self, chain: str, line: bytes) -> None:
        values = json.loads(line)
        if self._states[chain].state == STOPPED:
            return
        if "problem" in values:
            problem = Problem(**values["problem"])
            self._show(replace(self._states[chain], state=FAILED, problem=problem))
        else:
            self._show(FetchState(chain, RUNNING, **values))

    def _settle(self, chain: str, status: int) -> None:
        """The process is gone: say so where its last line did not."""
        log.info("the download for %s ended with status %d", chain, status)
        if self._states[chain].state == RUNNING and status == 0:
            self._show(replace(self._states[chain], state=DONE))
        elif self._states[chain].state == RUNNING:
            self._fail(chain, f"the download ended with status {status}")

    def _fail(self, chain: str, message: str) -> None:
        problem = Problem("download", message, "download again: it goes on where it stopped")
        self._show(replace(self._states[chain], state=FAILED, problem=problem))

    def _show(self, state: FetchState) -> None:
        self._states[state.chain] = state
        self._on_change(state.chain)

    def _kill(self, chain: str) -> None:
        if chain in self._processes:
            with contextlib.suppress(ProcessLookupError):
                self._processes[chain].kill()
