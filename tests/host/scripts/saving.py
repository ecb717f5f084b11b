# SPDX-License-Identifier: GPL-3.0-or-later
"""An unsaved .blend with a whole take and one under way is saved, saved elsewhere, and copied."""

from pathlib import Path

import bpy
import stage

stage.enable()
scene = bpy.context.scene
takes, shots = stage.module("host.scene.takes"), stage.module("host.scene.shots")


def folders() -> list[str]:
    return [str(takes.folder_of(take)) for _, shot in shots.every_shot() for take in shot.takes]


def within(folder: Path) -> list[bool]:
    return [Path(path).is_relative_to(folder) for path in folders()]


stage.add_shot(prompt="whole")
stage.finish(stage.start_job(scene.confiner.shots[0]))
stage.add_shot(prompt="under way")
job = stage.start_job(scene.confiner.shots[1])
stage.land(job, 3)
unsaved = [Path(path) for path in folders()]
said = {"unsaved": [path.exists() for path in unsaved]}

first = stage.FOLDER / "film"
first.mkdir()
bpy.ops.wm.save_as_mainfile(filepath=str(first / "film.blend"))
said["moved"] = within(first / "film_confiner")
said["originals_gone"] = [not path.exists() for path in unsaved]
said["missing_after_save"] = stage.missing_files()
said["relative"] = (
    [strip.directory for strip in stage.strips()],
    [take.folder for shot in scene.confiner.shots for take in shot.takes],
)

# a frame that the worker thread was storing in the old folder as it moved
stray = unsaved[1] / "frame_0004.png"
stage.write_png(stray, (1, 2, 3))
stage.module("host.callbacks.timer").apply(
    stage.module("client.session.inbox").FrameStored(job.entry.take, 4, 3, stray)
)
said["stray_followed"] = (job.folder / "frame_0004.png").exists()
stage.finish(job)
said["whole_after_move"] = len(set(stage.files_of(stage.strips()[1])))
stage.add_shot(prompt="made after the first save", length=6)
stage.finish(stage.start_job(scene.confiner.shots[2]))
bpy.ops.wm.save_mainfile()
said["relative_at_once"] = [strip.directory.startswith("//") for strip in stage.strips()]

# only a copy: this file goes on pointing to its own takes
second = stage.FOLDER / "elsewhere"
second.mkdir()
bpy.ops.wm.save_as_mainfile(filepath=str(second / "copy.blend"), copy=True)
said["after_copy"] = within(first / "film_confiner"), stage.missing_files()

third = stage.FOLDER / "kept"
third.mkdir()
bpy.context.preferences.addons[stage.ADD_ON].preferences.save_as = "KEEP"
bpy.ops.wm.save_as_mainfile(filepath=str(third / "kept.blend"))
said["kept"] = within(first / "film_confiner"), stage.missing_files()

fourth = stage.FOLDER / "moved"
fourth.mkdir()
bpy.context.preferences.addons[stage.ADD_ON].preferences.save_as = "COPY"
bpy.ops.wm.save_as_mainfile(filepath=str(fourth / "moved.blend"))
said["relative_after_save_as"] = [strip.directory.startswith("//") for strip in stage.strips()]
said["copied"] = within(fourth / "moved_confiner"), stage.missing_files()
said["originals_stay"] = (first / "film_confiner").is_dir()

failed = "the save went through"
try:
    bpy.ops.wm.save_as_mainfile(filepath=str(stage.FOLDER / "no such folder" / "x.blend"))
except RuntimeError:
    failed = "refused"
said["failed_save"] = failed, within(fourth / "moved_confiner"), stage.missing_files()

stage.open_file(first / "film.blend")
said["reopened"] = within(first / "film_confiner"), stage.missing_files()
stage.report(**said)
