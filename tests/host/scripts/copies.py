# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene is copied while one of its shots is being made."""

import bpy
import stage

stage.enable()
pump = stage.module("host.callbacks.timer")
scene = bpy.context.scene
stage.add_shot(prompt="done")
stage.finish(stage.start_job(scene.confiner.shots[0]))
stage.add_shot(prompt="under way")
job = stage.start_job(scene.confiner.shots[1])
stage.land(job, 2)

copy = scene.copy()
pump.pump()
strips_of = stage.module("host.blender.compat").strips_of
ids = [[shot.uuid for shot in s.confiner.shots] for s in (scene, copy)]
before = [stage.files_of(strip) for strip in strips_of(copy)]
stage.finish(job)
after = [stage.files_of(strip) for strip in strips_of(copy)]

# a renamed scene is still itself
scene.name = "Renamed"
storyboard = scene.confiner.uuid
pump.pump()
stage.report(
    storyboards_differ=scene.confiner.uuid != copy.confiner.uuid,
    shots_differ=not set(ids[0]) & set(ids[1]),
    shared=[[take.shared for take in shot.takes] for shot in copy.confiner.shots],
    same_take=copy.confiner.shots[0].takes[0].uuid == scene.confiner.shots[0].takes[0].uuid,
    copy_untouched=before == after,
    original_whole=len(set(stage.files_of(list(strips_of(scene))[1]))) == job.entry.num_frames,
    ties=[strip.get("confiner_shot") in ids[1] for strip in strips_of(copy)],
    rename_changes_nothing=scene.confiner.uuid == storyboard and scene.confiner.owner == "Renamed",
)
