# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens what `cut_short` left: goes on, makes it anew to compare, keeps a part of another take, and extends one."""

from typing import Any

import bpy
import stage

stage.enable()
runtime = stage.module("host.session.runtime").RUNTIME
jobs, parts = stage.module("host.jobs.jobs"), stage.module("host.jobs.partial_takes")
shots, takes = stage.module("host.scene.shots"), stage.module("host.scene.takes")
stage.use_sidecar()
stage.open_file(stage.FOLDER / "film.blend")
scene = bpy.context.scene
said: dict[str, Any] = {"jobs_at_once": len(runtime.jobs)}


def the_shot() -> Any:
    return scene.confiner.shots[0]


def frames_of(take: Any) -> list[bytes]:
    return [path.read_bytes() for path in sorted(takes.folder_of(take).glob("frame_*.png"))]


def make(start: Any, enough: int | None = None) -> Any:
    """Start a job and wait for it to end, or until it has enough frames and is cancelled; its take."""
    start()
    job = runtime.jobs[the_shot().uuid]
    if enough is not None:
        stage.pump_until(lambda: job.progress.ended or len(list(job.folder.glob("frame_*.png"))) >= enough)
        bpy.ops.confiner.cancel()
    stage.pump_until(lambda: job.progress.ended)
    said.setdefault("ends", []).append((job.progress.state.name, str(job.progress.problem)))
    return shots.find_take(the_shot(), job.entry.take)


before = len(frames_of(the_shot().takes[0]))
resumed = make(bpy.ops.confiner.go_on)
resumed_id = resumed.uuid
said["gone_on"] = before, len(frames_of(resumed)), takes.take_state(resumed).whole, len(the_shot().takes)
said["files"] = sorted(set(stage.files_of(stage.strips()[0])))
anew = make(bpy.ops.confiner.generate)
resumed = shots.find_take(the_shot(), resumed_id)
said["same_as_uninterrupted"] = frames_of(resumed) == frames_of(anew)
said["unchanged"] = takes.changed(scene, the_shot(), resumed)

short = make(bpy.ops.confiner.generate, enough=4)
bpy.ops.confiner.use_take(take=short.uuid)
short = shots.find_take(the_shot(), short.uuid)
said["kept"] = list(bpy.ops.confiner.keep_part(take=short.uuid))
short = shots.find_take(the_shot(), short.uuid)
kept = short.num_frames
said["part"] = {
    "frames": kept,
    "length": (short.length, the_shot().length),
    "spans": stage.spans(),
    "whole": takes.take_state(short).whole,
    "cut_short": parts.cut_short(the_shot(), short),
    "changed": takes.changed(scene, the_shot(), short),
    "wanting": jobs.wanting(scene, the_shot()),
    "same": frames_of(short)[:kept] == frames_of(shots.find_take(the_shot(), resumed_id))[:kept],
    "folder": str(takes.folder_of(short)),
}

bpy.ops.confiner.restore_take(take=resumed_id)
said["restored"] = [(stretch.start, stretch.prompt) for stretch in the_shot().stretches], the_shot().crossover
longer = make(lambda: bpy.ops.confiner.extend_take(take=resumed_id, frames=24))
pairs = zip(frames_of(longer), frames_of(shots.find_take(the_shot(), resumed_id)), strict=False)
said["extended"] = len(frames_of(longer)), the_shot().length
said["same_beginning"] = [a == b for a, b in pairs]
said["missing"], said["overlaps"] = stage.missing_files(), stage.overlaps()
stage.report(**said)
