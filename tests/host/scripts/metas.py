# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes inside a meta strip: one that is being made fills there, others are swapped in, and one is removed."""

from typing import Any

import bpy
import stage

stage.enable()
compat = stage.module("host.blender.compat")
scene = bpy.context.scene
stage.add_shot(prompt="a red cube", length=48)
job = stage.start_job(scene.confiner.shots[0])
stage.land(job, 2)
meta = compat.strips_for_new(scene).new_meta(name="scene one", channel=3, frame_start=1)
stage.strips()[0].move_to_meta(meta)


def inside() -> list[Any]:
    return list(compat.children(next(strip for strip in stage.strips() if strip.type == "META")))


said: dict[str, Any] = {"beside": [strip.type for strip in stage.strips()], "inside": len(inside())}
stage.land(job, 3)
said["filled"] = len(set(stage.files_of(inside()[0])))
stage.finish(job)
first = job.entry.take
other = stage.start_job(scene.confiner.shots[0])
stage.finish(other)
said["swapped"] = inside()[0]["confiner_take"] == other.entry.take
scene.confiner.shots[0].length = 24
shorter = stage.start_job(scene.confiner.shots[0])
stage.finish(shorter)
said["shorter"] = compat.handles(inside()[0])
said["still_alone"] = [strip.type for strip in stage.strips()]
bpy.ops.confiner.remove_take(take=shorter.entry.take)
said["removed"] = len(inside()), [take.uuid for take in scene.confiner.shots[0].takes] == [first, other.entry.take]
stage.report(**said)
