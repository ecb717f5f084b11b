# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in a Blender that has a window: brings the panel into each of its states and photographs it.

A state is reached as an animator reaches it, by the operators and properties behind the buttons and by real jobs. The
script is a generator that the window's own timer steps: it yields what it waits for, so that Blender draws in between.
"""

from __future__ import annotations

import importlib
import itertools
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

DESK, SIDECAR = Path(sys.argv[-2]), sys.argv[-1]
PICTURES = DESK / "pictures"
ADD_ON = "bl_ext.user_default.confiner"
TICK = 0.1
DRAWN = 1.2
"""Seconds after which a change is on the screen, icons and all."""
PATIENCE = 600
SIDEBAR_WIDTH = 420
TWINS = itertools.count()

Wait = float | Callable[[], bool]


def module(name: str) -> Any:
    return importlib.import_module(f"{ADD_ON}.{name}")


def without_sidecar() -> Iterator[Wait]:
    runtime = module("host.session.runtime").RUNTIME
    yield from photograph("01-empty-storyboard")
    add_shot(prompt="a red cube moves left on grass at noon")
    bpy.ops.confiner.connect()
    yield lambda: runtime.link.problem is not None
    with unfolded("sidecar"):
        yield from photograph("02-no-sidecar-yet")
    preferences().sidecar_python = "/usr/bin/no-such-python"
    bpy.ops.confiner.connect()
    yield DRAWN
    yield lambda: runtime.link.problem is not None
    yield from photograph("03-wrong-interpreter")
    yield from preferences_pictured()


def preferences_pictured() -> Iterator[Wait]:
    """The preferences, in the window that is there: a second one would need a window manager."""
    area = sequencer()
    area.type = "PREFERENCES"
    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "ConFiner"
    bpy.ops.preferences.addon_expand(module=ADD_ON)
    yield DRAWN
    print("state 04-preferences", flush=True)
    take_picture(PICTURES / "04-preferences.png")
    area.type = "SEQUENCE_EDITOR"


def with_sidecar() -> Iterator[Wait]:
    runtime = module("host.session.runtime").RUNTIME
    bpy.ops.confiner.connect()
    yield lambda: bool(runtime.chains)
    bpy.ops.wm.save_as_mainfile(filepath=str(DESK / "storyboard.blend"))
    yield lambda: bool(runtime.weights)
    with unfolded("weights"):
        yield from photograph("09-weights")
    yield from remarks()
    yield from making(runtime)
    yield from takes(runtime)
    yield from troubles(runtime)


def remarks() -> Iterator[Wait]:
    """What the panel says before anything is generated."""
    shot = add_shot(prompt="")
    yield from photograph("10-empty-prompt")
    shot.prompt = "a purple dragon flies left over grass"
    yield from photograph("11-unknown-words")
    shot.prompt, shot.width, shot.height = "a blue cone stands still on snow at night", 300, 200
    yield from photograph("12-size-no-expert-makes")
    shot.width = shot.height = 64
    bpy.context.scene.view_settings.view_transform = "AgX"
    yield from photograph("13-wrong-colours")
    bpy.ops.confiner.fix_colour()
    bpy.context.scene.frame_set(25)
    bpy.ops.confiner.add_stretch()
    shot.stretches[0].prompt = "a blue sphere bounces on snow at night"
    bpy.ops.confiner.add_stretch()
    shot.stretches[1].prompt = "a violet sphere bounces on snow at dusk"
    yield from photograph("14-several-prompts")
    shot.stretches.clear()


def making(runtime: Any) -> Iterator[Wait]:
    """Three shots on their way: waiting, previewed, finished."""
    storyboard = bpy.context.scene.confiner
    storyboard.shots[0].prompt, storyboard.shots[0].seed = "a red cube moves left on grass at noon", 11
    add_shot(prompt="a blue ball bounces on sand at dusk, the camera zooms in", seed=5)
    add_shot(prompt="a yellow cone on snow at noon", seed=3, structure="CAMERA")
    storyboard.index = 0
    bpy.ops.confiner.generate_all()
    yield lambda: any(job.preview for job in runtime.jobs.values())
    yield from photograph("20-generating")
    storyboard.index = 1
    yield from photograph("21-waiting-in-the-queue")
    yield lambda: not module("host.session.runtime").busy()
    storyboard.index = 0
    yield from photograph("22-all-done", whole=True)


def takes(runtime: Any) -> Iterator[Wait]:
    shot = bpy.context.scene.confiner.shots[0]
    bpy.ops.confiner.new_seed()
    bpy.ops.confiner.generate()
    yield lambda: not module("host.session.runtime").busy()
    yield from photograph("30-two-takes", whole=True)
    shot.prompt = "a red cube moves left on snow at noon"
    yield from photograph("31-changed-since-the-take")
    bpy.context.scene.confiner.index = 2
    with unfolded("experts"), unfolded("sidecar"):
        yield from photograph("32-structure-and-experts")
    bpy.ops.ed.undo_push(message="Three Shots")
    bpy.ops.confiner.remove_shot("EXEC_DEFAULT", True)
    bpy.ops.ed.undo()
    yield DRAWN
    assert len(bpy.context.scene.confiner.shots) == 3
    yield from photograph("33-after-undo")


def troubles(runtime: Any) -> Iterator[Wait]:
    storyboard = bpy.context.scene.confiner
    storyboard.index = 1
    shot = storyboard.shots[1]
    shot.length = 480
    bpy.ops.confiner.generate()
    job = runtime.jobs[shot.uuid]
    yield lambda: job.progress.stage == "control"
    yield from photograph("40-first-segment")
    yield lambda: job.progress.stage == "refine" and any(job.folder.glob("frame_*.png"))
    yield from photograph("41-longer-take-in-the-making", whole=True)
    bpy.ops.confiner.cancel()
    yield lambda: job.progress.ended
    yield from photograph("42-cut-short")
    bpy.ops.confiner.keep_part(take=job.entry.take)
    bpy.ops.confiner.use_take(take=job.entry.take)
    yield from photograph("43-part-kept", whole=True)
    shot = storyboard.shots[1]
    shot.length, shot.refine_steps = 480, 40
    bpy.ops.confiner.generate()
    job = runtime.jobs[shot.uuid]
    for _ in range(2):
        yield lambda: job.progress.ended or job.progress.stage in ("control", "refine")
        for process in worker_processes():
            os.kill(process, signal.SIGKILL)
        yield 2.0
    yield lambda: job.progress.ended
    yield from photograph("44-worker-killed-twice")


# --- the window ------------------------------------------------------------------------------------------------------


def set_up() -> Iterator[Wait]:
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.view.show_developer_ui = False
    bpy.ops.extensions.package_install_files(
        filepath=str(DESK / "extension.zip"), repo="user_default", enable_on_install=True
    )
    template = (
        Path(bpy.utils.system_resource("SCRIPTS")) / "startup/bl_app_templates_system/Video_Editing/startup.blend"
    )
    bpy.ops.workspace.append_activate(idname="Video Editing", filepath=str(template))
    yield DRAWN
    window = bpy.context.window_manager.windows[0]
    area = max(
        (area for area in window.screen.areas if area.type == "SEQUENCE_EDITOR"), key=lambda a: a.width * a.height
    )
    area.spaces.active.view_type = "SEQUENCER_PREVIEW"
    area.spaces.active.show_region_ui = True
    with bpy.context.temp_override(window=window, area=area):
        bpy.ops.screen.screen_full_area(use_hide_panels=False)
    yield DRAWN
    area = sequencer()
    area.spaces.active.show_region_ui = True
    sidebar().active_panel_category = "ConFiner"
    yield DRAWN
    yield from widen(area)
    build_scene()


def widen(area: bpy.types.Area) -> Iterator[Wait]:
    """Drag the sidebar's edge: its width has no other handle."""
    region = sidebar()
    height = bpy.context.window_manager.windows[0].height
    x, y = region.x, height - (region.y + region.height // 2)
    pull = region.width - SIDEBAR_WIDTH
    for step in (["mousemove", x, y], ["mousedown", 1], ["mousemove", x + pull // 2, y], ["mousemove", x + pull, y]):
        subprocess.run(["xdotool", *map(str, step)], check=True)
        yield 0.3
    subprocess.run(["xdotool", "mouseup", "1"], check=True)
    yield 0.3
    subprocess.run(["xdotool", "mousemove", "5", "5"], check=True)


def build_scene() -> None:
    """Something to look at through the camera: a cone that slides past."""
    scene = bpy.context.scene
    if scene.sequence_editor is None:
        scene.sequence_editor_create()
    for thing in list(scene.objects):
        bpy.data.objects.remove(thing)
    bpy.ops.mesh.primitive_plane_add(size=60)
    bpy.ops.mesh.primitive_cone_add(radius1=1, depth=2, location=(-2, 0, 1))
    cone = bpy.context.object
    cone.keyframe_insert("location", frame=1)
    cone.location.x = 2
    cone.keyframe_insert("location", frame=144)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    camera.location, camera.rotation_euler = (0, -8, 1.5), (1.57, 0, 0)
    scene.camera, scene.frame_end = camera, 144
    scene.render.resolution_x = scene.render.resolution_y = 512
    scene.view_settings.view_transform = "Standard"


def sequencer() -> bpy.types.Area:
    return next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "SEQUENCE_EDITOR")


def sidebar() -> bpy.types.Region:
    return next(region for region in sequencer().regions if region.type == "UI")


def photograph(name: str, whole: bool = False) -> Iterator[Wait]:
    """The sidebar as it is drawn now, or the whole window."""
    print(f"state {name}", flush=True)
    bpy.context.scene.frame_set(min(20, bpy.context.scene.frame_end))
    for _ in range(2):  # the second time with the pictures that the first one made Blender read
        for area in bpy.context.window_manager.windows[0].screen.areas:
            area.tag_redraw()
        yield DRAWN
    region = sidebar()
    top = bpy.context.window_manager.windows[0].height - region.y - region.height
    crop = [] if whole else ["-crop", f"{region.width}x{region.height}+{region.x}+{top}", "+repage"]
    take_picture(PICTURES / f"{name}.png", *crop)


def take_picture(path: Path, *crop: str) -> None:
    path.parent.mkdir(exist_ok=True)
    subprocess.run(["import", "-window", "root", *crop, str(path)], check=True)


@contextmanager
def unfolded(panel: str) -> Iterator[None]:
    """Whether a panel is open has no handle but the default of one that was never drawn: so a twin takes its place."""
    closed = getattr(bpy.types, f"CONFINER_PT_{panel}_sequencer")
    name = f"{closed.__name__}_{next(TWINS)}"
    twin = type(name, (closed,), {"bl_idname": name, "bl_options": set()})
    bpy.utils.unregister_class(closed)
    bpy.utils.register_class(twin)
    yield
    bpy.utils.unregister_class(twin)
    bpy.utils.register_class(closed)


def worker_processes() -> list[int]:
    """Our sidecar's worker: room and host share process ids, and the host may have other sidecars."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if b"confiner_server.worker" in command and f"{DESK}/home".encode() in environment:
            found.append(int(folder.name))
    return found


def add_shot(**settings: Any) -> Any:
    bpy.ops.confiner.add_shot()
    shot = bpy.context.scene.confiner.shots[-1]
    for name, value in settings.items():
        setattr(shot, name, value)
    return shot


def preferences() -> Any:
    return bpy.context.preferences.addons[ADD_ON].preferences


def script() -> Iterator[Wait]:
    yield from set_up()
    yield from without_sidecar() if SIDECAR == "without" else with_sidecar()
    print("state done", flush=True)


def play(steps: Iterator[Wait]) -> None:
    """Let the window's timer step the script, and leave Blender at its end."""
    waiting: dict[str, Any] = {"for": 1.0, "since": time.monotonic()}

    def step() -> float | None:
        wanted, waited = waiting["for"], time.monotonic() - waiting["since"]
        if waited > PATIENCE:
            print("waited in vain", flush=True)
            os._exit(1)
        if (wanted() if callable(wanted) else waited >= wanted) is False:
            return TICK
        try:
            waiting.update({"for": next(steps), "since": time.monotonic()})
        except StopIteration:
            bpy.ops.wm.quit_blender()
            return None
        except Exception:  # noqa: BLE001  a timer that raises would leave the window open for ever
            traceback.print_exc()
            os._exit(1)
        return TICK

    bpy.app.timers.register(step, first_interval=2.0, persistent=True)


play(script())
