# SPDX-License-Identifier: GPL-3.0-or-later
"""The library's errors.

    ConfinerError
    ├── RequestError        a clip that cannot be made as it was asked for
    │   └── StructureError      structure frames that do not fit the clip
    ├── ChainError          a chain of experts that cannot be used
    │   ├── UnknownChain        no chain of that name
    │   ├── ChainFileError      a chain file with a mistake in it
    │   ├── WeightsMissing      files of the chain that are not on this machine
    │   ├── WeightsDamaged      files that are here and hold no weights, or not all of them
    │   ├── LicenceNotAccepted  weights whose terms nobody has accepted yet
    │   ├── NoSpace             a disk that cannot hold the weights
    │   ├── DownloadFailed      weights that the hub did not give
    │   └── ScheduleError       a noise schedule that contradicts what is asked of it
    ├── OutOfMemory         memory that did not suffice
    ├── NotFinite           a network that gave not-a-number or infinite values
    ├── StateError          a checkpoint that does not belong to this request and plan
    └── DeviceMissing       a device that this machine does not have

Each carries what was seen, what was expected, and what a person can do about it.
"""

from __future__ import annotations


class ConfinerError(Exception):
    """Base of everything the library refuses. The text reads "seen; expected …", the remedy stands apart."""

    code = "confiner"

    def __init__(self, seen: str, expected: str, remedy: str) -> None:
        super().__init__(seen, expected, remedy)
        self.seen = seen
        self.expected = expected
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.seen}; expected {self.expected}"


class RequestError(ConfinerError):
    code = "request"


class StructureError(RequestError):
    code = "structure"


class ChainError(ConfinerError):
    code = "chain"


class UnknownChain(ChainError):
    code = "unknown-chain"


class ChainFileError(ChainError):
    code = "chain-file"


class WeightsMissing(ChainError):
    code = "weights-missing"


class WeightsDamaged(ChainError):
    code = "weights-damaged"


class LicenceNotAccepted(ChainError):
    code = "licence"


class NoSpace(ChainError):
    code = "no-space"


class DownloadFailed(ChainError):
    code = "download"


class ScheduleError(ChainError):
    code = "schedule"


class OutOfMemory(ConfinerError):
    code = "out-of-memory"


class NotFinite(ConfinerError):
    code = "not-finite"


class StateError(ConfinerError):
    code = "state"


class DeviceMissing(ConfinerError):
    code = "device"
