# SPDX-License-Identifier: GPL-3.0-or-later
"""Structure frames: the scene through its camera, or an existing strip, rendered at the clip's rate and size.

The pump renders one frame per slice, so that Blender goes on answering. Each slice sets up what it needs and puts
everything back before it ends, also when it fails.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

from ...storyboard import clip_timing
from ..blender import compat, paths
from ..blender.refusal import Refusal
from ..scene import shots, takes
from ..scene.properties import CONFINER_PG_shot
from ..session.runtime import RUNTIME, Job

ENGINE = "BLENDER_WORKBENCH"
STRIP_TYPES = ("IMAGE", "MOVIE")


def check(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> None:
    """Whether the shot's structure can be captured.

    Raises:
        Refusal: it cannot, and why.
    """
    if shot.structure == "CAMERA":
        if scene.camera is None and not any(marker.camera for marker in scene.timeline_markers):
            raise Refusal("no-camera", f"{scene.name} has no camera", "add one, or choose another structure")
        if not _can_render():
            raise Refusal("no-egl", "Blender cannot render here, since libEGL is missing", "install libegl1")
    elif shot.structure == "STRIP" and _source_strip(scene, shot.structure_strip) is None:
        seen = (
            f"No image or movie strip is named “{shot.structure_strip}”" if shot.structure_strip else "No strip chosen"
        )
        raise Refusal("no-strip", seen, "choose the strip that lays out the shot")


def step(job: Job) -> list[bytes] | None:
    """Render the next frame of the job's structure; all frames as PNG once that was the last.

    Raises:
        Refusal: the shot or its source is gone, or the frame could not be rendered.
    """
    found = shots.find_shot(job.entry.shot)
    if found is None:
        raise Refusal("no-shot", "The shot was removed while its structure was captured", "generate it again")
    scene, shot = found
    check(scene, shot)
    offsets = clip_timing.first_offsets(job.entry.timing)
    index = job.progress.step
    render(scene, shot, job.structure_start, offsets[index], job.folder / takes.STRUCTURE.format(index + 1))
    job.progress = dataclasses.replace(job.progress, step=index + 1, steps=len(offsets))
    if index + 1 < len(offsets):
        return None
    return [(job.folder / takes.STRUCTURE.format(number + 1)).read_bytes() for number in range(len(offsets))]


def render(scene: bpy.types.Scene, shot: CONFINER_PG_shot, start: int, offset: int, path: Path) -> None:
    """Render the structure frame `offset` timeline frames into the shot, at the shot's size.

    Raises:
        Refusal: Blender wrote no picture.
    """
    path.unlink(missing_ok=True)
    if shot.structure == "CAMERA":
        with _camera_view(scene, shot.width, shot.height):
            scene.frame_set(start + offset)
            _write(scene, path)
    else:
        with _strip_alone(scene, shot) as (stage, length):
            stage.frame_set(1 + min(offset, length - 1))
            _write(stage, path)
    if not path.exists():
        raise Refusal("no-picture", "Blender rendered no structure frame", "look at its console for the reason")


def _write(scene: bpy.types.Scene, path: Path) -> None:
    scene.render.filepath = str(path)
    try:
        bpy.ops.render.render(write_still=True, scene=scene.name)
    except RuntimeError as error:
        raise Refusal("render", f"Blender could not render ({error})".replace("\n", " "), "mend that first") from error


@contextlib.contextmanager
def _camera_view(scene: bpy.types.Scene, width: int, height: int) -> Iterator[None]:
    """The scene set to render its camera's view as the viewport shows it, and afterwards as it was."""
    render, settings = scene.render, scene.render.image_settings
    kept = [
        *_keep(scene, "frame_current", "frame_subframe"),
        *_keep(
            render, "engine", "use_sequencer", "use_compositing", "use_border", "use_stamp", "use_multiview",
            "film_transparent", "resolution_x", "resolution_y", "resolution_percentage", "pixel_aspect_x",
            "pixel_aspect_y", "filepath", "use_file_extension", "dither_intensity",
        ),
        *_keep(settings, "media_type", "file_format", "color_mode", "color_depth", "color_management"),
        *_keep(scene.view_settings, "view_transform", "look", "exposure", "gamma", "use_curve_mapping"),
    ]  # fmt: skip
    frame = scene.frame_current, scene.frame_subframe
    try:
        render.engine = ENGINE
        render.film_transparent = False
        _plain(scene, width, height)
        render.use_sequencer = False  # its default renders the strips, not the camera
        yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)
        scene.frame_set(frame[0], subframe=frame[1])


@contextlib.contextmanager
def _strip_alone(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> Iterator[tuple[bpy.types.Scene, int]]:
    """A scene that holds nothing but the pictures of the shot's source strip, from frame 1; and how many there are."""
    source = _source_strip(scene, shot.structure_strip)
    stage = bpy.data.scenes.new("ConFiner structure")
    try:
        _plain(stage, shot.width, shot.height)
        strip, length = _copy_pictures(stage, source)
        stage.render.use_sequencer = True
        stage.render.fps, stage.render.fps_base = scene.render.fps, scene.render.fps_base
        strip.colorspace_settings.name = source.colorspace_settings.name
        yield stage, length
    finally:
        bpy.data.scenes.remove(stage)


def _copy_pictures(stage: bpy.types.Scene, source: Any) -> tuple[Any, int]:
    left, right = compat.handles(source)
    skipped = left - compat.content(source)[0]
    new = compat.strips_for_new(stage)
    if source.type == "MOVIE":
        path = str(paths.absolute(source.filepath))
        strip = new.new_movie("source", path, channel=1, frame_start=1 - skipped, fit_method="FILL")
        return strip, right - left
    names = [element.filename for element in source.elements]
    path = str(paths.absolute(source.directory) / names[0])
    strip = new.new_image("source", path, channel=1, frame_start=1 - skipped, fit_method="FILL")
    for name in names[1:]:
        strip.elements.append(name)
    compat.set_handles(strip, 1, max(compat.handles(strip)[1], 1 + right - left))
    return strip, right - left


def _plain(scene: bpy.types.Scene, width: int, height: int) -> None:
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1
    render.use_compositing = render.use_border = render.use_stamp = render.use_multiview = False
    render.use_file_extension = True
    render.dither_intensity = 0
    compat.set_png(render)
    render.image_settings.color_management = "FOLLOW_SCENE"
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
    scene.view_settings.exposure, scene.view_settings.gamma = 0, 1
    scene.view_settings.use_curve_mapping = False


def _keep(owner: Any, *names: str) -> list[tuple[Any, str, Any]]:
    """What to set again, in this order. Names that this Blender does not have are left out."""
    return [(owner, name, getattr(owner, name)) for name in names if hasattr(owner, name)]


def _source_strip(scene: bpy.types.Scene, name: str) -> Any:
    return next((s for s in compat.strips_of(scene) if s.name == name and s.type in STRIP_TYPES), None)


def _can_render() -> bool:
    """Without libEGL a render in the background would end the process, with no exception to catch."""
    if sys.platform != "linux" or not bpy.app.background:
        return True
    try:
        ctypes.CDLL("libEGL.so.1")
    except OSError:
        return False
    return True


def pending() -> Job | None:
    """The job whose structure is captured next."""
    while RUNTIME.captures:
        job = RUNTIME.jobs.get(RUNTIME.captures[0])
        if job is not None and not job.progress.ended:
            return job
        RUNTIME.captures.popleft()
    return None
