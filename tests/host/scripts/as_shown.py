"""Captures a strip that the author has worked on, and compares with what the timeline shows of it."""

import bpy
import numbered
import stage

stage.enable()
capture, compat = stage.module("host.jobs.capture"), stage.module("host.blender.compat")
scene = bpy.context.scene
paths = numbered.write(stage.FOLDER / "source", 12)
N = 6


def fresh(start: int = 3) -> object:
    if scene.animation_data is not None:
        scene.animation_data_clear()
    if scene.sequence_editor is not None:
        scene.sequence_editor_clear()
    return numbered.image_strip(scene, paths, start)


def hard_trimmed(strip: object) -> None:
    strip.animation_offset_start = 4


def reversed_and_trimmed(strip: object) -> None:
    strip.use_reverse_frames = True
    compat.set_handles(strip, 5, 12)


def moved(strip: object) -> None:
    strip.transform.offset_x = 600


def slides(strip: object) -> None:
    for frame, place in ((3, 0), (5, 600), (7, -600)):
        strip.transform.offset_x = place
        strip.transform.keyframe_insert("offset_x", frame=frame)


def slowed(strip: object) -> None:
    strips = compat.strips_for_new(scene)
    span = {"length": 12} if bpy.app.version >= (5, 0) else {"frame_end": 15}
    name = "input1" if bpy.app.version >= (4, 4) else "seq1"
    speed = strips.new_effect("slow", "SPEED", channel=2, frame_start=3, **span, **{name: strip})
    speed.speed_control, speed.speed_factor = "MULTIPLY", 0.5


def muted_channel(strip: object) -> None:
    scene.sequence_editor.channels[1].mute = True


CHANGES = {
    "plain": lambda strip: None,
    "reversed": lambda strip: setattr(strip, "use_reverse_frames", True),
    "mirrored": lambda strip: setattr(strip, "use_flip_x", True),
    "strobe": lambda strip: setattr(strip, "strobe", 3),
    "hard trimmed": hard_trimmed,
    "reversed and trimmed": reversed_and_trimmed,
    "moved": moved,
    "sliding": slides,
    "slowed": slowed,
}
said, wanted = {}, {}


def captured(name: str, start: int, key: str) -> None:
    shot = stage.add_shot(prompt="a red cube", length=N, fps=scene.render.fps, hold="ONES", structure="STRIP")
    shot.structure_strip, shot.width, shot.height = name, 64, 36
    said[key] = []
    for offset in range(N):
        path = stage.FOLDER / "captured.png"
        capture.render(scene, shot, 1, offset, path)
        said[key].append(numbered.read(path))


for key, change in CHANGES.items():
    change(fresh())
    left = compat.handles(compat.strips_of(scene)["layout"])[0]
    wanted[key] = numbered.seen(scene, list(range(left, left + N)), stage.FOLDER)
    captured("layout", left, key)
wanted["slowed"] = [
    [number // 2, False] for number in range(N)
]  # Blender 5's cache is a frame late in a row of renders

# a meta strip, and a strip of another scene, whose camera moves past a red wall
inner = fresh()
meta = compat.strips_for_new(scene).new_meta("shot", 1, 3)
inner.move_to_meta(meta)
inner.transform.offset_x = 600
compat.set_handles(meta, 3, 15)
wanted["meta"] = numbered.seen(scene, list(range(3, 3 + N)), stage.FOLDER)
captured("shot", 3, "meta")

# what is muted for the author is what lays out the shot all the same
strip = fresh()
strip.mute = True
muted_channel(strip)
wanted["muted"] = [[number, False] for number in range(N)]
captured("layout", 3, "muted")

# a scene strip
fresh()
set_ = bpy.data.scenes.new("Set")
for thing in scene.objects:
    set_.collection.objects.link(thing)
set_.camera = scene.camera
cube = bpy.data.objects["Cube"]
for frame, place in ((1, -4), (6, 4)):
    cube.location.x = place
    cube.keyframe_insert("location", frame=frame)
set_.render.resolution_percentage = 10
engine = set_.render.engine
view = compat.strips_for_new(scene).new_scene("view", set_, channel=3, frame_start=20)
shot = stage.add_shot(prompt="a cube", length=N, fps=scene.render.fps, hold="ONES", structure="STRIP")
shot.structure_strip, shot.width, shot.height = "view", 64, 36
pictures = []
for offset in range(N):
    capture.render(scene, shot, 1, offset, stage.FOLDER / "view.png")
    pictures.append(stage.pixels_of(stage.FOLDER / "view.png").tobytes())
stage.report(said=said, wanted=wanted, views=len(set(pictures)), engine=set_.render.engine == engine)
