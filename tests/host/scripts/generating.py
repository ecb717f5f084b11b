# SPDX-License-Identifier: GPL-3.0-or-later
"""Presses the animator's buttons with the real sidecar: Generate All, one more take, Cancel, and bad input."""

import bpy
import stage

stage.enable()
runtime = stage.module("host.session.runtime")
scene = bpy.context.scene
stage.use_sidecar()

bpy.ops.confiner.connect()
stage.pump_until(lambda: bool(runtime.RUNTIME.chains))
said = {"chains": list(runtime.RUNTIME.chains)}
cube = bpy.data.objects["Cube"]
cube.location.x = -3
cube.keyframe_insert("location", frame=13)
cube.location.x = 3
cube.keyframe_insert("location", frame=24)

quick = {"length": 12, "seed": 3, "control_steps": 2, "refine_steps": 2}
stage.add_shot(prompt="a red cube moves left on grass at noon", **quick)
stage.add_shot(prompt="a blue sphere on snow", structure="CAMERA", **quick)
refusals = {}
for name, settings in {
    "prompt": {"prompt": " "},
    "chain": {"prompt": "a cone", "chain": "nowhere"},
    "size": {"prompt": "a cone", "width": 72},
    "length": {"prompt": "a cone", "length": 48000},
}.items():
    stage.add_shot(**{**quick, "chain": "", "width": 64, **settings})
    outcome = bpy.ops.confiner.generate()
    shot = scene.confiner.shots[-1]
    refusals[name] = (
        list(outcome),
        runtime.RUNTIME.problems[shot.uuid].message,
        runtime.RUNTIME.problems[shot.uuid].remedy,
    )
    bpy.ops.confiner.remove_shot()
said["refusals"] = refusals

scene.confiner.index = 0
bpy.ops.confiner.generate_all()
seen = set()


def all_done() -> bool:
    for job in runtime.RUNTIME.jobs.values():
        seen.add(job.progress.state.name)
    return not runtime.busy()


said["done"] = stage.pump_until(all_done)
said["states"] = sorted(seen)
said["ended"] = [job.progress.state.name for job in runtime.RUNTIME.jobs.values()]
said["problems"] = [str(job.progress.problem) for job in runtime.RUNTIME.jobs.values() if job.progress.problem]
said["spans"] = stage.spans()
said["files"] = [stage.files_of(strip) for strip in stage.strips()]
said["missing"] = stage.missing_files()
said["folders"] = [sorted(path.name for path in job.folder.iterdir()) for job in runtime.RUNTIME.jobs.values()]
said["second_all"] = list(bpy.ops.confiner.generate_all())

# the same settings give the same frames
scene.confiner.index = 0
first = scene.confiner.shots[0].active_take
bpy.ops.confiner.generate()
stage.pump_until(all_done)
shot = scene.confiner.shots[0]
folders = [stage.module("host.scene.takes").folder_of(take) for take in shot.takes]
said["same_again"] = (folders[0] / "frame_0003.png").read_bytes() == (folders[1] / "frame_0003.png").read_bytes()
said["new_take_is_used"] = shot.active_take != first

# settings of a take come back
shot.prompt, shot.seed, shot.structure, shot.refine_steps = "something else", 99, "CAMERA", 9
said["changed"] = stage.module("host.scene.takes").changed(scene, shot, shot.takes[0])
bpy.ops.confiner.restore_take(take=first)
said["restored"] = shot.prompt, shot.seed, shot.control_steps, shot.structure

# cancelled in the middle: nothing half made stays
shot.refine_steps = 60
bpy.ops.confiner.generate()
job = runtime.RUNTIME.jobs[shot.uuid]
stage.pump_until(lambda: job.progress.stage == "refine")
bpy.ops.confiner.cancel()
stage.pump_until(lambda: job.progress.ended)
shot = scene.confiner.shots[0]
said["cancelled"] = job.progress.state.name, len(shot.takes), shot.active_take != job.entry.take, job.folder.exists()
said["overlaps"] = stage.overlaps()
stage.report(**said)
