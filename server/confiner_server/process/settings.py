# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sidecar is started with: one frozen object, built by the command and passed down."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

WORKER = (sys.executable, "-m", "confiner_server.worker")


@dataclass(frozen=True)
class Settings:
    """`grace` is in seconds; `parent` is the process whose end ends an unused sidecar; `chains` the user's own file."""

    grace: float = 60.0
    parent: int | None = None
    stay: bool = False
    device: str = "auto"
    chains: Path | None = None
    worker: tuple[str, ...] = WORKER
    """The command that starts a worker process; it is given `--socket`, `--device` and `--chains`."""
