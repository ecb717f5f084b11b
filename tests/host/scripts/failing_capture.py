"""Shots are captured in turn; all but one meet what makes a capture fail."""

import contextlib
import dataclasses
import io
import shutil

import bpy
import numbered
import stage

stage.enable()
jobs, capture, compat = (
    stage.module("host.jobs.jobs"),
    stage.module("host.jobs.capture"),
    stage.module("host.blender.compat"),
)
runtime, pump = stage.module("host.session.runtime").RUNTIME, stage.module("host.callbacks.timer")
scene = bpy.context.scene
paths = numbered.write(stage.FOLDER / "source", 12)
numbered.image_strip(scene, paths, 1)
trimmed = numbered.image_strip(scene, numbered.write(stage.FOLDER / "other", 12), 1, "trimmed", 2)
compat.set_handles(trimmed, 5, 11)


def queue(strip: str) -> object:
    shot = stage.add_shot(prompt="a red cube", length=6, fps=scene.render.fps, hold="ONES", structure="STRIP")
    shot.structure_strip = strip
    return stage.start_job(shot)


def refusal_of(strip: str) -> str:
    shot = stage.add_shot(prompt="a red cube", length=6, fps=scene.render.fps, hold="ONES", structure="STRIP")
    shot.structure_strip = strip
    try:
        capture.check(scene, shot)
    except Exception as error:  # noqa: BLE001
        return str(error)
    return ""


broken, blocked, removed, whole = queue("layout"), queue("layout"), queue("layout"), queue("layout")
broken.entry = dataclasses.replace(broken.entry, hold="FOURS")  # nothing foresees this one
(blocked.folder / "structure_0003.png").mkdir()
said = {}
with contextlib.redirect_stderr(io.StringIO()) as errors:
    for _ in range(3):
        pump.tick()
said["tracebacks"] = errors.getvalue().count("Traceback (most recent call last)")
said["broken"] = broken.progress.state.name, broken.progress.problem.message, broken.progress.problem.remedy
stage.pump_until(lambda: runtime.captures[0] != blocked.entry.shot, 60)
said["blocked"] = blocked.progress.state.name, blocked.progress.problem.message, blocked.progress.problem.remedy
pump.tick()
shutil.rmtree(removed.folder)
stage.pump_until(lambda: removed.entry.shot not in runtime.captures, 60)
said["removed"] = removed.progress.state.name, str(removed.progress.problem)
submitted = []
original, jobs.submit = jobs.submit, lambda job, frames: submitted.append(len(frames))
stage.pump_until(lambda: not runtime.captures, 60)
jobs.submit = original
said["whole"] = numbered.structure_of(whole), submitted
said["link"] = str(runtime.link.problem)
said["scenes"] = [scene.name for scene in bpy.data.scenes]
said["mute"] = [strip.mute for strip in stage.strips() if strip.name in ("layout", "trimmed")]

# files that are not there, and one that vanishes on the way
paths[2].unlink()
said["missing"] = refusal_of("layout")
(stage.FOLDER / "other" / "source_0000.png").unlink()
said["outside the trim"] = refusal_of("trimmed")
late = queue("trimmed")
pump.tick()
(stage.FOLDER / "other" / "source_0007.png").unlink()
stage.pump_until(lambda: not runtime.captures, 60)
said["late"] = late.progress.state.name, late.progress.problem.message
movie = numbered.write_movie(stage.FOLDER / "source", numbered.write(stage.FOLDER / "frames", 12))
compat.strips_for_new(scene).new_movie("movie", str(movie), 5, 1)
movie.unlink()
said["movie"] = refusal_of("movie")
stage.report(**said)
