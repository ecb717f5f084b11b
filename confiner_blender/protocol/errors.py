# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocol's errors.

    ProtocolError
    ├── MalformedMessage    bytes or JSON that are no message of this protocol
    ├── VersionMismatch     the two sides speak different versions
    ├── Unauthorised        the token is wrong, or a web page tries to connect
    ├── InvalidRequest      a message that is well formed and asks for something impossible
    └── UnusablePlace       a file or folder of the sidecar's that is a link or another user's, or cannot be made

Each says what was seen and expected, and carries a remedy a person can act on.
"""

from __future__ import annotations

from .messages import Problem


class ProtocolError(Exception):
    """Something the other side sent that cannot be acted on."""

    code = "protocol"
    remedy = "restart the sidecar; if it happens again, report it with the sidecar's log"

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy if remedy is not None else type(self).remedy

    def problem(self) -> Problem:
        """The error as a message part."""
        return Problem(self.code, str(self), self.remedy)


class MalformedMessage(ProtocolError):
    code = "malformed"


class VersionMismatch(ProtocolError):
    code = "version"
    remedy = "install the add-on and the sidecar from the same release"


class Unauthorised(ProtocolError):
    code = "unauthorised"
    remedy = "let the add-on start the sidecar, or copy the token from the sidecar's connection file"


class InvalidRequest(ProtocolError):
    code = "invalid-request"
    remedy = "change the shot's settings and generate again"


class UnusablePlace(ProtocolError):
    code = "place"
    remedy = "take away what is there"
