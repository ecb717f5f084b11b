# SPDX-License-Identifier: GPL-3.0-or-later
"""What to say to the sidecar and what to make of its answers. Decides everything, does no I/O, knows no thread.

Each method takes something that happened and returns the actions that follow. The conversation outlives connections:
`lost()` ends one, `greet()` begins the next, and every job is taken up after the last event whose frame is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..protocol.errors import MalformedMessage, VersionMismatch
from ..protocol.framing import Image, ImageKind
from ..protocol.messages import (
    Accepted,
    Attach,
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
from ..protocol.version import PROTOCOL_VERSION
from .actions import Action, Deliver, Send, SendStructure, StoreFrame, StorePreview, StoreTake
from .errors import ClientError, Hop
from .inbox import EventArrived, FrameStored, LandingFailed, MessageArrived, PreviewStored, TakeStored

SECOND_TRIES = 2
"""How often the frames of one job that arrived damaged, or are missing at the end, are asked for again."""


@dataclass
class Job:
    """A job that this client follows.

    `announced` is the highest event number handed on, `stored` the numbers of frames that lie in `folder`, `awaiting`
    the announced frames that do not yet. `heard` is whether the sidecar spoke of the job on this connection.
    """

    folder: Path
    request: ShotRequest | None = None
    structure: tuple[bytes, ...] = ()
    heard: bool = False
    submissions: int = 0
    announced: int = 0
    stored: set[int] = field(default_factory=set)
    awaiting: dict[int, FrameDone] = field(default_factory=dict)
    finished: Finished | None = None
    second_tries: int = 0

    def after(self) -> int:
        """The number after which events are still of use."""
        return min(self.awaiting) - 1 if self.awaiting else self.announced

    def unheard_of(self) -> bool:
        """Whether the sidecar may not have it whole: then it is submitted again, which makes no second job."""
        return self.request is not None and self.announced == 0

    def start_over(self) -> None:
        """The sidecar makes the job anew: its events are numbered from 1 again."""
        self.announced, self.finished = 0, None
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
        self.jobs[job_id] = Job(folder, request, structure)
        return self._submit(job_id) if self.ready else []

    def track(self, job_id: str, after: int, folder: Path) -> list[Action]:
        """Follow a job of an earlier session, or give one that is followed already another folder."""
        if job := self.jobs.get(job_id):
            job.folder = folder
            return []
        self.jobs[job_id] = Job(folder, announced=after)
        return [Send(Attach(job_id, after))] if self.ready else []

    def say(self, message: ClientMessage) -> list[Action]:
        """Send a message now, or as soon as a sidecar listens; said twice in between counts once."""
        if not self.ready:
            self._later += [] if message in self._later else [message]
            return []
        self.shutting_down = isinstance(message, Shutdown)
        return [Send(message)]

    # --- the connection

    def greet(self, token: str, client: str) -> list[Action]:
        return [Send(Hello(PROTOCOL_VERSION, token, client))]

    def lost(self) -> None:
        self.ready = False
        for job in self.jobs.values():
            job.heard = False

    def received(self, message: ServerMessage) -> list[Action]:
        """What follows from a control message or an event.

        Raises:
            ClientError: the sidecar does not take this client.
            MalformedMessage: it is no message that a sidecar sends, or not now.
        """
        if not self.ready:
            return self._answered(message)
        if isinstance(message, Accepted):
            return [*self._accepted(message), Deliver(MessageArrived(message))]
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
        return [Deliver(FrameStored(event.job_id, event.number, event.frame, path)), *self._complete(job)]

    def preview_stored(self, job_id: str, path: Path) -> list[Action]:
        return [Deliver(PreviewStored(job_id, path))]

    def take_stored(self, job_id: str, path: Path) -> list[Action]:
        self._let_go(job_id)
        self._forgotten.add(job_id)
        return [Deliver(TakeStored(job_id, path)), *self.say(Forget(job_id))]

    def frame_damaged(self, event: FrameDone, problem: Problem) -> list[Action]:
        """A frame arrived damaged: it is asked for again, a few times."""
        return self._again(event.job_id, event.number - 1, problem)

    def frames_missing(self, job_id: str, problem: Problem) -> list[Action]:
        """The job is finished and frames do not lie in its folder: all are asked for again, a few times."""
        job = self.jobs[job_id]
        job.finished = None
        job.stored.clear()
        return self._again(job_id, 0, problem)

    def landing_failed(self, job_id: str, problem: Problem) -> list[Action]:
        """Nothing more can be stored: the sidecar keeps the job until somebody tracks it again."""
        self._let_go(job_id)
        return [Deliver(LandingFailed(job_id, problem))]

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
            actions += self._submit(job_id) if job.unheard_of() else [Send(Attach(job_id, job.after()))]
        later, self._later = self._later, []
        for held in later:
            actions += self.say(held)
        return actions

    def _submit(self, job_id: str) -> list[Action]:
        job = self.jobs[job_id]
        assert job.request is not None
        job.submissions += 1
        structure: list[Action] = [SendStructure(job_id, job.structure)] if job.structure else []
        return [Send(Submit(job_id, job.request)), *structure]

    def _accepted(self, message: Accepted) -> list[Action]:
        job = self.jobs.get(message.job_id)
        if job is None:
            return []
        job.heard = True
        # A job submitted before may have been under way since: what it said meanwhile is still to be heard.
        return [Send(Attach(message.job_id, job.after()))] if job.submissions > 1 else []

    def _refused(self, message: Refused) -> list[Action]:
        delivered: list[Action] = [Deliver(MessageArrived(message))]
        job = self.jobs.get(message.job_id or "")
        if message.job_id is None or job is None:
            return [] if message.job_id in self._forgotten else delivered
        if job.heard:
            return delivered
        if job.request is not None and not job.unheard_of():
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
        news = event.number > job.announced
        job.announced = max(job.announced, event.number)
        actions: list[Action] = [Deliver(EventArrived(event))] if news else []
        if isinstance(event, FrameDone) and event.number not in job.stored:
            job.awaiting[event.number] = event
        elif isinstance(event, Finished):
            job.finished = event
            actions += self._complete(job)
        elif isinstance(event, Failed | Cancelled):
            self._let_go(event.job_id)
        return actions

    def _complete(self, job: Job) -> list[Action]:
        if job.finished is None or job.awaiting:
            return []
        return [StoreTake(job.folder, job.finished, job.request.num_frames if job.request else None)]

    def _again(self, job_id: str, after: int, problem: Problem) -> list[Action]:
        job = self.jobs[job_id]
        if job.second_tries >= SECOND_TRIES:
            return self.landing_failed(job_id, problem)
        job.second_tries += 1
        return [Send(Attach(job_id, after))] if self.ready else []

    def _let_go(self, job_id: str) -> None:
        del self.jobs[job_id]
