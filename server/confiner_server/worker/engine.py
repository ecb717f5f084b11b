# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs jobs through the library: the only file in which the sidecar's words meet the library's."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from confiner.chains import ChainSpec, find_chain, read_chains
from confiner.errors import ConfinerError, NotFinite, StructureError
from confiner.generation.events import FramesDone, StepDone
from confiner.generation.generate import generate
from confiner.generation.plan import Plan, resolve_plan
from confiner.generation.prepared_shot import frame_layout
from confiner.generation.request import ClipRequest
from confiner.generation.state import ShotState
from confiner.generation.take_record import frame_hash, take_record
from confiner.loading.chain import Chain
from confiner.memory.device import find_device
from confiner.memory.out_of_memory import is_out_of_memory
from confiner.method.prompt_schedule import Stretch

from confiner_blender.protocol.messages import Problem, ShotRequest
from confiner_server.jobs.job_folders import checkpoint_path, frame_path, structure_path
from confiner_server.supervision.worker_messages import (
    FromWorker,
    JobFinished,
    JobFrame,
    JobMessage,
    JobPreview,
    JobStarted,
    JobStepped,
    MemoryUsed,
    RunJob,
)

from .checkpoints import Checkpoints
from .frame_files import Frames
from .loaded_chains import Residence
from .png_frames import encode_png, read_picture
from .time_left import Pace


class LibraryEngine:
    """Runs jobs with what is loaded (`Residence`), and learns how fast that is."""

    def __init__(self, device: str, chains: Path | None) -> None:
        place = find_device(device)
        self.device = str(place)
        self._user_file = chains
        self._residence = Residence(place)
        self._pace = Pace()

    def run(self, job: RunJob) -> Generator[tuple[FromWorker, bytes], None, None]:
        """Load, go on from the checkpoint if there is one, generate; frames are whole on disk before they are told."""
        folder = Path(job.folder)
        yield JobStepped(job.job_id, "load", 0, 1, None), b""
        chain = self._residence.load(self._spec(job.request.chain), job.plan)
        yield JobStepped(job.job_id, "load", 1, 1, None), b""
        request = clip_request(job.request, folder)
        plan = resolve_plan(request, chain) if job.plan is None else Plan.from_json(job.plan)
        yield JobStarted(job.job_id, plan.to_json(), take_record(request, chain, plan)), b""
        yield MemoryUsed(self._residence.memory_in_use()), b""
        frames = Frames(job)
        checkpoints = Checkpoints(checkpoint_path(folder), request, plan)
        try:
            yield from self._generate(Making(job.job_id, folder, request, chain, plan, frames), checkpoints)
        except (GeneratorExit, ConfinerError):  # stopped: it may be asked to go on from here
            checkpoints.save()
            raise
        hashes = [frame_hash(read_picture(frame_path(folder, frame))) for frame in range(request.num_frames)]
        yield MemoryUsed(self._residence.memory_in_use()), b""
        yield JobFinished(job.job_id, take_record(request, chain, plan, hashes)), b""

    def advice(self, error: Exception, request: ShotRequest) -> Problem | None:
        if isinstance(error, NotFinite):
            return self._residence.overflowed(error, self._spec(request.chain))
        if is_out_of_memory(error):
            return self._residence.exhausted(request, self._spec(request.chain))
        return None

    def _spec(self, name: str) -> ChainSpec:
        return find_chain(read_chains(self._user_file), name)

    def _generate(self, making: Making, checkpoints: Checkpoints) -> Iterator[tuple[JobMessage, bytes]]:
        """Go on from the checkpoint; frames before it, or made meanwhile, that are not whole any more are made again.

        Raises:
            FramesLost: they do not stay.
        """
        frames, state = making.frames, checkpoints.load()
        for frame in frames.untold(before=making.delivered(state)):
            yield _told(making.job_id, making.folder, frame), b""
        if lost := frames.lost(before=making.delivered(state)):
            yield from self._make(making, None, until=lost[-1] + 1)
        yield from self._make(making, state, checkpoints)
        if lost := frames.lost():
            yield from self._make(making, None, until=lost[-1] + 1)
        frames.check()

    def _make(
        self, making: Making, state: ShotState | None, checkpoints: Checkpoints | None = None, until: int | None = None
    ) -> Iterator[tuple[JobMessage, bytes]]:
        """Make the frames from `state` on. Without `checkpoints` the one that is kept lies ahead, and stays."""
        request, job_id, segment = making.request, making.job_id, making.chain.control.spec.frames
        self._pace.start((making.plan.chain, request.width, request.height), state.evaluations if state else 0)
        for event in generate(request, making.chain, making.plan, state):
            done = isinstance(event, FramesDone)
            told = list(making.put(event)) if isinstance(event, FramesDone) else []
            if checkpoints is not None:
                checkpoints.reached(event.state, delivered=done)
            if done:
                self._pace.delivered(len(told))
            yield from ((message, b"") for message in told)
            if isinstance(event, StepDone):
                to_come = request.num_frames - event.state.delivered
                left = self._pace.seconds_left(event.evaluations, event.evaluations_total, to_come)
                yield _stepped(job_id, event, segment, left), b""
                if event.preview is not None:
                    yield JobPreview(job_id, event.start), encode_png(event.preview)
            if until is not None and making.delivered(event.state) >= until:
                return


