# SPDX-License-Identifier: GPL-3.0-or-later
"""What a conversation asks its session to do: one frozen dataclass per kind of action."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...protocol.messages import Cancelled, ClientMessage, Failed, Finished, FrameDone
from . import inbox


@dataclass(frozen=True)
class Send:
    message: ClientMessage


@dataclass(frozen=True)
class SendStructure:
    """Send a job's structure frames, encoded PNG, in order."""

    job_id: str
    pngs: tuple[bytes, ...]


@dataclass(frozen=True)
class Deliver:
    """Hand a message to the main thread."""

    message: inbox.Message


@dataclass(frozen=True)
class StoreFrame:
    folder: Path
    event: FrameDone
    png: bytes


@dataclass(frozen=True)
class StorePreview:
    job_id: str
    folder: Path
    png: bytes


@dataclass(frozen=True)
class StoreTake:
    """Store the record of a take. `num_frames` is how many frames must lie there, None if that is not known here."""

    folder: Path
    event: Finished
    num_frames: int | None


@dataclass(frozen=True)
class StorePart:
    """Store the record of the frames that a job has finished which was cancelled or has failed."""

    folder: Path
    event: Cancelled | Failed


@dataclass(frozen=True)
class ClearPreview:
    """The job has ended without a frame: what only served while it was made may go."""

    folder: Path


Storing = StoreFrame | StorePreview | StoreTake | StorePart | ClearPreview
Action = Send | SendStructure | Deliver | Storing
