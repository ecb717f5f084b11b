# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's part inside Blender: installs the zip, writes the storyboard, presses Generate All, saves, renders.

Everything goes through the operators that an animator's buttons call. Timers do not fire without a window, so the pump
is called from here.
"""

from __future__ import annotations

import importlib
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import bpy

ORDER = json.loads(sys.argv[1])
OUT = Path(ORDER["out"])
ADD_ON = "bl_ext.user_default.confiner"
LENGTH = 48
PATIENCE = 1800

SHOTS: list[dict[str, Any]] = [
    {
        "prompt": "a red cube slides to the left in a green meadow on a sunny day",
        "seed": 11,
    },
    {
        "prompt": "a green barrel comes closer across the dunes at sunset, the camera pans left",
        "seed": 2,
        "control_steps": 8,
        "refine_steps": 10,
    },
    {
        "prompt": "an orange cone in a snowy landscape at noon",
        "seed": 3,
        "structure": "CAMERA",
    },
]


def main() -> None:
    say("Blender " + bpy.app.version_string + ", installing the extension")
    bpy.ops.extensions.package_install_files(filepath=ORDER["zip"], repo="user_default", enable_on_install=True)
    build_scene()
    bpy.context.preferences.filepaths.save_version = 0  # no demo.blend1 beside it
    bpy.ops.wm.save_as_mainfile(filepath=str(OUT / "demo.blend"))
    bpy.context.preferences.addons[ADD_ON].preferences.sidecar_python = ORDER["sidecar"]
    connect()
    write_storyboard()
    bpy.ops.confiner.fix_colour()
    bpy.ops.confiner.generate_all()
    follow()
    check()
    render_animatic()
    bpy.context.scene.frame_set(1)
    bpy.ops.wm.save_mainfile()
    print("RESULT " + json.dumps(rows()), flush=True)


def build_scene() -> None:
    """A grey cone on a grey floor that swings through the picture, in the frames of the third shot."""
    scene = bpy.context.scene
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    bpy.ops.mesh.primitive_plane_add(size=200)
    bpy.ops.mesh.primitive_cone_add(vertices=64, radius1=0.85, depth=1.7)
    cone = bpy.context.object
    bpy.ops.object.shade_smooth_by_angle()
    first = 1 + 2 * LENGTH
    for step in range(LENGTH + 1):
        turn = step / LENGTH
        cone.location = (-1.5 + 2.9 * turn, 5.2 - 1.5 * math.sin(math.pi * turn), 0.85)
        cone.keyframe_insert("location", frame=first + step)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    camera.location, camera.rotation_euler = (0, 0, 1.6), (math.radians(90), 0, 0)
    camera.data.angle, camera.data.shift_y = 2 * math.atan(0.5), -0.1
    scene.camera = camera
    scene.render.resolution_x = scene.render.resolution_y = 512
    scene.render.fps, scene.frame_start, scene.frame_end = 24, 1, LENGTH * len(SHOTS)


def write_storyboard() -> None:
    for settings in SHOTS:
        bpy.ops.confiner.add_shot()
        shot = bpy.context.scene.confiner.shots[-1]
        for name, value in {"length": LENGTH, "fps": 8, "hold": "RATE", **settings}.items():
            setattr(shot, name, value)
        say(f"{shot.name}: {shot.prompt}")


def connect() -> None:
    bpy.ops.confiner.connect()
    link, runtime = module("client.session.session_states"), module("host.session.runtime").RUNTIME
    pump_while(lambda: not runtime.chains and runtime.link.state is not link.State.FAILED)
    if not runtime.chains:
        problem = runtime.link.problem
        sys.exit(f"{problem.message}: {problem.remedy}\n{runtime.link.log_tail}" if problem else "no sidecar in time")
    say("the sidecar is ready, chains: " + ", ".join(runtime.chains))


def follow() -> None:
    """Pump until every job has ended, with a line whenever one comes a step further."""
    progress, runtime = module("storyboard.job_progress"), module("host.session.runtime")
    names = {shot.uuid: shot.name for shot in bpy.context.scene.confiner.shots}
    shown: dict[str, object] = {}
    started = time.monotonic()

    def under_way() -> bool:
        for shot, job in runtime.RUNTIME.jobs.items():
            step = job.progress.state, job.progress.stage, job.progress.stage and job.progress.step
            if shown.get(shot) != step:
                shown[shot] = step
                done = progress.fraction(job.progress)
                bar = "█" * round(20 * done) + "░" * (20 - round(20 * done))
                say(f"{time.monotonic() - started:5.1f} s  {names[shot]}  {bar}  {progress.sentence(job.progress)}")
        return runtime.busy()

    pump_while(under_way)
    for shot, job in runtime.RUNTIME.jobs.items():
        if job.progress.problem is not None:
            sys.exit(f"{names[shot]}: {job.progress.problem.message}: {job.progress.problem.remedy}")


def check() -> None:
    """Every shot has its strip, every picture is there, nothing overlaps."""
    strips = list(module("host.blender.compat").strips_of(bpy.context.scene))
    spans = sorted(module("host.blender.compat").handles(strip) for strip in strips)
    assert spans == [(1 + LENGTH * i, 1 + LENGTH * (i + 1)) for i in range(len(SHOTS))], spans
    for strip in strips:
        assert strip.directory.startswith("//"), f"{strip.directory} would be lost if the folder is moved"
        folder = Path(bpy.path.abspath(strip.directory))
        assert all((folder / element.filename).is_file() for element in strip.elements), strip.name


def render_animatic() -> None:
    render = bpy.context.scene.render
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
    render.ffmpeg.constant_rate_factor, render.ffmpeg.ffmpeg_preset = "HIGH", "GOOD"
    render.filepath, render.use_file_extension = "//animatic.mp4", True
    say("rendering the animatic")
    bpy.ops.render.render(animation=True)


def rows() -> list[dict[str, Any]]:
    """What the contact sheet shows."""
    takes, timing, shots = module("host.scene.takes"), module("storyboard.clip_timing"), module("host.scene.shots")
    found = []
    for shot in bpy.context.scene.confiner.shots:
        take = shots.active_take(shot)
        steps = f"{shot.control_steps}+{shot.refine_steps} steps, " if shot.control_steps else ""
        source = "structure from the scene's camera, " if shot.structure == "CAMERA" else ""
        source += "" if shot.freedom_auto else f"freedom {shot.freedom}, "
        how = f"{source}{steps}{timing.hold_sentence(shots.take_timing(take))}, seed {shot.seed}"
        found.append({"name": shot.name, "prompt": shot.prompt, "how": how, "folder": str(takes.folder_of(take))})
    return found


def pump_while(under_way: Any) -> None:
    pump, deadline = module("host.callbacks.timer").pump, time.monotonic() + PATIENCE
    while under_way():
        if time.monotonic() > deadline:
            sys.exit(f"the demo did not get on for {PATIENCE} s")
        pump()
        time.sleep(0.02)


def module(name: str) -> Any:
    """A module of the extension, under the name that Blender gave it."""
    return importlib.import_module(f"{ADD_ON}.{name}")


def say(text: str) -> None:
    print("  " + text, flush=True)


main()
