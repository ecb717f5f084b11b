# SPDX-License-Identifier: GPL-3.0-or-later
"""What to say to the sidecar and what to make of its answers. Decides everything, does no I/O, knows no thread.

Each method takes something that happened and returns the actions that follow. The conversation outlives connections:
`lost()` ends one, `greet()` begins the next, and every job is taken up after the last event whose frame is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ...protocol.errors import MalformedMessage, VersionMismatch
from ...protocol.framing import Image, ImageKind
from ...protocol.messages import (
    Accepted,
    Attach,
    Cancel,
    Cancelled,
    ClientMessage,
    Failed,
    Finished,
    Forget,
    FrameDone,
    Hello,
    JobEvent,
    Problem,
    Refused,
    ServerMessage,
    ShotRequest,
    Shutdown,
    Submit,
    Welcome,
)
from ...protocol.version import PROTOCOL_VERSION
from ..errors import ClientError, Hop
from .actions import (
    Action,
    ClearPreview,
    Deliver,
    Send,
    SendStructure,
    StoreFrame,
    StorePart,
    StorePreview,
    StoreTake,
)
from .inbox import EventArrived, FrameStored, MessageArrived, PreviewStored, StoringFailed, TakeStored

REWINDS = 2
"""How often frames of one job that arrived damaged, or did not arrive, are asked for again."""


@dataclass
class Job:
    """A job that this client follows.

    The sidecar sends a job's events in the order of their numbers, each followed by its picture. `cursor` is the
    number up to which they were taken in, `announced` the highest one handed on; the two differ after a rewind, when
    events come again whose pictures were damaged or are gone. `rewound` is set until the first of them is here.
    `awaiting` holds the frames announced but not stored, by number, `stored` the numbers of the others. `submitted` is
    whether the sidecar may know of the job, `heard` whether it spoke of it on this connection.
    """

    folder: Path
    request: ShotRequest | None = None
    structure: tuple[bytes, ...] = ()
    cursor: int = 0
    announced: int = 0
    rewound: bool = False
    submitted: bool = False
    heard: bool = False
    rewinds: int = 0
    stored: set[int] = field(default_factory=set)
    awaiting: dict[int, FrameDone] = field(default_factory=dict)

    def after(self) -> int:
        """The number after which events are still of use."""
        return min([self.cursor, *(number - 1 for number in self.awaiting)])

    def start_over(self) -> None:
        """The sidecar makes the job anew: its events are numbered from 1 again."""
        self.cursor = self.announced = 0
        self.stored.clear()
        self.awaiting.clear()


class Conversation:
    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.ready = False
        self.shutting_down = False
        self._later: list[ClientMessage] = []
        self._forgotten: set[str] = set()

    # --- what the main thread wants

    def submit(self, job_id: str, request: ShotRequest, structure: tuple[bytes, ...], folder: Path) -> list[Action]:
        """Ask for a job: a new one, or one that was cut short, to go on."""
        self.jobs[job_id] = Job(folder, request, structure)
        self._later = [message for message in self._later if message not in (Cancel(job_id), Forget(job_id))]
        self._forgotten.discard(job_id)
        return self._submit(job_id) if self.ready else []

    def track(self, job_id: str, after: int, folder: Path) -> list[Action]:
        """Follow a job of an earlier session, or give one that is followed already another folder."""
        if job := self.jobs.get(job_id):
            job.folder = folder
            return []
        self.jobs[job_id] = Job(folder, cursor=after, announced=after, submitted=True)
        return [Send(Attach(job_id, after))] if self.ready else []

    def cancel(self, job_id: str) -> list[Action]:
        """Cancel a job; one that no sidecar has heard of is cancelled here and now, as event 0."""
        job = self.jobs.get(job_id)
        if job is None or job.submitted:
            return self.say(Cancel(job_id))
        self._let_go(job_id)
        return [Deliver(EventArrived(Cancelled(job_id, 0)))]

    def say(self, message: ClientMessage) -> list[Action]:
        """Send a message now, or as soon as a sidecar listens; said twice in between counts once."""
        self.shutting_down = self.shutting_down or isinstance(message, Shutdown)
        if self.ready:
            return [Send(message)]
        if message not in self._later and not isinstance(message, Shutdown):
            self._later.append(message)
        return []

    # --- the connection

    def greet(self, token: str, client: str) -> list[Action]:
        return [Send(Hello(PROTOCOL_VERSION, token, client))]

    def lost(self) -> None:
        self.ready = False
        for job in self.jobs.values():
            job.heard = job.rewound = False

    def received(self, message: ServerMessage) -> list[Action]:
        """What follows from a control message or an event.

        Raises:
            ClientError: the sidecar does not take this client.
            MalformedMessage: it is no message that a sidecar sends, or not now.
        """
        if not self.ready:
            return self._answered(message)
        if isinstance(message, Accepted):
            if job := self.jobs.get(message.job_id):
                job.heard = True
            return [Deliver(MessageArrived(message))]
        if isinstance(message, Refused):
            return self._refused(message)
        if isinstance(message, JobEvent):
            return self._happened(message)
        if isinstance(message, ServerMessage):
            return [Deliver(MessageArrived(message))]
        raise MalformedMessage(f"a {type(message).__name__} from the sidecar, which only clients send")

    def pictured(self, image: Image) -> list[Action]:
        """What follows from an image. One that no event announced, or that is stored already, is let go."""
        job = self.jobs.get(image.job_id)
        if job is None:
            return []
        if image.kind is ImageKind.PREVIEW:
            return [StorePreview(image.job_id, job.folder, image.data)]
        if image.kind is ImageKind.FRAME and image.number in job.awaiting:
            return [StoreFrame(job.folder, job.awaiting[image.number], image.data)]
        return []

    # --- what became of storing

    def frame_stored(self, event: FrameDone, path: Path) -> list[Action]:
        job = self.jobs[event.job_id]
        del job.awaiting[event.number]
        job.stored.add(event.number)
        return [Deliver(FrameStored(event.job_id, event.number, event.frame, path))]

    def preview_stored(self, job_id: str, path: Path) -> list[Action]:
        return [Deliver(PreviewStored(job_id, path))]

    def take_stored(self, job_id: str, path: Path) -> list[Action]:
        self._let_go(job_id)
        self._forgotten.add(job_id)
        return [Deliver(TakeStored(job_id, path)), *self.say(Forget(job_id))]

    def part_stored(self, event: Cancelled | Failed) -> list[Action]:
        self._let_go(event.job_id)
        return [Deliver(EventArrived(event))]

    def frame_damaged(self, event: FrameDone, problem: Problem) -> list[Action]:
        """A frame arrived damaged: it is asked for again, a few times."""
        return self._rewind(event.job_id, event.number - 1, problem)

    def frames_missing(self, job_id: str, problem: Problem) -> list[Action]:
        """The job is finished and frames do not lie in its folder: all are asked for again, a few times."""
        self.jobs[job_id].stored.clear()
        return self._rewind(job_id, 0, problem)

    def landing_failed(self, job_id: str, problem: Problem) -> list[Action]:
        """Nothing more can be stored: the sidecar keeps the job until somebody tracks it again."""
        self._let_go(job_id)
        return [Deliver(StoringFailed(job_id, problem))]

    # --- decisions

    def _answered(self, message: ServerMessage) -> list[Action]:
        if isinstance(message, Refused):
            raise ClientError(Hop.HANDSHAKE, message.problem)
        if not isinstance(message, Welcome):
            raise MalformedMessage(f"a {type(message).__name__} in answer to Hello, expected Welcome or Refused")
        if message.protocol != PROTOCOL_VERSION:
            seen = f"the sidecar speaks protocol {message.protocol}, the add-on {PROTOCOL_VERSION}"
            raise ClientError(Hop.HANDSHAKE, VersionMismatch(seen).problem())
        self.ready = True
        actions: list[Action] = [Deliver(MessageArrived(message))]
        for job_id, job in self.jobs.items():
            # A submission that no event has answered may have been cut short; made twice it is still one job.
            anew = job.request is not None and job.announced == 0
            actions += self._submit(job_id) if anew else [Send(Attach(job_id, job.after()))]
        later, self._later = self._later, []
        for held in later:
            actions += self.say(held)
        return actions

    def _submit(self, job_id: str) -> list[Action]:
        job = self.jobs[job_id]
        assert job.request is not None
        job.submitted = True
        structure: list[Action] = [SendStructure(job_id, job.structure)] if job.structure else []
        return [Send(Submit(job_id, job.request)), *structure]

    def _refused(self, message: Refused) -> list[Action]:
        delivered: list[Action] = [Deliver(MessageArrived(message))]
        job = self.jobs.get(message.job_id or "")
        if message.job_id is None or job is None:
            return [] if message.job_id in self._forgotten else delivered
        if job.announced and job.heard:
            return delivered
        if job.announced and job.request is not None and job.request.structure is None:
            # The sidecar does not know a job that it had begun: its records are gone. We still know what to ask for.
            job.start_over()
            return self._submit(message.job_id)
        self._let_go(message.job_id)
        return delivered

    def _happened(self, event: JobEvent) -> list[Action]:
        job = self.jobs.get(event.job_id)
        if job is None:
            return []
        job.heard = True
        job.structure = ()  # the sidecar has it whole, or the job would have no events
        news = event.number > job.announced
        if not news:
            job.rewound = False
        job.announced = max(job.announced, event.number)
        if isinstance(event, Failed | Cancelled):
            return self._cut_short(job, event)
        actions: list[Action] = [Deliver(EventArrived(event))] if news else []
        if isinstance(event, FrameDone) and event.number not in job.stored:
            job.awaiting[event.number] = event
        if not job.rewound:  # else it was on its way before the sidecar heard of the rewind, and will come again
            job.cursor = event.number
            actions += self._finished(job, event) if isinstance(event, Finished) else []
        return actions

    def _cut_short(self, job: Job, event: Failed | Cancelled) -> list[Action]:
        if event.take:
            return [StorePart(job.folder, event)]
        self._let_go(event.job_id)
        return [ClearPreview(job.folder), Deliver(EventArrived(event))]

    def _finished(self, job: Job, event: Finished) -> list[Action]:
        if job.awaiting:
            message = f"{len(job.awaiting)} frames were announced and did not arrive"
            remedy = "resume the shot; if that does not help, generate it again"
            return self._rewind(event.job_id, job.after(), Problem("missing-frames", message, remedy))
        return [StoreTake(job.folder, event, _promised_frames(job, event))]

    def _rewind(self, job_id: str, after: int, problem: Problem) -> list[Action]:
        job = self.jobs[job_id]
        if job.rewinds >= REWINDS:
            return self.landing_failed(job_id, problem)
        job.rewinds += 1
        job.rewound, job.cursor = True, after
        return [Send(Attach(job_id, after))]

    def _let_go(self, job_id: str) -> None:
        del self.jobs[job_id]


def _promised_frames(job: Job, event: Finished) -> int | None:
    """How many frames the take has: as was asked for here, or as its record says; None if neither is known."""
    if job.request is not None:
        return job.request.num_frames
    settings = event.take.get("request")
    count = settings.get("num_frames") if isinstance(settings, dict) else None
    return count if isinstance(count, int) else None
