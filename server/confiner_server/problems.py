# SPDX-License-Identifier: GPL-3.0-or-later
"""The library's errors as the protocol says them: one table, total over the library's tree (a test walks it)."""

from __future__ import annotations

import errno

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
