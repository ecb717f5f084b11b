# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures structure from a scene that already holds a take, through its camera and from a strip."""

import itertools

import bpy
import stage

stage.enable()
capture, jobs, runtime = (
    stage.module("host.jobs.capture"),
    stage.module("host.jobs.jobs"),
    stage.module("host.session.runtime"),
)
scene = bpy.context.scene
render, view = scene.render, scene.view_settings


def settings() -> dict[str, object]:
    names = ("engine", "use_sequencer", "use_compositing", "film_transparent", "resolution_x", "resolution_y",
             "resolution_percentage", "filepath", "use_stamp", "pixel_aspect_x")  # fmt: skip
    kept = {name: getattr(render, name) for name in names}
    kept |= {name: getattr(view, name) for name in ("view_transform", "look", "exposure", "gamma")}
    return {**kept, "format": render.image_settings.file_format, "mode": render.image_settings.color_mode,
            "depth": render.image_settings.color_depth, "frame": scene.frame_current}  # fmt: skip


scene.frame_current = 5
render.resolution_x, render.resolution_y, render.resolution_percentage = 1920, 1080, 50
render.film_transparent = True
render.filepath = "//somewhere/else_"
render.image_settings.file_format = "OPEN_EXR"
view.exposure = 1.5
cube = bpy.data.objects["Cube"]
cube.location.x = -6
cube.keyframe_insert("location", frame=1)
cube.location.x = 6
cube.keyframe_insert("location", frame=48)
scene.frame_set(5)

# a take that fills the timeline with red
taken = stage.add_shot(prompt="red", length=48)
stage.finish(stage.start_job(taken))

shot = stage.add_shot(prompt="a grey box", length=48, structure="CAMERA", width=64, height=64)
before = settings()
runtime.RUNTIME.jobs.pop(scene.confiner.shots[0].uuid)
job = jobs._prepare(scene, scene.confiner.shots[1])
job.structure_start = 1
frames = None
slices = 0
while frames is None:
    frames = capture.step(job)
    slices += 1
after = settings()

pictures = [stage.pixels_of(job.folder / f"structure_{n + 1:04d}.png").astype(int) for n in range(16)]
colourful = max(int(abs(p[..., 0] - p[..., 2]).max()) for p in pictures)
changes = [float(abs(a - b).mean()) for a, b in itertools.pairwise(pictures)]

# the same when the render fails: everything is put back
camera = scene.camera
failure = ""
try:
    with capture._camera_view(scene, 64, 64):
        raise RuntimeError("the render failed")
except RuntimeError as error:
    failure = str(error)
after_failure = settings()

# an existing strip as the source: its pictures, whatever else stands on the timeline
strip_shot = scene.confiner.shots[1]
strip_shot.structure, strip_shot.structure_strip = "STRIP", stage.strips()[0].name
strip_job = jobs._prepare(scene, strip_shot)
from_strip = None
while from_strip is None:
    from_strip = capture.step(strip_job)
red = stage.pixels_of(strip_job.folder / "structure_0008.png")

# refusals
refusals = []
for structure, name, with_camera in (("CAMERA", "", False), ("STRIP", "", True), ("STRIP", "nothing", True)):
    strip_shot.structure, strip_shot.structure_strip = structure, name
    scene.camera = camera if with_camera else None
    try:
        capture.check(scene, strip_shot)
    except Exception as error:  # noqa: BLE001
        refusals.append(str(error))
stage.report(
    size=list(pictures[0].shape), slices=slices, colourful=colourful, changes=changes, before=before, after=after,
    failure=failure, after_failure=after_failure, red=red.reshape(-1, 3).mean(0).tolist(), refusals=refusals,
    pngs=[frame[:4] == b"\x89PNG" for frame in frames], scenes=len(bpy.data.scenes),
    ahead=[abs(pictures[0] - pictures[0].mean()).mean(), abs(pictures[8] - pictures[0]).mean()],
)  # fmt: skip
