# SPDX-License-Identifier: GPL-3.0-or-later
"""Every control message between the add-on and the sidecar: one frozen dataclass each.

    client → sidecar   Hello · Submit · Cancel · Attach · Forget · ListJobs · ListChains · GetStatus · Unload · Shutdown
    sidecar → client   Welcome · Accepted · Refused · Jobs · Chains · Status
    events of a job    Queued · Started · Stepped · PreviewReady · FrameDone · Finished · Failed · Cancelled · Paused
    weights            ListWeights · FetchWeights · StopFetching → Weights · FetchState (in a file of their own)

Messages travel as JSON text (`codec`); images travel as binary messages (`framing`) that name the
event they belong to. A job's id is chosen by the client, so that submitting twice makes one job.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .problem import Problem as Problem
from .weights import FetchState, FetchWeights, ListWeights, StopFetching, Weights


@dataclass(frozen=True)
class StructureInfo:
    """What the structure frames of a shot will look like, sent before the frames themselves."""

    num_frames: int
    width: int
    height: int


@dataclass(frozen=True)
class Stretch:
    """From the clip's frame `start` on, counted from 0, `prompt` holds."""

    start: int
    prompt: str


@dataclass(frozen=True)
class ShotRequest:
    """One shot to generate. Lengths are frames of the clip at `fps`, sizes pixels; None means the chain's default.

    `prompt` is what the shot begins with, `stretches` what follows; one gives way to the next in `crossover` frames.
    """

    prompt: str
    num_frames: int
    width: int
    height: int
    seed: int
    chain: str
    fps: float
    negative_prompt: str = ""
    rule: str = "coordinated"
    freedom: int | None = None
    control_steps: int | None = None
    refine_steps: int | None = None
    stretches: list[Stretch] = field(default_factory=list)
    crossover: int = 16
    structure: StructureInfo | None = None


# --- client → sidecar ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hello:
    """First message of a connection. `protocol` is the client's protocol version."""

    protocol: int
    token: str
    client: str


@dataclass(frozen=True)
class Submit:
    """Ask for a job. If `request.structure` is set, its frames follow as binary messages, PNG each.

    Asked for again, it is the same job: one that was paused, cancelled or has failed goes on from its checkpoint.
    """

    job_id: str
    request: ShotRequest


@dataclass(frozen=True)
class Cancel:
    """Stop the job. Its finished frames stay, and it can be asked for again."""

    job_id: str


@dataclass(frozen=True)
class Attach:
    """Send the job's events with a number greater than `after`, then its new ones as they come. A paused job goes on.

    Steps and previews that have passed are not sent again, so numbers may have gaps; they always grow.
    """

    job_id: str
    after: int


@dataclass(frozen=True)
class Forget:
    """The client holds all it wants of an ended job: its files may go, and it cannot go on any more."""

    job_id: str


@dataclass(frozen=True)
class ListJobs:
    """Ask for Jobs."""


@dataclass(frozen=True)
class ListChains:
    """Ask for Chains."""


@dataclass(frozen=True)
class GetStatus:
    """Ask for Status."""


@dataclass(frozen=True)
class Unload:
    """Release the experts' memory once no job is running."""


@dataclass(frozen=True)
class Shutdown:
    """Checkpoint, keep the queue, and end."""


# --- sidecar → client ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Welcome:
    """The answer to Hello. `server` is the sidecar and its version, `device` what the experts run on."""

    protocol: int
    server: str
    device: str


@dataclass(frozen=True)
class Accepted:
    """The answer to Submit: the job exists, and its events follow."""

    job_id: str


@dataclass(frozen=True)
class Refused:
    """The last message was refused; `job_id` is None where it concerned no job. A refused Hello ends the connection."""

    problem: Problem
    job_id: str | None = None


@dataclass(frozen=True)
class JobInfo:
    """`state` is one of receiving, queued, running, cancelling, paused, finished, failed, cancelled."""

    job_id: str
    state: str
    last_event: int
    frames_done: int
    request: ShotRequest


