"""Captures from storyboards that are not what the window shows, while the author scrubs and switches scenes."""

import itertools
from pathlib import Path

import bpy
import numbered
import stage

stage.enable()
capture, jobs, compat = (
    stage.module("host.jobs.capture"),
    stage.module("host.jobs.jobs"),
    stage.module("host.blender.compat"),
)
board = bpy.context.scene
elsewhere = bpy.data.scenes.new("Elsewhere")
paths = numbered.write(stage.FOLDER / "source", 12)
movie = numbered.write_movie(stage.FOLDER / "source", paths)
N = 6


def new_shot(structure: str, length: int = N) -> object:
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = board
    with numbered.window_on(board):
        shot = stage.add_shot(
            prompt="a red cube", length=length, fps=board.render.fps, hold="ONES", structure=structure
        )
    shot.structure_strip, shot.width, shot.height = "layout", 64, 64
    return shot


def unsettled() -> itertools.cycle:
    """What the author does between two slices, over and over."""

    def show(scene: object, frame: int) -> None:
        bpy.context.window.scene = scene
        scene.frame_set(frame)
        if hasattr(bpy.context.workspace, "sequencer_scene"):
            bpy.context.workspace.sequencer_scene = scene

    return itertools.cycle([lambda: show(elsewhere, 40), lambda: show(board, 3), lambda: show(elsewhere, 2)])


def capture_all(shot: object, between: object = None) -> object:
    job = jobs._prepare(board, shot)
    job.structure_start = 1
    while capture.step(job) is None:
        if between is not None:
            next(between)()
    return job


def strip_case(start: int = 1, trim: tuple[int, int] | None = None, as_movie: bool = False) -> object:
    board.sequence_editor_clear()
    if as_movie:
        strip = compat.strips_for_new(board).new_movie("layout", str(movie), 1, start, fit_method="FIT")
    else:
        strip = numbered.image_strip(board, paths, start)
    compat.set_handles(strip, *(trim or (start, start + len(paths))))
    return strip


said = {}
for name, current, settings in (
    ("playhead at 1", 1, {}),
    ("playhead at 9", 9, {}),
    ("playhead past the end", 60, {}),
    ("strip that starts at 30", 1, {"start": 30}),
    ("strip that starts before zero", 7, {"start": -20}),
    ("trimmed", 1, {"trim": (5, 11)}),
    ("movie", 9, {"as_movie": True}),
    ("trimmed movie", 1, {"as_movie": True, "trim": (5, 11)}),
):
    strip_case(**settings)
    board.frame_set(current)
    bpy.context.window.scene = board
    said[name] = numbered.structure_of(capture_all(new_shot("STRIP")))
    bpy.context.window.scene = elsewhere
    elsewhere.frame_set(4)
    said[f"{name}, another scene in the window"] = numbered.structure_of(capture_all(new_shot("STRIP")))
strip_case()
said["author at work"] = numbered.structure_of(capture_all(new_shot("STRIP"), unsettled()))
strip_case(trim=(1, 4))
said["shot outlasts the strip"] = numbered.structure_of(capture_all(new_shot("STRIP")))

# the camera: the same frames as plain renders of its scene, whatever scene is looked at
cube = bpy.data.objects["Cube"]
for frame, place in ((1, -6), (16, 6)):
    cube.location.x = place
    cube.keyframe_insert("location", frame=frame)
bpy.context.window.scene = elsewhere
camera = [stage.pixels_of(path) for path in sorted(capture_all(new_shot("CAMERA", 16)).folder.glob("structure_*"))]
worked = sorted(capture_all(new_shot("CAMERA", 16), unsettled()).folder.glob("structure_*"))
render = board.render
render.engine, render.use_sequencer, render.dither_intensity = "BLENDER_WORKBENCH", False, 0
compat.set_png(render)
render.resolution_x, render.resolution_y, render.resolution_percentage = 64, 64, 100
board.view_settings.view_transform = "Standard"
bpy.context.window.scene = board
plain = []
for frame in range(1, 17):
    board.frame_set(frame)
    render.filepath = str(stage.FOLDER / f"plain_{frame:02d}.png")
    bpy.ops.render.render(write_still=True)
    plain.append(stage.pixels_of(Path(render.filepath)))
camera_off = [int(abs(a.astype(int) - b).max()) for a, b in zip(camera, plain, strict=True)]
worked_off = [int(abs(stage.pixels_of(a).astype(int) - b).max()) for a, b in zip(worked, plain, strict=True)]
stage.report(
    strips=said, different=len({picture.tobytes() for picture in camera}), camera_off=camera_off,
    worked_off=worked_off, scenes=[scene.name for scene in bpy.data.scenes], pngs=[str(path) for path in worked],
)  # fmt: skip
