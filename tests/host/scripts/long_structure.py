# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot of 96 clip frames that the scene's camera lays out, on ones: captured slice by slice, refined in windows."""

import bpy
import stage

stage.enable()
runtime = stage.module("host.session.runtime").RUNTIME
pump = stage.module("host.callbacks.timer").pump
stage.use_sidecar()
scene = bpy.context.scene
scene.frame_end = 96
cube = bpy.data.objects["Cube"]
cube.location.x = -3
cube.keyframe_insert("location", frame=1)
cube.location.x = 3
cube.keyframe_insert("location", frame=96)
scene.frame_set(40)
stage.add_shot(prompt="a red cube on grass at noon", length=96, hold="ONES", structure="CAMERA", seed=3, refine_steps=2)
bpy.ops.confiner.generate()
job = next(iter(runtime.jobs.values()))
slices = 0
while job.progress.state.name == "CAPTURING":
    pump()
    slices += 1
stages = set()


def ended() -> bool:
    stages.add(job.progress.stage)
    return bool(job.progress.ended)


stage.pump_until(ended, patience=450)
names = sorted(path.name for path in job.folder.iterdir())
stage.report(
    slices=slices,
    frame=scene.frame_current,
    state=job.progress.state.name,
    problem=str(job.progress.problem),
    stages=sorted(stages),
    structure=sum(name.startswith("structure_") for name in names),
    frames=sum(name.startswith("frame_") for name in names),
    files=stage.files_of(stage.strips()[0]),
    missing=stage.missing_files(),
)
