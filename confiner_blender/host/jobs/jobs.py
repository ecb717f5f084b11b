# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot's way from the button to its take: checked, prepared, captured, submitted, followed, settled.

A job's id is its take's. From the moment it is submitted it stands in the ledger, outside the .blend, until a saved
file has its take; so undo, a crash or another file lose nothing.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import bpy

from ...protocol.messages import Forget, Problem, ShotRequest
from ...storyboard import job_ledger, remarks, take_folders, take_record
from ...storyboard.job_ledger import Entry
from ...storyboard.job_progress import JobState, Progress
from ...storyboard.shot_request import shot_request
from ..blender.refusal import Refusal
from ..scene import shots, takes
from ..scene.properties import CONFINER_PG_shot
from ..session import sidecar_link
from ..session.runtime import RUNTIME, Arrival, Job, running
from . import arrivals, capture


def generate(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> None:
    """Start a new take of the shot. Returns at once; the pump does the rest.

    Raises:
        Refusal: the shot cannot be generated as it stands. It is noted for the panel too.
    """
    RUNTIME.problems.pop(shot.uuid, None)
    try:
        _check(scene, shot)
        job = _prepare(scene, shot)
    except Refusal as refusal:
        RUNTIME.problems[shot.uuid] = refusal.problem
        raise
    RUNTIME.jobs[shot.uuid] = job
    take = arrivals.bring(shot, job.entry)
    if not takes.worth_keeping(shot):
        arrivals.bring_up(scene, shot, take)
    if job.request is not None and job.request.structure is not None:
        RUNTIME.captures.append(shot.uuid)
        sidecar_link.open_link()
    else:
        submit(job, [])


def submit(job: Job, structure: list[bytes]) -> None:
    """Hand the job to the sidecar."""
    assert job.request is not None
    arrivals.note(job.entry)
    job.progress = dataclasses.replace(job.progress, state=JobState.WAITING, step=0, steps=0)
    sidecar_link.open_link().submit(job.entry.take, job.request, structure, job.folder)


def cancel(shot_uuid: str) -> None:
    """Stop the shot's job; what is finished of it stays."""
    job = running(shot_uuid)
    if job is None:
        return
    if shot_uuid in RUNTIME.captures:
        RUNTIME.captures.remove(shot_uuid)
        end(job, JobState.CANCELLED)
        return
    if RUNTIME.session is not None:
        RUNTIME.session.cancel(job.entry.take)
    if job.progress.state is JobState.WAITING:  # nobody is there who could confirm it
        end(job, JobState.CANCELLED)


def resume(shot_uuid: str) -> None:
    """Follow the shot's job again, after its frames could not be stored."""
    job = running(shot_uuid)
    if job is not None:
        job.progress = dataclasses.replace(job.progress, state=JobState.WAITING, problem=None, note="")
        sidecar_link.open_link().track(job.entry.take, 0, job.folder)


def wanting(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> bool:
    """Whether the shot has no whole take on the timeline, or has changed since."""
    take = shots.active_take(shot)
    if take is None or not takes.take_state(take).whole:
        return True
    return bool(takes.changed(scene, shot, take))


def adopt(entry: Entry) -> None:
    """Take up what an earlier session left: follow its job, or give the take it brought back to its shot."""
    found = shots.find_shot(entry.shot)
    if found is None:
        return
    if entry.standing != job_ledger.UNDER_WAY:
        _take_back(*found, entry)
        return
    before = RUNTIME.jobs.get(entry.shot)
    if before is not None and (before.entry.take == entry.take or running(entry.shot)):
        return
    job = Job(entry, Progress(JobState.WAITING, entry.num_frames))
    RUNTIME.jobs[entry.shot] = job
    restore_take(job)
    if (job.folder / take_record.RECORD).exists():
        end(job, JobState.FINISHED)
    else:
        sidecar_link.open_link().track(entry.take, 0, job.folder)


def restore_take(job: Job) -> None:
    """Give the take of a job that goes on to its shot, in a file that may not have it; settle one that has ended."""
    if job.progress.ended:
        if not job.settled:
            end(job, job.progress.state, job.progress.problem)
        return
    found = shots.find_shot(job.entry.shot)
    if found is None:
        return
    scene, shot = found
    take = arrivals.bring(shot, job.entry)
    if not takes.worth_keeping(shot):
        arrivals.bring_up(scene, shot, take)
    takes.refresh(scene, shot, take)


def _take_back(scene: bpy.types.Scene, shot: CONFINER_PG_shot, entry: Entry) -> None:
    """A take that ended in an earlier session and that no saved file has. One that was removed stays removed.

    It comes up on the timeline as it did then, but where the author closed the file without saving that.
    """
    known = shots.find_take(shot, entry.take)
    if entry.standing == job_ledger.REMOVED:
        RUNTIME.arrivals[entry.take] = Arrival(entry, ended=True)
        if known is None:
            shots.mark_removed(shot, entry.take)
        return
    seen = entry.standing == job_ledger.LEFT or (known is not None and known.arrived)
    take = arrivals.bring(shot, entry)
    if not takes.take_state(take).frames:  # the folder is gone
        arrivals.discard(scene, shot, entry)
        return
    take.arrived = RUNTIME.arrivals[entry.take].ended = True
    if not seen and (takes.take_state(take).whole or not takes.worth_keeping(shot)):
        arrivals.bring_up(scene, shot, take)
    takes.refresh(scene, shot, take)


def frame_stored(job: Job, path: Path) -> None:
    """A frame lies in the folder: fill the strip. A frame that landed in a folder just left behind follows it."""
    if path.parent != job.folder:
        take_folders.copy_take(path.parent, job.folder)
    found = shots.find_shot(job.entry.shot)
    take = found and shots.find_take(found[1], job.entry.take)
    if found and take:
        takes.refresh(found[0], found[1], take)


def end(job: Job, state: JobState, problem: Problem | None = None) -> None:
    """The job has ended: give the shot its whole take, keep what is there of a partial one, clear away an empty one.

    While another file is open, the job waits in the ledger for its own.
    """
    job.progress = dataclasses.replace(job.progress, state=state, problem=problem, eta=None)
    found = shots.find_shot(job.entry.shot)
    if found is None:
        return
    scene, shot = found
    job.settled = True
    take = arrivals.bring(shot, job.entry)
    if state is not JobState.FINISHED and not takes.take_state(take).frames:
        arrivals.discard(scene, shot, job.entry)
        takes.clear_folder(job.folder)
        let_go(job.entry.take)
        return
    take = arrivals.ended(shot, job.entry)
    if state is JobState.FINISHED:
        arrivals.bring_up(scene, shot, take)
    else:
        takes.refresh(scene, shot, take)


def let_go(take: str) -> None:
    """Tell the sidecar, if it is there, that nobody wants more of an ended job. Otherwise it forgets by itself."""
    if RUNTIME.session is not None:
        RUNTIME.session.send(Forget(take))


def _check(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> None:
    if running(shot.uuid) is not None:
        raise Refusal("busy", f"{shot.name} is being generated", "wait for it, or cancel it first")
    remark = remarks.blocking(remarks.remarks(shots.values_of(scene, shot), RUNTIME.chains))
    if remark is not None:
        message, _, remedy = remark.message.partition(": ")
        raise Refusal(remark.field, message, remedy or (remark.fix_label and f"press “{remark.fix_label}”"))
    capture.check(scene, shot)


def _prepare(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> Job:
    request = shot_request(shots.values_of(scene, shot))
    shots.identify(scene)
    take = shots.new_uuid()
    folder = takes.take_folder(scene, shot.uuid, take)
    job = _job(scene, shot, take, folder, request)
    try:
        takes.prepare_folder(folder, shot.width, shot.height, take_record.request_text(request, job.entry))
    except OSError as error:
        message = f"The folder {folder} cannot be written ({error.strerror or error})"
        raise Refusal("folder", message, "save the .blend in a folder you may write to") from error
    return job


def _job(scene: bpy.types.Scene, shot: CONFINER_PG_shot, take: str, folder: Path, request: ShotRequest) -> Job:
    timing = shots.timing_of(scene, shot)
    entry = Entry(
        take=take,
        shot=shot.uuid,
        blend=bpy.data.filepath,
        folder=str(folder),
        length=timing.length,
        fps=timing.fps,
        hold=timing.hold,
        scene_fps=timing.scene_fps,
        num_frames=request.num_frames,
        width=request.width,
        height=request.height,
        structure=shot.structure,
        structure_strip=shot.structure_strip,
        name=takes.next_name(shot),
        since=time.time(),
    )
    state = JobState.WAITING if request.structure is None else JobState.CAPTURING
    progress = Progress(state, request.num_frames, steps=request.num_frames)
    return Job(entry, progress, request, structure_start=shots.start_of(scene, shot.uuid))
