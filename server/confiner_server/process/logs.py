# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidecar's log: one file of bounded size. A worker's lines come to it through the listener."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

MAX_BYTES = 1024 * 1024
OLDER_FILES = 2


def log_to(path: Path) -> None:
    """Send this process's log to `path`, which is turned over before it grows beyond its bound."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=OLDER_FILES, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("websockets").setLevel(logging.WARNING)
