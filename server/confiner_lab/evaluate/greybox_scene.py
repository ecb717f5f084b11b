# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by Blender, never imported: renders grey boxes on given paths with Workbench.

    BLENDER_PYTHON greybox_scene.py order.json

The order holds `width`, `height`, `out` and `clips`: a list of `name`, `shape`, `floor` (the floor's grey; the solid
keeps Blender's default of .8) and `points` (see `paths`). For each clip the folder `out/name` gets `frame_0001.png` …
and `truth.json`: the middle of the solid in each frame, in pixels from the upper left corner, as Blender's own camera
projects it.
"""

import json
import sys
from pathlib import Path
from typing import Any

import bpy
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

EYE_HEIGHT = 1.6
FOCAL = 2.0  # in half picture heights
HORIZON = 0.22  # over the picture's middle, in half picture heights
HEIGHT = {"cube": 1.30, "sphere": 1.56, "cone": 1.70, "cylinder": 1.45}
RADIUS = {"sphere": 0.78, "cone": 0.85, "cylinder": 0.64}


def main(order_file: str) -> None:
    order = json.loads(Path(order_file).read_text(encoding="utf-8"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    set_up_render(scene, order["width"], order["height"])
    add_camera(scene)
    bpy.ops.mesh.primitive_plane_add(size=400)
    floor = bpy.context.object
    for clip in order["clips"]:
        floor.color = (clip["floor"],) * 3 + (1,)
        render_clip(scene, clip, Path(order["out"]) / clip["name"])


def set_up_render(scene: bpy.types.Scene, width: int, height: int) -> None:
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "Standard"
    scene.display.shading.light = "STUDIO"
    scene.display.shading.color_type = "OBJECT"
    scene.display.shading.show_shadows = False
    scene.world = bpy.data.worlds.new("sky")
    scene.world.color = (0.06, 0.06, 0.06)


def add_camera(scene: bpy.types.Scene) -> None:
    data = bpy.data.cameras.new("camera")
    data.sensor_fit = "VERTICAL"
    data.lens = FOCAL * data.sensor_height / 2
    data.shift_y = -HORIZON / 2
    camera = bpy.data.objects.new("camera", data)
    camera.location = (0, 0, EYE_HEIGHT)
    camera.rotation_euler = (1.5707963, 0, 0)
    scene.collection.objects.link(camera)
    scene.camera = camera


def add_solid(shape: str) -> bpy.types.Object:
    height = HEIGHT[shape]
    if shape == "cube":
        bpy.ops.mesh.primitive_cube_add(size=height)
    elif shape == "sphere":
        bpy.ops.mesh.primitive_uv_sphere_add(radius=RADIUS[shape], segments=48, ring_count=24)
        bpy.ops.object.shade_smooth()
    elif shape == "cone":
        bpy.ops.mesh.primitive_cone_add(radius1=RADIUS[shape], depth=height, vertices=48)
    else:
        bpy.ops.mesh.primitive_cylinder_add(radius=RADIUS[shape], depth=height, vertices=48)
    solid = bpy.context.object
    solid.rotation_euler = (0, 0, 0.55)
    solid.color = (0.8, 0.8, 0.8, 1)
    return solid


def render_clip(scene: bpy.types.Scene, clip: dict[str, Any], folder: Path) -> None:
    solid = add_solid(clip["shape"])
    truth = []
    for number, (x, y, z) in enumerate(clip["points"], start=1):
        solid.location = (x, y, z + HEIGHT[clip["shape"]] / 2)
        bpy.context.view_layer.update()
        seen = world_to_camera_view(scene, scene.camera, Vector(solid.location))
        truth.append((seen.x * scene.render.resolution_x, (1 - seen.y) * scene.render.resolution_y))
        scene.render.filepath = str(folder / f"frame_{number:04d}.png")
        bpy.ops.render.render(write_still=True)
    (folder / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    bpy.data.objects.remove(solid)


main(sys.argv[-1])
