# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs jobs through the library: the only file in which the sidecar's words meet the library's."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from confiner.chains import ChainSpec, find_chain, read_chains
from confiner.device import default_dtype, find_device
from confiner.errors import StateError
from confiner.events import FramesDone, StepDone
from confiner.generation import generate
from confiner.loading import Chain, load_chain
from confiner.plan import Plan, resolve_plan
from confiner.request import ClipRequest
from confiner.shelf import Shelf
from confiner.state import ShotState, load_state, save_state
from confiner.take import frame_hash, take_record

from confiner_blender.protocol.messages import Problem, ShotRequest
from confiner_server.folders import checkpoint_path, frame_path, structure_path, write_whole
from confiner_server.wire import (
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

from .memory import is_out_of_memory, memory_in_use, out_of_memory
from .pace import Pace
from .pictures import encode_png, read_picture

log = logging.getLogger(__name__)

CHECKPOINT_SHARE = 0.05
"""At most this part of the time goes into checkpoints; at least one is written with every delivery of frames."""


class LibraryEngine:
    """Holds what is loaded: parts of chains, each once, and the chain of the last job."""

    def __init__(self, device: str, chains: Path | None) -> None:
        place = find_device(device)
        self.device = str(place)
        self._user_file = chains
        self._shelf = Shelf(place, default_dtype(place))
        self._chain: Chain | None = None
        self._pace = Pace()

    def run(self, job: RunJob) -> Iterator[tuple[FromWorker, bytes]]:
        """Load, go on from the checkpoint if there is one, generate; frames are whole on disk before they are told."""
        folder = Path(job.folder)
        yield JobStepped(job.job_id, "load", 0, 1, None), b""
        chain = self._load(self._spec(job.request.chain))
        yield JobStepped(job.job_id, "load", 1, 1, None), b""
        request = clip_request(job.request, folder)
        plan = resolve_plan(request, chain) if job.plan is None else Plan.from_json(job.plan)
        yield JobStarted(job.job_id, plan.to_json()), b""
        yield MemoryUsed(self._memory()), b""
        folder.mkdir(parents=True, exist_ok=True)
        state = _checkpoint(folder, request, plan)
        # Frames that were written and never told: their writer was killed in between.
        for frame in range(request.num_frames):
            if frame_path(folder, frame).exists():
                yield _told(job.job_id, folder, frame), b""
        yield from self._generate(job, request, chain, plan, state)
        hashes = [frame_hash(read_picture(frame_path(folder, frame))) for frame in range(request.num_frames)]
        yield MemoryUsed(self._memory()), b""
        yield JobFinished(job.job_id, take_record(request, chain, plan, hashes)), b""

    def exhausted(self, error: Exception, request: ShotRequest) -> Problem | None:
        if not is_out_of_memory(error):
            return None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return out_of_memory(request, self._spec(request.chain), self.device)

    def _memory(self) -> dict[str, int]:
        modules = [part for part in self._shelf.parts.values() if isinstance(part, torch.nn.Module)]
        return memory_in_use(self._shelf.device, modules)

    def _spec(self, name: str) -> ChainSpec:
        return find_chain(read_chains(self._user_file), name)

    def _load(self, spec: ChainSpec) -> Chain:
        if self._chain is None or self._chain.spec != spec:
            self._chain = load_chain(spec, device=self._shelf.device, dtype=self._shelf.dtype, shelf=self._shelf)
        return self._chain

    def _generate(
        self, job: RunJob, request: ClipRequest, chain: Chain, plan: Plan, state: ShotState | None
    ) -> Iterator[tuple[JobMessage, bytes]]:
        folder = Path(job.folder)
        self._pace.start((plan.chain, request.width, request.height), state.evaluations if state else 0)
        saved_at, cost = time.monotonic(), 0.0
        for event in generate(request, chain, plan, state):
            if isinstance(event, FramesDone):
                for frame, picture in enumerate(event.frames, start=event.start):
                    write_whole(frame_path(folder, frame), encode_png(picture))
                    yield _told(job.job_id, folder, frame), b""
            elif isinstance(event, StepDone):
                left = self._pace.seconds_left(event.evaluations, event.evaluations_total)
                yield JobStepped(job.job_id, event.stage, event.step, event.steps, left), b""
                if event.preview is not None:
                    yield JobPreview(job.job_id, event.start), encode_png(event.preview)
            # Behind the frames: a checkpoint must never be ahead of what is on disk.
            now = time.monotonic()
            if isinstance(event, FramesDone) or now - saved_at > cost / CHECKPOINT_SHARE:
                save_state(event.state, checkpoint_path(folder), request, plan)
                saved_at = time.monotonic()
                cost = saved_at - now


def clip_request(shot: ShotRequest, folder: Path) -> ClipRequest:
    """The library's request for a shot whose structure frames, if it has any, stand in the job's folder."""
    structure = None
    if shot.structure is not None:
        paths = [structure_path(folder, frame) for frame in range(shot.structure.num_frames)]
        structure = np.stack([read_picture(path) for path in paths])
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
        structure=structure,
    )


def _checkpoint(folder: Path, request: ClipRequest, plan: Plan) -> ShotState | None:
    """Where the job goes on. Without a usable checkpoint it starts anew, which costs time and changes no pixel."""
    path = checkpoint_path(folder)
    if not path.exists():
        return None
    try:
        return load_state(path, request, plan)
    except StateError as error:
        log.warning("starting anew, the checkpoint cannot be used: %s", error)
        return None


def _told(job_id: str, folder: Path, frame: int) -> JobFrame:
    data = frame_path(folder, frame).read_bytes()
    return JobFrame(job_id, frame, hashlib.sha256(data).hexdigest())
