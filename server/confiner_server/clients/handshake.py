# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may talk to the sidecar: decisions on a connection's HTTP request and on its first message. Does no I/O."""

from __future__ import annotations

import hmac
import json

from confiner_blender.protocol import codec
from confiner_blender.protocol.errors import MalformedMessage, Unauthorised, VersionMismatch
from confiner_blender.protocol.messages import Hello
from confiner_blender.protocol.version import PROTOCOL_VERSION

HELLO_SECONDS = 10.0
"""How long a connection may take to say who it is."""


def check_origin(origins: list[str]) -> None:
    """Refuse web pages: a browser always names the page that opens a connection, the add-on never does.

    Raises:
        Unauthorised: the request names an origin.
    """
    if origins:
        raise Unauthorised(
            f"connection from the web page {origins[0]!r}, expected a program without an Origin header",
            "close that page; the sidecar talks to programs only",
        )


def check_hello(text: str, token: str) -> Hello:
    """The first message, if it may go on.

    The version is looked at before the other fields, because another version may have others.

    Raises:
        MalformedMessage: the message is no Hello.
        VersionMismatch: the client speaks another version; the text says which side to update.
        Unauthorised: the token is not this sidecar's.
    """
    theirs = _spoken_version(text)
    if theirs is not None and theirs != PROTOCOL_VERSION:
        older = "add-on" if theirs < PROTOCOL_VERSION else "sidecar"
        raise VersionMismatch(
            f"client speaks version {theirs} of the protocol, expected {PROTOCOL_VERSION}",
            f"update the {older}: add-on and sidecar have to come from the same release",
        )
    hello = codec.decode(text)
    if not isinstance(hello, Hello):
        raise MalformedMessage(f"{type(hello).__name__} as the first message, expected Hello")
    if not hmac.compare_digest(hello.token.encode(), token.encode()):
        raise Unauthorised("token that is not this sidecar's, expected the one in its connection file")
    return hello


def _spoken_version(text: str) -> int | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None  # the codec says what is wrong with it
    version = value.get("protocol") if isinstance(value, dict) and value.get("type") == "Hello" else None
    return version if isinstance(version, int) and not isinstance(version, bool) else None
