# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes that were cut short, with some of their frames: made to their end, or kept as they are.

The sidecar keeps what it needs to go on for two weeks (see its `retention`). After that, or with another sidecar, the
same frames are made again from the first one on. Keeping a part asks nobody: its record came with the job's end.
"""

from __future__ import annotations

import time
from pathlib import Path

import bpy

from ...client.session import take_writer
from ...client.whole_file import NotStored
from ...protocol.messages import ShotRequest
from ...storyboard import take_record
from ...storyboard.clip_timing import longest_length
from ...storyboard.job_ledger import Entry
from ...storyboard.job_progress import JobState, Progress
from ..blender.refusal import Refusal
from ..scene import shots, takes
from ..scene.properties import CONFINER_PG_shot, CONFINER_PG_take
from ..session.runtime import RUNTIME, Arrival, Job, running
from . import jobs


def cut_short(shot: CONFINER_PG_shot, take: CONFINER_PG_take) -> bool:
    """Whether the take has frames, not all of them, and nobody is making the rest."""
    job = running(shot.uuid)
    if take.shared or (job is not None and job.entry.take == take.uuid):
        return False
    state = takes.take_state(take)
    return bool(state.frames) and not state.whole


def is_part(shot: CONFINER_PG_shot, take: CONFINER_PG_take) -> bool:
    """Whether the take was cut short, also while it is being gone on with."""
    job = running(shot.uuid)
    return cut_short(shot, take) or (job is not None and job.resumed and job.entry.take == take.uuid)


def go_on(shot: CONFINER_PG_shot, take: CONFINER_PG_take) -> None:
    """Have the rest of the take made, from where it was stopped.

    Raises:
        Refusal: the shot is being generated, or the take's folder does not hold what it began with.
    """
    if running(shot.uuid) is not None:
        raise Refusal("busy", f"{shot.name} is being generated", "wait for it, or cancel it first")
    folder = takes.folder_of(take)
    request = take_record.request_of(folder)
    if request is None:
        raise Refusal("no-request", "The take's folder does not tell what was asked for", "generate the shot again")
    structure = _structure_frames(folder, request)
    values = {name: getattr(take, name) for name in takes.FROM_ENTRY}
    ids = {"take": take.uuid, "shot": shot.uuid, "name": take.name}
    entry = Entry(**ids, blend=bpy.data.filepath, folder=str(folder), since=time.time(), **values)
    job = Job(entry, Progress(JobState.WAITING, take.num_frames), request, resumed=True)
    RUNTIME.problems.pop(shot.uuid, None)
    RUNTIME.jobs[shot.uuid] = job
    RUNTIME.arrivals[take.uuid] = Arrival(entry)
    take.arrived = False
    jobs.submit(job, structure)


def keep(scene: bpy.types.Scene, shot: CONFINER_PG_shot, take: CONFINER_PG_take) -> None:
    """Make a take of the frames that are there. Shot and strip become as short, if they had the take's length.

    Raises:
        Refusal: the sidecar has not told how these frames were made, or the disk does not take the record.
    """
    folder = takes.folder_of(take)
    part = take_record.part_of(folder, takes.take_state(take).frames)
    if part is None:
        raise Refusal("no-part", "The sidecar has not told how these frames were made", "connect to it, then try again")
    try:
        take_writer.store_take(folder, part)
    except NotStored as error:
        raise Refusal(error.problem.code, error.problem.message, error.problem.remedy) from error
    length = longest_length(shots.take_timing(take), part["kept"])
    if shot.length == take.length:
        shot.length = length
    take.num_frames, take.length = part["kept"], length
    takes.refit(scene, shot, take)
    job = RUNTIME.jobs.get(shot.uuid)
    if job is not None and job.entry.take == take.uuid:
        del RUNTIME.jobs[shot.uuid]
    jobs.let_go(take.uuid)


def _structure_frames(folder: Path, request: ShotRequest) -> list[bytes]:
    """The structure frames that the take began with, as PNG; none where it had none."""
    count = 0 if request.structure is None else request.structure.num_frames
    paths = [folder / takes.STRUCTURE.format(number + 1) for number in range(count)]
    if missing := [path.name for path in paths if not path.exists()]:
        raise Refusal("no-structure", f"{missing[0]} is gone from the take's folder", "generate the shot again")
    return [path.read_bytes() for path in paths]
