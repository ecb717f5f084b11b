# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a long shot of two prompts, cancels it when its first frames are there, saves, and leaves."""

import bpy
import stage

stage.enable()
runtime = stage.module("host.session.runtime").RUNTIME
whereabouts = stage.module("storyboard.job_progress").whereabouts
stage.use_sidecar()
shot = stage.add_shot(
    prompt="a red cube moves left on grass at noon", length=120, seed=3, control_steps=2, refine_steps=2, crossover=24
)
bpy.context.scene.frame_set(61)
bpy.ops.confiner.add_stretch()
shot = bpy.context.scene.confiner.shots[0]
said = {"stretch": (shot.stretches[0].start, shot.stretches[0].prompt)}
shot.stretches[0].prompt = "a blue sphere on grass at noon"
bpy.ops.wm.save_as_mainfile(filepath=str(stage.FOLDER / "film.blend"))
bpy.ops.confiner.generate()
job = next(iter(runtime.jobs.values()))
seen = []


def first_frames() -> bool:
    where = whereabouts(job.progress).partition(" · ")[0]
    if where and where not in seen:
        seen.append(where)
    return job.progress.ended or len(set(stage.files_of(stage.strips()[0]))) >= 4


stage.pump_until(first_frames)
said["while_it_fills"] = len(set(stage.files_of(stage.strips()[0]))), stage.spans()
bpy.ops.confiner.cancel()
stage.pump_until(lambda: job.progress.ended)
shot = bpy.context.scene.confiner.shots[0]
parts, shots = stage.module("host.jobs.partial_takes"), stage.module("host.scene.shots")
said["state"] = job.progress.state.name
said["seen"] = seen
said["files"] = sorted(path.name for path in job.folder.iterdir())
said["cut_short"] = parts.cut_short(shot, shots.active_take(shot))
bpy.ops.wm.save_mainfile()
stage.report(**said)
