# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a running sidecar can be met: the connection file's place, name and content.

The file stands in the user's runtime folder (mode 0600) while a sidecar listens. The protocol's version is
part of its name, so that two releases side by side do not find each other's sidecar. Beside it stand the
start lock, which lets one process at a time start a sidecar, and the sidecar's log.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from .codec import build
from .errors import MalformedMessage
from .version import PROTOCOL_VERSION

HOME_VARIABLE = "CONFINER_HOME"
"""Environment variable that moves everything the sidecar keeps (runtime files, journal, job folders) to one folder."""


@dataclass(frozen=True)
class Connection:
    """What a client needs to connect: `ws://host:port`, the token to present, and the process to watch."""

    host: str
    port: int
    token: str
    pid: int
    protocol: int
    version: str


def runtime_folder() -> Path:
    """The user's folder for files that live as long as a sidecar runs."""
    if home := os.environ.get(HOME_VARIABLE):
        return Path(home) / "run"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "confiner" / "run"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "confiner" / "run"
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "confiner"
    return Path.home() / ".cache" / "confiner" / "run"


def data_folder() -> Path:
    """The user's folder for what outlives a sidecar: the journal of jobs, their frames and checkpoints."""
    if home := os.environ.get(HOME_VARIABLE):
        return Path(home) / "data"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "confiner" / "data"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "confiner"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "confiner"


def connection_file() -> Path:
    """The connection file of a sidecar that speaks this protocol."""
    return runtime_folder() / f"sidecar-p{PROTOCOL_VERSION}.json"


def start_lock() -> Path:
    """The file whose lock is held while a sidecar is being started."""
    return runtime_folder() / f"sidecar-p{PROTOCOL_VERSION}.lock"


def run_lock() -> Path:
    """The file that a sidecar keeps locked as long as it lives, so that there is one; it holds the process id."""
    return runtime_folder() / f"sidecar-p{PROTOCOL_VERSION}.running"


def journal_file() -> Path:
    """The journal of a sidecar that speaks this protocol."""
    return data_folder() / f"journal-p{PROTOCOL_VERSION}.sqlite3"


def jobs_folder() -> Path:
    """Where the jobs in that journal keep their files, a folder each."""
    return data_folder() / f"jobs-p{PROTOCOL_VERSION}"


def log_file() -> Path:
    """The running or last sidecar's log."""
    return runtime_folder() / "sidecar.log"


def write_text(connection: Connection) -> str:
    """The connection file's content."""
    return json.dumps(dataclasses.asdict(connection), indent=1)


def read_text(text: str) -> Connection:
    """The connection in a connection file's content.

    Raises:
        MalformedMessage: the text is no connection file (half written, or of another program).
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise MalformedMessage(f"a connection file that is not JSON ({error})") from error
    connection = build(Connection, value, "the connection file")
    assert isinstance(connection, Connection)
    return connection
