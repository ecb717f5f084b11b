# SPDX-License-Identifier: GPL-3.0-or-later
"""The library's errors as the protocol says them: one table, total over the library's tree (a test walks it)."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

from confiner.errors import (
    ChainError,
    ChainFileError,
    ConfinerError,
    DeviceMissing,
    DownloadFailed,
    LicenceNotAccepted,
    NoSpace,
    NotFinite,
    OutOfMemory,
    RequestError,
    ScheduleError,
    StateError,
    StructureError,
    UnknownChain,
    WeightsDamaged,
    WeightsMissing,
)

from confiner_blender.protocol.errors import InvalidRequest, ProtocolError
from confiner_blender.protocol.messages import Problem

CODES: dict[type[ConfinerError], str] = {
    ConfinerError: "library",
    RequestError: InvalidRequest.code,
    StructureError: "structure",
    ChainError: "chain",
    UnknownChain: "unknown-chain",
    ChainFileError: "chain-file",
    WeightsMissing: "weights-missing",
    WeightsDamaged: "weights-damaged",
    LicenceNotAccepted: "licence",
    NoSpace: "no-space",
    DownloadFailed: "download",
    ScheduleError: "schedule",
    OutOfMemory: "out-of-memory",
    NotFinite: "not-finite",
    StateError: "state",
    DeviceMissing: "device",
}


class NotReproducible(ProtocolError):
    """A frame that clients have, or may have, came out differently when it was made again."""

    code = "not-reproducible"
    remedy = "generate the shot again as a new take"

    def __init__(self, frame: int) -> None:
        super().__init__(f"frame {frame} came out differently after an interruption, expected the same bytes")


class FramesLost(ProtocolError):
    """Frames that were written, made again, and are not on the disk all the same."""

    code = "frames-lost"
    remedy = "see to the disk that holds the sidecar's data, and that nothing else clears it; then generate again"

    def __init__(self, frames: Sequence[int], folder: Path) -> None:
        named = ", ".join(str(frame) for frame in frames[:5]) + (", …" if len(frames) > 5 else "")
        super().__init__(f"frames {named} do not stay whole in {folder}, though they were made again")


INTERNAL = "internal"
SEE_LOG = "try again; if it happens again, report it with the sidecar's log"


def problem_for(error: Exception) -> Problem:
    """What a person is told about `error`. Whoever catches it logs its traceback."""
    if isinstance(error, ProtocolError):
        return error.problem()
    if isinstance(error, ConfinerError):
        return Problem(CODES[type(error)], str(error), error.remedy)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = "free some space on the disk that holds the sidecar's data, then generate the shot again"
        return Problem("disk-full", f"no space left on the disk ({error.filename or 'the job’s folder'})", remedy)
    return Problem(INTERNAL, f"{type(error).__name__}: {error}; expected none of this", SEE_LOG)
