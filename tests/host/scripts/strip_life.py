# SPDX-License-Identifier: GPL-3.0-or-later
"""A strip's life: filled frame by frame, trimmed by hand, swapped for other takes beside a neighbour, cut in two."""

from typing import Any

import bpy
import stage

stage.enable()
compat, takes = stage.module("host.blender.compat"), stage.module("host.scene.takes")
scene = bpy.context.scene
scene.render.fps = 24
said = {}


def strip_of(shot: Any) -> Any:
    return next(s for s in stage.strips() if s.get("confiner_shot") == shot.uuid)


shot = stage.add_shot(prompt="a red cube", length=48, fps=8)
second = stage.add_shot(prompt="a blue ball", length=24, fps=8)
shot = scene.confiner.shots[0]

job = stage.start_job(shot)
said["before_any_frame"] = sorted(set(stage.files_of(strip_of(shot)))), stage.spans()
stage.land(job, 5)
said["five_frames"] = stage.files_of(strip_of(shot))

compat.set_handles(strip_of(shot), 4, 40)  # the author trims while it fills
strip_of(shot).transform.offset_x = 7
stage.land(job, 3)
said["trim_kept"] = compat.handles(strip_of(shot))
stage.finish(job)
said["whole"] = sorted(set(stage.files_of(strip_of(shot))))
said["trim_kept_at_the_end"] = compat.handles(strip_of(shot)), strip_of(shot).transform.offset_x

compat.set_handles(strip_of(shot), 1, 49)
neighbour = stage.start_job(scene.confiner.shots[1])
stage.finish(neighbour)
said["after_two"] = stage.spans()

# a longer take beside the neighbour: it grows no further than there is room
shot = scene.confiner.shots[0]
old_take = shot.active_take
shot.length = 96
longer = stage.start_job(shot)
said["old_take_stays_until_the_new_one_is_whole"] = strip_of(shot).get("confiner_take") == old_take
stage.land(longer, 4)
said["still_the_old_one"] = strip_of(shot).get("confiner_take") == old_take
stage.finish(longer)
shot = scene.confiner.shots[0]
said["longer"] = stage.spans(), strip_of(shot).get("confiner_take") == longer.entry.take, len(strip_of(shot).elements)
said["overlaps"] = stage.overlaps()
said["transform_kept"] = strip_of(shot).transform.offset_x

bpy.context.scene.confiner.index = 0
bpy.ops.confiner.use_take(take=old_take)
said["back_to_the_old_one"] = stage.spans(), strip_of(shot).get("confiner_take") == old_take
bpy.ops.confiner.remove_take(take=longer.entry.take)
said["takes_left"] = [take.uuid for take in scene.confiner.shots[0].takes] == [old_take]
said["files_stay"] = (longer.folder / "take.json").exists()
said["missing"] = stage.missing_files()

# duplicated by the author: both strips follow
twin = compat.strips_for_new(scene).new_image(
    name="twin", filepath=str(job.folder / "frame_0001.png"), channel=5, frame_start=200
)
twin["confiner_shot"], twin["confiner_take"] = scene.confiner.shots[0].uuid, old_take
other_take = stage.start_job(scene.confiner.shots[0])
stage.finish(other_take)
said["twins"] = [s.get("confiner_take") == other_take.entry.take for s in stage.strips() if s.channel == 5]

# on twos, threes, ones
holds = {}
for hold in ("ONES", "TWOS", "THREES"):
    other = stage.add_shot(prompt="a cone", length=12, hold=hold)
    holding = stage.start_job(other)
    stage.finish(holding)
    names = stage.files_of(strip_of(scene.confiner.shots[-1]))
    holds[hold] = [int(name[6:10]) for name in names]
said["holds"] = holds
said["overlaps_at_the_end"] = stage.overlaps()
stage.report(**said)
