# SPDX-License-Identifier: GPL-3.0-or-later
"""What the listener and its worker say to each other: messages, and their framing on a stream. Does no I/O.

    listener → worker   RunJob · StopJob
    worker → listener   WorkerReady · MemoryUsed
                        JobStarted · JobStepped · JobPreview · JobFrame · JobFinished · JobStopped · JobFailed

Each time that a job is given to a worker is a run with an id of its own, which every message about it carries: the
worker's loop puts it there, and the listener lets go of what an earlier run still says.

A message is two lengths (unsigned, big-endian), JSON text, and bytes that only JobPreview uses (a PNG). The end of the
stream says that the other side has died.
"""

from __future__ import annotations

import dataclasses
import json
import struct
import typing
from dataclasses import dataclass, field
from typing import Any

from confiner_blender.protocol.codec import build
from confiner_blender.protocol.errors import MalformedMessage
from confiner_blender.protocol.messages import Problem, ShotRequest

LENGTHS = struct.Struct("!II")
MAX_LENGTH = 64 * 1024 * 1024


@dataclass(frozen=True)
class RunJob:
    """Run the job whose files stand in `folder`, from its checkpoint if there is one. `plan` is its first start's.

    `announced` are the SHA-256 of the frames that clients know of, by frame: each has to be there, and be the same.
    """

    job_id: str
    request: ShotRequest
    folder: str
    plan: dict[str, Any] | None
    run: str = ""
    announced: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StopJob:
    """Stop that run of the job at the next denoising step."""

    job_id: str
    run: str = ""


@dataclass(frozen=True)
class WorkerReady:
    """The libraries are imported; `device` is what the experts will run on."""

    device: str


@dataclass(frozen=True)
class JobStarted:
    """`take` is the record of the take, without its frames."""

    job_id: str
    plan: dict[str, Any]
    take: dict[str, Any] = field(default_factory=dict)
    run: str = ""


@dataclass(frozen=True)
class JobStepped:
    """As the protocol's Stepped."""

    job_id: str
    stage: str
    step: int
    steps: int
    eta: float | None
    start: int = 0
    frames: int = 0
    segment_frames: int = 0
    done: float = 0.0
    run: str = ""


@dataclass(frozen=True)
class JobPreview:
    job_id: str
    frame: int
    run: str = ""


@dataclass(frozen=True)
class JobFrame:
    """A final frame stands whole in the job's folder. `sha256` is of its file, `pixels` of what is in it."""

    job_id: str
    frame: int
    sha256: str
    pixels: str = ""
    run: str = ""


@dataclass(frozen=True)
class JobFinished:
    job_id: str
    take: dict[str, Any]
    run: str = ""


@dataclass(frozen=True)
class JobStopped:
    job_id: str
    run: str = ""


@dataclass(frozen=True)
class JobFailed:
    job_id: str
    problem: Problem
    run: str = ""


@dataclass(frozen=True)
class MemoryUsed:
    """Bytes, by name: "resident", "weights", "free"."""

    memory: dict[str, int]


ToWorker = RunJob | StopJob
JobMessage = JobStarted | JobStepped | JobPreview | JobFrame | JobFinished | JobStopped | JobFailed
FromWorker = WorkerReady | MemoryUsed | JobMessage
WireMessage = ToWorker | FromWorker

TYPES: dict[str, type] = {cls.__name__: cls for cls in typing.get_args(WireMessage)}


def pack(message: WireMessage, payload: bytes = b"") -> bytes:
    """The bytes of one message."""
    text = json.dumps({"type": type(message).__name__, **dataclasses.asdict(message)}).encode()
    return LENGTHS.pack(len(text), len(payload)) + text + payload


def unpack_lengths(header: bytes) -> tuple[int, int]:
    """How many bytes of text and of payload follow.

    Raises:
        MalformedMessage: more than any message has; the stream is out of step.
    """
    text, payload = LENGTHS.unpack(header)
    if max(text, payload) > MAX_LENGTH:
        raise MalformedMessage(f"a message of {text} + {payload} bytes, expected at most {MAX_LENGTH} each")
    return text, payload


def unpack(text: bytes) -> WireMessage:
    """The message in `text`, every field checked."""
    fields = json.loads(text)
    kind = fields.pop("type")
    return typing.cast(WireMessage, build(TYPES[kind], fields, kind))
