# SPDX-License-Identifier: GPL-3.0-or-later
"""Download what a chain lacks into the hub's own cache: `for progress in download(spec, …)`.

To cancel is to stop pulling; what is there by then is kept, and the next download goes on behind it.
"""

from __future__ import annotations

import errno
import shutil
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from huggingface_hub.utils import disable_progress_bars

from ..chains import ChainSpec
from ..chains.weight_source import hub_cache
from ..errors import DownloadFailed, NoSpace
from ..memory.units import gigabytes
from .files import HubFile, missing_files
from .refusals import hub_errors
from .transfer import bring

SPARE_DISK = 512 * 2**20
BEAT = 0.2
"""Seconds between two reports."""
SPEED_SPAN = 10.0
"""Seconds over which the speed is taken."""


@dataclass(frozen=True)
class Progress:
    """Where a download stands: bytes of `total` that are here, bytes a second, seconds left (None if unknown)."""

    file: str
    received: int
    total: int
    speed: float
    eta: float | None


def download(
    spec: ChainSpec,
    *,
    accepted: Collection[str] = (),
    named: Collection[str] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Progress]:
    """Download the files that `spec` lacks, and turn pickled ones that are `named` into safetensors.

    `accepted` are the repositories whose licence a person has accepted. Yields at once and then as it goes, last when
    everything is here.

    Raises:
        NoSpace: the disk of the hub's cache cannot hold it.
        LicenceNotAccepted, WeightsMissing, DownloadFailed: as `hub.missing_files` does.
    """
    disable_progress_bars()
    files = missing_files(spec, accepted=accepted, named=named)
    total = sum(file.size for file in files)
    received = total - sum(file.remaining for file in files)
    check_space(spec, files)
    meter = _Meter(clock, received)
    name = ""
    yield Progress(name, received, total, 0.0, None)
    for file in files:
        name = file.name
        with _disk_errors(spec, file), hub_errors(spec, file.part):
            for count in bring(file):
                received += count
                if (speed := meter.speed(received)) is not None:
                    yield Progress(name, received, total, speed, (total - received) / speed if speed > 0 else None)
        if file.pickled:
            yield Progress(f"{name}, being turned into safetensors", received, total, 0.0, None)
            _convert(file)
    yield Progress(name, total, total, 0.0, 0.0)


def check_space(spec: ChainSpec, files: list[HubFile]) -> None:
    """Raise NoSpace unless the disk of the hub's cache can hold what is missing of `files`."""
    needed = sum(file.remaining + (file.size if file.pickled else 0) for file in files)
    cache = hub_cache()
    there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if files and free < needed + SPARE_DISK:
        raise _no_space(spec, files[0], f"{gigabytes(free)} free in {cache}", needed + SPARE_DISK)


def _no_space(spec: ChainSpec, file: HubFile, seen: str, needed: int) -> NoSpace:
    return NoSpace(
        f"{spec.where(*file.part.path)}: {seen}",
        f"{gigabytes(needed)} for the weights of {spec.name}",
        "free some space there, or let HF_HOME name a folder on a larger disk",
    )


@contextmanager
def _disk_errors(spec: ChainSpec, file: HubFile) -> Iterator[None]:
    """A disk that fills up or refuses, as an error with the line of the chain file."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_space(spec, file, f"the disk of {hub_cache()} is full", file.remaining) from error
        raise DownloadFailed(
            f"{spec.where(*file.part.path)}: {hub_cache()} cannot be written ({error.strerror or error})",
            "a folder that can",
            "change its rights, or let HF_HOME name another folder",
        ) from error


class _Meter:
    """Bytes a second over the last seconds, told once a beat."""

    def __init__(self, clock: Callable[[], float], received: int) -> None:
        self._clock = clock
        self._past = deque([(clock(), received)])

    def speed(self, received: int) -> float | None:
        """The speed, or None if it was told a moment ago."""
        now = self._clock()
        if now - self._past[-1][0] < BEAT:
            return None
        self._past.append((now, received))
        while len(self._past) > 2 and now - self._past[0][0] > SPEED_SPAN:
            self._past.popleft()
        since, then = self._past[0]
        return (received - then) / (now - since)


def _convert(file: HubFile) -> None:
    from ..loading.pickled import convert

    path = file.part.place.pickled()
    if path is not None:
        convert(path)
