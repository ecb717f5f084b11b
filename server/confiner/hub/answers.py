# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a server answers can be the file that was asked for; if not, what it is, in words.

Between a machine and the hub stand proxies, filters and portals, which answer in the hub's place: with a page of their
own and status 200, with nothing, with another part of the file. None of that may be taken for the file.
"""

from __future__ import annotations

import contextlib
import html
import re
import time
from email.utils import parsedate_to_datetime
from typing import Any, cast

from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import hf_raise_for_status

HTTP_ERROR = cast(type[Exception], HfHubHTTPError.__bases__[0])
"""Everything that goes wrong on the line. The hub's client is built on httpx or on its successor, by its version."""

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that may be others in a moment."""
GLANCE = 4096
"""Bytes of a page that are read for its first words."""
GLANCE_SECONDS = 5.0
WORDS = 120
"""Characters of a page that are quoted."""
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)$")
NOT_READ = re.compile(r"<(script|style)\b.*?(</\1>|$)|<!--.*?(-->|$)|<[^>]*>", re.DOTALL | re.IGNORECASE)


class NotTheFile(Exception):
    """An answer that is not what was asked for. It may be another in a moment if it is `passing`.

    `wait` is how many seconds the server asks to be left alone for.
    """

    def __init__(self, seen: str, *, passing: bool = True, wait: float = 0.0) -> None:
        super().__init__(seen)
        self.passing = passing
        self.wait = wait


def first_byte(response: Any, start: int, size: int) -> int:
    """Where in a file of `size` bytes the body of `response` begins, of which the bytes from `start` were asked for.

    It is `start`, or 0 where the server sends the whole file all the same.

    Raises:
        NotTheFile: the answer is none that could be the file.
        HTTP_ERROR: the hub itself refuses, with its own reason.
    """
    if response.status_code == 401 or "X-Error-Code" in response.headers:
        hf_raise_for_status(response)
    if response.status_code >= 400:
        passing = response.status_code in PASSING
        raise NotTheFile(describe(response), passing=passing, wait=_seconds_to_wait(response))
    if response.status_code not in (200, 206) or content_type(response) in ("text/html", "application/xhtml+xml"):
        raise NotTheFile(describe(response))
    announced = announced_length(response)
    if response.status_code == 200:
        if announced not in (None, size):
            raise NotTheFile(f"{describe(response)}, in place of {size} bytes")
        return 0
    part = RANGE.match(response.headers.get("Content-Range", "").strip())
    if part is None or int(part[1]) != start or part[3] not in ("*", str(size)):
        raise NotTheFile(f"{describe(response)}, in place of the bytes from {start} on")
    if not start <= int(part[2]) < size or announced not in (None, int(part[2]) + 1 - start):
        raise NotTheFile(f"{describe(response)}, of which neither fits the other")
    return start


def announced_length(response: Any) -> int | None:
    """The bytes that the body of `response` shall have; None if that is not said."""
    length = response.headers.get("Content-Length", "")
    packed = response.headers.get("Content-Encoding", "identity").lower() != "identity"
    return int(length) if length.isdecimal() and not packed else None


def content_type(response: Any) -> str:
    return str(response.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


def describe(response: Any) -> str:
    """Who answered what, such as “proxy.studio answered 200 OK, text/html, 635 bytes, “This site is blocked””."""
    said = [f"{response.url.host} answered {response.status_code} {response.reason_phrase}".strip()]
    said.append(content_type(response) or "no content type")
    if (length := announced_length(response)) is not None:
        said.append(f"{length} bytes")
    if part := response.headers.get("Content-Range"):
        said.append(str(part)[:WORDS])
    if wait := _seconds_to_wait(response):
        said.append(f"to be asked again in {wait:.0f} s")
    if words := _first_words(response):
        said.append(f"“{words}”")
    return ", ".join(said)


def describe_failure(error: Exception) -> str:
    """What went wrong on the line, and to whom it led."""
    said = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    with contextlib.suppress(RuntimeError, AttributeError):  # an error may know of no request
        return f"{cast(Any, error).request.url.host}: {said}"
    return said


def _first_words(response: Any) -> str:
    """What a page begins with, read by a person; nothing if it is no text."""
    kind = content_type(response)
    if not (kind.startswith("text/") or kind.endswith(("json", "xml"))):
        return ""
    held = _glance(response)
    text = held.decode("utf-8", "replace")
    text = html.unescape(NOT_READ.sub(" ", text)) if "html" in kind or "xml" in kind else text
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return text if len(text) <= WORDS else f"{text[:WORDS].rsplit(' ', 1)[0]} …"


def _glance(response: Any) -> bytes:
    with contextlib.suppress(RuntimeError):  # so says a body that was not read
        return bytes(response.content[:GLANCE])
    held, until = b"", time.monotonic() + GLANCE_SECONDS
    with contextlib.suppress(HTTP_ERROR, RuntimeError):  # what has come by then is quoted
        for piece in response.iter_bytes():
            held += piece
            if len(held) >= GLANCE or time.monotonic() > until:
                break
    return held[:GLANCE]


def _seconds_to_wait(response: Any) -> float:
    """What `Retry-After` says, in seconds or as a date; 0 if it says nothing."""
    told = response.headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return float(told)
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except ValueError:
        return 0.0
