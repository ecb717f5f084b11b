# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring one file over the line into the hub's cache: `for count in bring(file)`.

The hub's client has a download of its own, `hf_hub_download`, which is not used here: it throws away what it has of a
file when it is interrupted, cannot be stopped but by killing it, gathers ten megabytes before it keeps the first, and
takes every answer with status 200 for progress, a proxy's page too. Its cache is filled as it would fill it: content by
hash in `blobs`, a link to it in `snapshots`.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from typing import BinaryIO

from huggingface_hub import constants
from huggingface_hub.utils import WeakFileLock, build_hf_headers, get_session

from ..chains.weight_source import hub_cache
from ..errors import DownloadFailed
from .answers import HTTP_ERROR, NotTheFile, announced_length, first_byte
from .files import HubFile

TRIES = 5
"""How often in a row a line may bring nothing new."""
PAUSE = 1.0
"""Seconds before the second of these tries; twice as many before each further one."""
STALL = 30.0
"""Seconds without anything new after which no further try is begun."""
BEAT = 0.2
"""Seconds between two signs of life in a pause."""
PAGE = 2**20
"""Bytes. What ends below this, and did not say how long it would be, may be a page in place of the file."""


def bring(file: HubFile) -> Iterator[int]:
    """Bring `file` into the hub's cache unless it is there, behind what is there of it, and check it.

    Yields how many bytes have come: 0 as a sign of life, fewer where some were bad.

    Raises:
        NotTheFile, HTTP_ERROR: several tries in a row have brought nothing new; what had come is kept.
        DownloadFailed: the content is not what the hub announced; it is not kept.
    """
    if not file.there:
        file.blob.parent.mkdir(parents=True, exist_ok=True)
        lock = hub_cache() / ".locks" / file.folder.name / f"{file.key}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock):  # another program that downloads the same file is waited for
            if not file.there:
                yield from _carry(file)
                file.unfinished.replace(file.blob)
    _show(file)
    main = file.folder / "refs" / "main"
    main.parent.mkdir(exist_ok=True)
    main.write_text(file.commit)


def _show(file: HubFile) -> None:
    """Let the file's place in its snapshot lead to its content; on a disk without links, put the content there."""
    if not file.blob.exists() or (file.place.exists() and file.place.samefile(file.blob)):
        return
    file.place.parent.mkdir(parents=True, exist_ok=True)
    link = file.place.with_name(f".{file.key[:16]}.link")
    link.unlink(missing_ok=True)
    try:
        link.symlink_to(os.path.relpath(file.blob, file.place.parent))
    except OSError:  # Windows without its developer mode, exFAT, some shares
        file.blob.replace(file.place)
    else:
        link.replace(file.place)


def _carry(file: HubFile) -> Iterator[int]:
    """Fill the unfinished file and check it. What an earlier download left in it may be bad: then once more, anew."""
    with file.unfinished.open("ab") as out:
        left = out.tell()
        yield from _fill(file, out)
        sound = _sound(file)
        if not sound and left:
            yield from _cut(out, 0)
            yield from _fill(file, out)
            sound = _sound(file)
    if not sound:
        file.unfinished.unlink()
        seen = f"{file.name} of {file.repository} has come damaged"
        raise DownloadFailed(seen, "the content that the hub announced", "fetch it again")


def _fill(file: HubFile, out: BinaryIO) -> Iterator[int]:
    """Go on until the whole file is there, through any number of interruptions that each bring something new."""
    fruitless, since = 0, time.monotonic()
    while (reached := out.tell()) < file.size:
        trouble: Exception = NotTheFile("the answers bring nothing new")
        try:
            yield from _stream(file, out)
        except (NotTheFile, HTTP_ERROR) as error:
            trouble = error
        else:
            if out.tell() > reached:
                fruitless, since = 0, time.monotonic()
                continue
        if out.tell() > reached:
            fruitless, since = 0, time.monotonic()
        fruitless += 1
        pause = max(PAUSE * 2 ** (fruitless - 1), getattr(trouble, "wait", 0.0))
        late = time.monotonic() + pause - since > STALL
        if not _passing(trouble) or fruitless == TRIES or late:
            raise trouble
        if out.tell() < file.size:
            yield from _rest(pause)


def _passing(trouble: Exception) -> bool:
    """Whether another try can end otherwise: a broken line may be mended, a refusal with a reason stands."""
    if isinstance(trouble, NotTheFile):
        return trouble.passing
    return getattr(trouble, "response", None) is None and type(trouble).__name__ not in (
        "TooManyRedirects",
        "UnsupportedProtocol",
    )


def _rest(seconds: float) -> Iterator[int]:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        yield 0
        time.sleep(min(BEAT, left))


def _stream(file: HubFile, out: BinaryIO) -> Iterator[int]:
    """Append to `out` what one answer has behind it, and yield the size of each piece."""
    start = out.tell()
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    patience = constants.HF_HUB_DOWNLOAD_TIMEOUT
    with get_session().stream("GET", file.url, headers=headers, follow_redirects=True, timeout=patience) as response:
        place = first_byte(response, start, file.size)
        for piece in response.iter_bytes():  # as it comes: what is gathered first is lost with the line
            new = piece[max(0, out.tell() - place) :]  # an answer may begin at the file's first byte all the same
            place += len(piece)
            if place > file.size:
                yield from _cut(out, start)
                raise NotTheFile(f"{response.url.host} sends more than the file's {file.size} bytes")
            out.write(new)
            out.flush()
            yield len(new)
        if place < file.size and announced_length(response) is None and out.tell() - start < PAGE:
            yield from _cut(out, start)
            raise NotTheFile(f"{response.url.host} ended its answer after {place} of {file.size} bytes")


def _cut(out: BinaryIO, place: int) -> Iterator[int]:
    """Throw away what stands behind `place`."""
    gone = out.tell() - place
    out.truncate(place)
    out.seek(place)
    yield -gone


def _sound(file: HubFile) -> bool:
    """Whether what has come has the size and the hash that the hub names."""
    size = file.unfinished.stat().st_size
    if size != file.size or (file.sha256 is None and file.git_sha1 is None):
        return size == file.size
    with file.unfinished.open("rb") as held:
        if file.sha256 is not None:
            return hashlib.file_digest(held, "sha256").hexdigest() == file.sha256
        git = hashlib.sha1(f"blob {size}\0".encode())
        git.update(held.read())  # small, or the hub would name the other hash
        return git.hexdigest() == file.git_sha1
