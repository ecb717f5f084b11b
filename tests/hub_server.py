# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub as its client sees it, on a real socket: serves folders of repositories by the hub's own paths.

`python -m tests.hub_server CACHE` prints its address; point HF_ENDPOINT at that. CACHE is a folder in the layout of the
hub's cache, as `confiner_lab.published.layouts` writes it. Large files are those that are weights.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".safetensors", ".pt", ".bin")
INFO = re.compile(r"/api/models/([^/]+/[^/]+)(?:/revision/[^/]+)?$")
FILE = re.compile(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)$")


@dataclass
class Hub:
    """What is served, how badly, and what was asked for: `requests` are method, path and range."""

    folders: dict[str, Path]
    licences: dict[str, str] = field(default_factory=dict)
    bytes_per_second: float = 0.0
    break_after: int | None = None
    """The next answer breaks off after this many bytes, once."""
    claimed_sizes: dict[str, int] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    requests: list[tuple[str, str, str]] = field(default_factory=list)

    def info(self, repository: str) -> dict[str, object]:
        folder = self.folders[repository]
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        siblings = []
        for path in files:
            name, size = path.relative_to(folder).as_posix(), path.stat().st_size
            size = self.claimed_sizes.get(name, size)
            lfs = {"sha256": digest(path), "size": size, "pointerSize": 130} if path.suffix in LARGE else None
            siblings.append(
                {"rfilename": name, "size": size, "blobId": git_digest(path)} | ({"lfs": lfs} if lfs else {})
            )
        card = {"license": self.licences[repository]} if repository in self.licences else {}
        return {"_id": "0", "id": repository, "modelId": repository, "sha": COMMIT, "siblings": siblings} | {
            "cardData": card,
            "tags": [],
            "private": False,
            "gated": False,
        }


def digest(path: Path) -> str:
    return _digest(path.resolve(), path.stat().st_mtime_ns)


@functools.cache
def _digest(path: Path, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def git_digest(path: Path) -> str:
    """What git calls a file's content: the hub's hash of whatever it keeps as text."""
    return _git_digest(path.resolve(), path.stat().st_mtime_ns)


@functools.cache
def _git_digest(path: Path, changed: int) -> str:
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def folders_of(cache: Path) -> dict[str, Path]:
    """The repositories of a folder like the hub's cache, by name."""
    return {
        "/".join(folder.name.split("--")[1:]): next((folder / "snapshots").iterdir())
        for folder in cache.glob("models--*")
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(send=False)

    def do_GET(self) -> None:
        self._answer(send=True)

    def log_message(self, *_: object) -> None:
        """Be silent."""

    def _answer(self, send: bool) -> None:
        path = urlsplit(self.path).path
        self.hub.requests.append((self.command, path, self.headers.get("Range", "")))
        if found := INFO.match(path):
            self._tell_of(found[1])
        elif (found := FILE.match(path)) and found[1] in self.hub.folders:
            self._give(self.hub.folders[found[1]] / found[2], send)
        else:
            self._refuse("RepoNotFound")

    def _tell_of(self, repository: str) -> None:
        if repository in self.hub.gated:
            self._refuse("GatedRepo", 403)
        elif repository in self.hub.folders:
            body = json.dumps(self.hub.info(repository)).encode()
            self._head(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
            self.wfile.write(body)
        else:
            self._refuse("RepoNotFound")

    def _refuse(self, code: str, status: int = 404) -> None:
        self._head(status, {"X-Error-Code": code, "X-Error-Message": code, "Content-Length": "0"})

    def _give(self, path: Path, send: bool) -> None:
        if not path.is_file():
            self._refuse("EntryNotFound")
            return
        data = path.read_bytes()
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        headers = {
            "X-Repo-Commit": COMMIT,
            "X-Linked-Size": str(len(data)),
            "ETag": f'"{digest(path) if path.suffix in LARGE else git_digest(path)}"',
            "Accept-Ranges": "bytes",
            "Content-Length": str(len(data) - start),
        }
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._head(206 if start else 200, headers)
        if send:
            self._send(data[start:], large=path.suffix in LARGE)

    def _send(self, data: bytes, large: bool) -> None:
        cut, piece = len(data), 64 * 1024
        if large and self.hub.break_after is not None:
            cut, self.hub.break_after = self.hub.break_after, None
        for start in range(0, min(cut, len(data)), piece):
            self.wfile.write(data[start : min(start + piece, cut)])
            if large and self.hub.bytes_per_second:
                time.sleep(piece / self.hub.bytes_per_second)
        if cut < len(data):
            self.close_connection = True

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that leaves in the middle is no error here."""


@contextmanager
def serving(hub: Hub, handler: type[Handler] = Handler) -> Iterator[str]:
    """Serve `hub` on a port of its own; gives the address for HF_ENDPOINT."""
    server = Server(("127.0.0.1", 0), type("Handler", (handler,), {"hub": hub}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    with serving(Hub(folders_of(Path(sys.argv[1])))) as address:
        print(address, flush=True)
        threading.Event().wait()
