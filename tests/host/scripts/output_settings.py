"""Captures, and fails to, from scenes whose output an author has set up for something else; places a take."""

import shutil

import bpy
import stage

stage.enable()
capture, compat = stage.module("host.jobs.capture"), stage.module("host.blender.compat")
scene = bpy.context.scene
render, output = scene.render, scene.render.image_settings
other = bpy.data.objects.new("Other", bpy.data.cameras.new("Other"))
scene.collection.objects.link(other)
marker = scene.timeline_markers.new("cut", frame=2)
marker.camera = other
shot = stage.add_shot(prompt="a red cube", length=2, fps=24, structure="CAMERA")


def choose(media: str, file_format: str, mode: str, depth: str = "8") -> None:
    if hasattr(output, "media_type"):
        output.media_type = media
    output.file_format = file_format
    if media == "VIDEO":
        render.ffmpeg.format, render.ffmpeg.codec = "QUICKTIME", "QTRLE"
    output.color_mode, output.color_depth = mode, depth


def own_view() -> None:
    choose("IMAGE", "PNG", "RGBA", "16")
    output.color_management = "OVERRIDE"
    output.view_settings.view_transform, output.view_settings.exposure = "Filmic", 1.5


def snapshot() -> dict[str, str]:
    owners = {"render": render, "output": output, "movie": render.ffmpeg, "view": scene.view_settings,
              "own view": output.view_settings, "own display": output.display_settings,
              "space": output.linear_colorspace_settings, "frame": scene}  # fmt: skip
    kept = {f"{label} {name}": str(getattr(owner, name)) for label, owner in owners.items()
            for name in compat.values_of(owner)}  # fmt: skip
    return {**kept, "camera": scene.camera.name}


def changed(path: object, frame: int) -> list[str]:
    before = snapshot()
    try:
        capture.render(scene, shot, frame, 0, path)
        failed = False
    except Exception:  # noqa: BLE001
        failed = True
    after = snapshot()
    return [failed, [name for name in before if before[name] != after[name]]]


said = {}
for name, set_up in {
    "quicktime": lambda: choose("VIDEO", "FFMPEG", "RGBA"),
    "exr": lambda: choose("IMAGE", "OPEN_EXR", "RGBA", "32"),
    "grey": lambda: choose("IMAGE", "PNG", "BW", "16"),
    "jpeg": lambda: choose("IMAGE", "JPEG", "RGB"),
    "own view": own_view,
}.items():
    output.color_management = "FOLLOW_SCENE"
    set_up()
    scene.frame_set(1, subframe=0.25)
    scene.camera = bpy.data.objects["Camera"]
    said[name] = changed(stage.FOLDER / "frame.png", 2)
    said[f"{name}, failed"] = changed(stage.FOLDER / "nowhere" / "frame.png", 2)
shutil.rmtree(stage.FOLDER / "nowhere", ignore_errors=True)

# a take goes where it is seen and may be moved
compat.strips_for_new(scene)
channels = scene.sequence_editor.channels
channels[1].mute, channels[2].lock = True, True
stage.finish(stage.start_job(stage.add_shot(prompt="a red cube", length=4)))
stage.report(said=said, channel=stage.strips()[0].channel)
