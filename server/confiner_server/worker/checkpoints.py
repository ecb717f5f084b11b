# SPDX-License-Identifier: GPL-3.0-or-later
"""When a shot's state is saved: with every delivery of frames, in between where it costs little, and at a stop."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from confiner.errors import StateError
from confiner.generation.plan import Plan
from confiner.generation.request import ClipRequest
from confiner.generation.state import ShotState, load_state, save_state

from confiner_server.jobs.job_folders import claim

log = logging.getLogger(__name__)

SHARE = 0.05
"""At most this part of the time goes into checkpoints between two deliveries."""


class Checkpoints:
    """The checkpoint of one shot. A state is told only when the frames delivered before it are whole on disk."""

    def __init__(self, path: Path, request: ClipRequest, plan: Plan) -> None:
        self._path = path
        self._request = request
        self._plan = plan
        self._unsaved: ShotState | None = None
        self._saved_at = time.monotonic()
        self._cost = 0.0

    def load(self) -> ShotState | None:
        """Where the shot goes on. Without a usable checkpoint it starts anew, which costs time and changes no pixel."""
        if not self._path.exists():
            return None
        try:
            return load_state(self._path, self._request, self._plan)
        except StateError as error:
            log.warning("starting anew, the checkpoint cannot be used: %s", error)
            return None

    def reached(self, state: ShotState, *, delivered: bool) -> None:
        """The shot has come to `state`; `delivered` is whether frames were, which is always worth a checkpoint."""
        self._unsaved = state
        if delivered or time.monotonic() - self._saved_at > self._cost / SHARE:
            self.save()

    def save(self) -> None:
        """Save the last state that was told, if it is not saved yet."""
        if self._unsaved is None:
            return
        begun = time.monotonic()
        claim(self._path.parent)
        save_state(self._unsaved, self._path, self._request, self._plan)
        self._unsaved = None
        self._saved_at = time.monotonic()
        self._cost = self._saved_at - begun
