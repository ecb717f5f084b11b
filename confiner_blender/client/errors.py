# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong on the way to the sidecar: one error that names the hop and carries a problem with its remedy."""

from __future__ import annotations

import enum
import traceback

from ..protocol.messages import Problem


class Hop(enum.Enum):
    """The way from Blender to the experts, in order. An error names the hop at which the way ended."""

    INTERPRETER = "the sidecar's Python"
    START = "starting the sidecar"
    CONNECT = "connecting to it"
    HANDSHAKE = "the handshake"
    WORKER = "its worker"


class ClientError(Exception):
    """The sidecar cannot be reached, or was lost. `log_tail` holds the last lines of the log that tells more."""

    def __init__(self, hop: Hop, problem: Problem, log_tail: str = "") -> None:
        super().__init__(f"{hop.value}: {problem.message}")
        self.hop = hop
        self.problem = problem
        self.log_tail = log_tail


class Stopped(Exception):
    """The session is closing: whoever waits for something stops waiting."""


def unexpected(error: Exception) -> tuple[Problem, str]:
    """A defect of ours as a problem, with its traceback for the panel's log."""
    summary = "".join(traceback.format_exception_only(error)).strip()
    problem = Problem("internal", f"the add-on's client failed: {summary}", "report this with the log shown below")
    return problem, "".join(traceback.format_exception(error))