@dataclass(frozen=True)
class Jobs:
    """Every job that has not been forgotten."""

    jobs: list[JobInfo]


@dataclass(frozen=True)
class ChainInfo:
    """A chain as the panel lists it. `missing` says why it cannot run here, and is empty if it can."""

    name: str
    title: str
    description: str
    licence: str
    sizes: list[list[int]]
    fps: float
    max_frames: int
    negative_prompt: bool
    default_freedom: int
    default_structure_freedom: int
    words: list[str] = field(default_factory=list)
    missing: str = ""


@dataclass(frozen=True)
class RuleInfo:
    """A refinement rule as a menu shows it.

    `number` stands for the rule where a file keeps a choice as a number; a rule's number never changes.
    """

    name: str
    label: str
    description: str
    number: int


@dataclass(frozen=True)
class Chains:
    """The expert chains, and the rules by which any of them refines, in the order of a menu."""

    chains: list[ChainInfo]
    rules: list[RuleInfo] = field(default_factory=list)


@dataclass(frozen=True)
class Status:
    """`memory` maps names ("resident", "weights", "free") to bytes."""

    device: str
    worker: str
    queued: int
    running: str | None
    memory: dict[str, int]


@dataclass(frozen=True)
class Queued:
    """`position` is how many jobs are ahead of it. Said again when that changes, and when a paused job goes on."""

    job_id: str
    number: int
    position: int


@dataclass(frozen=True)
class Started:
    """The worker has the job. `plan` is what fixes the floats: device, dtype, batch sizes, threads.

    `take` is the record of the take as far as it is known: everything but its frames.
    """

    job_id: str
    number: int
    plan: dict[str, Any]
    take: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stepped:
    """One step of `stage` ("load", "control", "refine", "decode") is done. `eta` is in seconds, None if unknown.

    The step worked on `frames` frames of the clip from `start` on: on segments of `segment_frames` frames in the
    control stage, on one window in refinement. `done` is the part of all model evaluations that is done, 0 to 1.
    """

    job_id: str
    number: int
    stage: str
    step: int
    steps: int
    eta: float | None = None
    start: int = 0
    frames: int = 0
    segment_frames: int = 0
    done: float = 0.0


@dataclass(frozen=True)
class PreviewReady:
    """A small picture of the clip as it stands (PNG, in a binary message of the same number that follows)."""

    job_id: str
    number: int
    frame: int


@dataclass(frozen=True)
class FrameDone:
    """Frame `frame`, counted from 0, is final (PNG, in binary messages of the same number that follow).

    `sha256` is of the file, `pixels` of the pixels in it, as in the record of a take.
    """

    job_id: str
    number: int
    frame: int
    sha256: str
    pixels: str = ""


@dataclass(frozen=True)
class Finished:
    """Every frame was sent. `take` is the record that lets the take be verified and made again."""

    job_id: str
    number: int
    take: dict[str, Any]


@dataclass(frozen=True)
class Failed:
    """The job has ended without its last frame. `take` is the record of the part that is finished, {} if none is."""

    job_id: str
    number: int
    problem: Problem
    take: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cancelled:
    """The job was stopped for good, unless it is asked for again. `take` is as in Failed."""

    job_id: str
    number: int
    take: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Paused:
    """The job was stopped in the middle with its checkpoint kept.

    It goes on by itself if only the worker was lost, else when a client attaches to it.
    """

    job_id: str
    number: int
    reason: str


JobEvent = Queued | Started | Stepped | PreviewReady | FrameDone | Finished | Failed | Cancelled | Paused
WeightsMessage = ListWeights | FetchWeights | StopFetching
ClientMessage = (
    Hello | Submit | Cancel | Attach | Forget | ListJobs | ListChains | GetStatus | Unload | Shutdown | WeightsMessage
)
ServerMessage = Welcome | Accepted | Refused | Jobs | Chains | Status | Weights | FetchState | JobEvent
