# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner status`: ask the running sidecar what it does."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .errors import CommandError

if TYPE_CHECKING:
    from confiner_blender.protocol.messages import ClientMessage, Jobs, ServerMessage, Status
    from confiner_blender.protocol.rendezvous import Connection

HELP = "say what the running sidecar does"
SECONDS = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(args: argparse.Namespace) -> int:
    from confiner_server.process.readiness import read_connection

    from confiner_blender.protocol.messages import GetStatus, Jobs, ListJobs, Status

    connection = read_connection()
    if connection is None:
        print("no sidecar is running")
        return 0
    status, jobs = ask(connection, [GetStatus(), ListJobs()])
    assert isinstance(status, Status)
    assert isinstance(jobs, Jobs)
    print(f"sidecar {connection.version}, process {connection.pid}, {connection.host}:{connection.port}")
    print("\n".join(describe(status, jobs)))
    return 0


def ask(connection: Connection, questions: list[ClientMessage]) -> list[ServerMessage]:
    """The sidecar's answers to `questions`, one each."""
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    from confiner_blender.protocol import codec, framing
    from confiner_blender.protocol.messages import Hello, Refused
    from confiner_blender.protocol.version import PROTOCOL_VERSION

    answers = []
    try:
        with connect(
            f"ws://{connection.host}:{connection.port}",
            proxy=None,
            compression=None,
            max_size=framing.MAX_MESSAGE,
            open_timeout=SECONDS,
        ) as websocket:
            for question in [Hello(PROTOCOL_VERSION, connection.token, "confiner status"), *questions]:
                websocket.send(codec.encode(question))
                answer = codec.decode(str(websocket.recv(SECONDS)))
                if isinstance(answer, Refused):
                    raise CommandError(answer.problem.message, answer.problem.remedy)
                answers.append(answer)
    except (OSError, WebSocketException) as error:
        seen = f"the sidecar of process {connection.pid} does not answer ({error})"
        raise CommandError(seen, "start one with `confiner serve`; end that process if it still runs") from error
    return answers[1:]  # type: ignore[return-value]


def describe(status: Status, jobs: Jobs) -> list[str]:
    """The lines that are printed."""
    memory = ", ".join(f"{name} {size >> 20} MB" for name, size in status.memory.items())
    lines = [f"device {status.device}, worker {status.worker}" + (f", {memory}" if memory else "")]
    for job in jobs.jobs:
        done = f"{job.frames_done}/{job.request.num_frames} frames"
        lines.append(f"{job.job_id}  {job.state:<10} {done:<16} {job.request.prompt[:60]}")
    return lines if jobs.jobs else [*lines, "no jobs"]