@dataclass(frozen=True)
class Making:
    """One job in the making: what `generate` takes, and where its frames go."""

    job_id: str
    folder: Path
    request: ClipRequest
    chain: Chain
    plan: Plan
    frames: Frames

    @cached_property
    def lead_in(self) -> int:
        """Frames made before the first that is delivered; a state counts them too."""
        return frame_layout(self.request, self.chain, self.plan).lead_in

    def delivered(self, state: ShotState | None) -> int:
        """How many of the clip's first frames were delivered when the shot had come to `state`."""
        return 0 if state is None else max(0, state.delivered - self.lead_in)

    def put(self, event: FramesDone) -> Iterator[JobFrame]:
        """Write frames; what is told of each, once all of them are whole on the disk."""
        for frame, picture in enumerate(event.frames, start=event.start):
            yield JobFrame(self.job_id, frame, self.frames.put(frame, encode_png(picture)), frame_hash(picture))


def clip_request(shot: ShotRequest, folder: Path) -> ClipRequest:
    """The library's request for a shot whose structure frames, if it has any, stand in the job's folder."""
    structure = None
    if shot.structure is not None:
        paths = [structure_path(folder, frame) for frame in range(shot.structure.num_frames)]
        try:
            structure = np.stack([read_picture(path) for path in paths])
        except (OSError, ValueError) as error:
            seen = f"structure frames in {folder} that cannot be read ({error})"
            raise StructureError(seen, "those that came with the shot", "generate the shot again") from error
    return ClipRequest(
        prompt=shot.prompt,
        negative_prompt=shot.negative_prompt,
        num_frames=shot.num_frames,
        width=shot.width,
        height=shot.height,
        seed=shot.seed,
        fps=shot.fps,
        rule=shot.rule,
        freedom=shot.freedom,
        control_steps=shot.control_steps,
        refine_steps=shot.refine_steps,
        stretches=tuple(Stretch(stretch.start, stretch.prompt) for stretch in shot.stretches),
        crossover=shot.crossover,
        structure=structure,
    )


def _stepped(job_id: str, event: StepDone, segment_frames: int, left: float | None) -> JobStepped:
    return JobStepped(
        job_id,
        event.stage,
        event.step,
        event.steps,
        left,
        start=event.start,
        frames=event.frames,
        segment_frames=segment_frames,
        done=event.evaluations / event.evaluations_total,
    )


def _told(job_id: str, folder: Path, frame: int) -> JobFrame:
    path = frame_path(folder, frame)
    return JobFrame(job_id, frame, hashlib.sha256(path.read_bytes()).hexdigest(), frame_hash(read_picture(path)))
