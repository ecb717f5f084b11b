# SPDX-License-Identifier: GPL-3.0-or-later
"""A sidecar in a process of its own, in a home of its own, and a client that speaks to it over a real socket."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from confiner_blender.protocol import codec, framing
from confiner_blender.protocol.messages import (
    Attach,
    Cancelled,
    Failed,
    Finished,
    FrameDone,
    Hello,
    JobEvent,
    Refused,
    ShotRequest,
    Submit,
    Welcome,
)
from confiner_blender.protocol.rendezvous import Connection, read_text
from confiner_blender.protocol.version import PROTOCOL_VERSION

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PATIENCE = 60.0
"""Seconds after which a test gives up waiting: far beyond what anything here takes."""

CHAIN = """
[double]
vae = "./parts"
sizes = [[32, 32], [16, 16], [512, 512]]
fps = 8
max_frames = 600
control = {{ kind = "animatediff", {parts} }}
spatial = {{ kind = "stable-diffusion", {parts} }}
temporal = {{ kind = "modelscope", {parts} }}
"""
PARTS = """unet = "./parts", text_encoder = "./parts", tokenizer = "./parts", \
schedule = { beta_start = 0.0001, beta_end = 0.02, beta_schedule = "linear" }"""

SHOT = ShotRequest("a red cube", num_frames=6, width=32, height=32, seed=7, chain="double", fps=8.0)


class Sidecar:
    """One home folder, and the sidecar processes that are started in it, one after the other or at once."""

    def __init__(self, home: Path, command: list[str]) -> None:
        self.home = home
        self.command = command
        self.environment = {
            **os.environ,
            "CONFINER_HOME": str(home),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "server")]),
        }
        self.started: list[subprocess.Popen[str]] = []

    def launch(self, *options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen([*self.command, *options], stdout=subprocess.PIPE, env=self.environment, text=True)
        self.started.append(process)
        return process

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start one and wait until it is ready."""
        process = self.launch(*options)
        self.readiness(process)
        return process

    def readiness(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the sidecar ended before it was ready:\n{self.log()}"
        return dict(json.loads(line))

    @property
    def connection_file(self) -> Path:
        return self.home / "run" / f"sidecar-p{PROTOCOL_VERSION}.json"

    @property
    def connection(self) -> Connection:
        return read_text(self.connection_file.read_text())

    def log(self) -> str:
        path = self.home / "run" / "sidecar.log"
        return path.read_text() if path.is_file() else ""

    def workers(self) -> list[int]:
        """Process ids of all workers that were ever started here."""
        lines = [line.split() for line in self.log().splitlines() if " worker " in line and line.endswith(" started")]
        return [int(words[-2]) for words in lines]

    def job_folder(self, job_id: str) -> Path:
        return self.home / "data" / f"jobs-p{PROTOCOL_VERSION}" / job_id

    @contextlib.contextmanager
    def client(self) -> Iterator[Client]:
        with self.dial() as websocket:
            client = Client(websocket)
            client.send(Hello(PROTOCOL_VERSION, self.connection.token, "test"))
            client.welcome = client.expect(Welcome)
            yield client

    def dial(self, **options: Any) -> ClientConnection:
        address = f"ws://{self.connection.host}:{self.connection.port}"
        # A client that leaves with much unread would wait long for the other side's goodbye behind it.
        return connect(address, proxy=None, compression=None, max_size=framing.MAX_MESSAGE, close_timeout=1, **options)

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdout is not None
            process.stdout.close()


class Client:
    """Says and hears messages; `events` and `images` are all that came, by job and number."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket
        self.assembler = framing.ImageAssembler()
        self.images: dict[tuple[str, int], framing.Image] = {}
        self.events: list[JobEvent] = []
        self.welcome: Any = None

    def send(self, message: codec.Message) -> None:
        self.websocket.send(codec.encode(message))

    def hear(self) -> Any:
        """The next message or whole image."""
        while True:
            data = self.websocket.recv(PATIENCE)
            if isinstance(data, str):
                message = codec.decode(data)
                if isinstance(message, JobEvent):
                    self.events.append(message)
                return message
            if (image := self.assembler.receive(data)) is not None:
                self.images[image.job_id, image.number] = image
                return image

    def expect(self, *kinds: type, job_id: str | None = None) -> Any:
        """The next message of one of `kinds`, about `job_id` if one is given; others are passed over."""
        while True:
            message = self.hear()
            if isinstance(message, kinds) and (job_id is None or message.job_id == job_id):
                return message

    def ask(self, message: codec.Message, *kinds: type) -> Any:
        self.send(message)
        return self.expect(*kinds)

    def refusal(self, message: codec.Message) -> Refused:
        answer: Refused = self.ask(message, Refused)
        return answer

    def submit(self, request: ShotRequest, structure: list[bytes] | None = None, job_id: str | None = None) -> str:
        job_id = job_id or str(uuid.uuid4())
        self.send(Submit(job_id, request))
        for frame, data in enumerate(structure or []):
            self.send_structure(job_id, frame, data)
        return job_id

    def send_structure(self, job_id: str, frame: int, data: bytes) -> None:
        for piece in framing.pieces(framing.Image(framing.ImageKind.STRUCTURE, job_id, 0, frame, data)):
            self.websocket.send(piece)

    def outcome(self, job_id: str) -> Any:
        """The event that ends the job, or its refusal; what came before is in `events`."""
        return self.expect(Finished, Failed, Cancelled, Refused, job_id=job_id)

    def attach(self, job_id: str, after: int = 0) -> None:
        self.send(Attach(job_id, after))

    def frames(self, job_id: str) -> dict[int, bytes]:
        """The frames of a job by their place in the clip, each announced once and with the hash that was announced."""
        done = [event for event in self.events if isinstance(event, FrameDone) and event.job_id == job_id]
        assert len({event.frame for event in done}) == len(done)
        return {event.frame: self.images[job_id, event.number].data for event in done}


def gone(pid: int) -> bool:
    """Whether the process has ended (a zombie has), waiting for it a while."""

    def ended() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    return became_true(ended)


def became_true(condition: Callable[[], bool]) -> bool:
    """Whether the condition came to hold while one can be asked to wait."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def write_chains(folder: Path) -> Path:
    """A chain file with the chain "double", whose weights are said to lie in `folder`/parts."""
    path = folder / "chains.toml"
    path.write_text(CHAIN.format(parts=PARTS))
    return path


@contextlib.contextmanager
def sidecar_in(folder: Path, command: list[str] | None = None) -> Iterator[Sidecar]:
    """A sidecar that lives in `folder`, not started yet: by `command`, else one with the worker and chain double."""
    if command is None:
        (folder / "parts").mkdir()
        command = [sys.executable, str(HERE / "serve_with_double.py"), "--chains", str(write_chains(folder))]
    sidecar = Sidecar(folder / "home", command)
    try:
        yield sidecar
    finally:
        sidecar.end()
    assert all(gone(pid) for pid in sidecar.workers()), "a worker outlived its sidecar"


@pytest.fixture(scope="session")
def sidecars() -> Callable[..., contextlib.AbstractContextManager[Sidecar]]:
    return sidecar_in


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    with sidecar_in(tmp_path) as sidecar:
        yield sidecar


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar that is started once for a file's tests, which leave no job behind."""
    with sidecar_in(tmp_path_factory.mktemp("standing")) as sidecar:
        sidecar.start("--stay")
        yield sidecar


@pytest.fixture
def chain_file(tmp_path: Path) -> Path:
    return write_chains(tmp_path)


@pytest.fixture
def shot() -> Callable[..., ShotRequest]:
    """Makes requests: six small frames, but for what is named."""

    def make(**changes: Any) -> ShotRequest:
        return dataclasses.replace(SHOT, **changes)

    return make


@pytest.fixture
def kill() -> Callable[[int], None]:
    """Kills a process and waits until it is gone."""

    def kill(pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        assert gone(pid)

    return kill


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], bool]:
    return became_true


@pytest.fixture
def has_gone() -> Callable[[int], bool]:
    return gone


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Makes a PNG file of one colour."""
    import io

    from PIL import Image

    def make(width: int = 32, height: int = 32, mode: str = "RGB", colour: Any = 0) -> bytes:
        file = io.BytesIO()
        Image.new(mode, (width, height), colour).save(file, format="PNG")
        return file.getvalue()

    return make
