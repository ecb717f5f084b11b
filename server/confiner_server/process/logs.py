# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidecar's log: one file of bounded size. A worker's lines come to it through the listener."""

from __future__ import annotations

import logging
import logging.handlers
from io import TextIOWrapper
from pathlib import Path

from confiner_blender.protocol.private_files import open_private, private_folder

MAX_BYTES = 1024 * 1024
OLDER_FILES = 2


class PrivateLog(logging.handlers.RotatingFileHandler):
    """Prompts come up in a log: its file is for this user alone, and never the one that a link leads to."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding=self.encoding, opener=open_private)


def log_to(path: Path) -> None:
    """Send this process's log to `path`, which is turned over before it grows beyond its bound.

    Raises:
        UnusablePlace: the file or its folder is a link, or another user's.
    """
    private_folder(path.parent)
    handler = PrivateLog(path, maxBytes=MAX_BYTES, backupCount=OLDER_FILES, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("websockets").setLevel(logging.WARNING)
