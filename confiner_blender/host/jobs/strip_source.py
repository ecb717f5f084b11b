# SPDX-License-Identifier: GPL-3.0-or-later
"""The strip that lays out a shot: which strips can, the files they show, and one frame of it as the timeline shows it.

It is shown in a copy of its scene, where everything else is mute: so it comes trimmed, reversed, mirrored, retimed and
animated as the author has it, and the author's scene is not touched. A strip that stands as it was brought in, whole,
fills the picture; one that was moved, scaled, turned or cropped is taken as the scene's frame shows it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

from ..blender import compat, paths
from ..blender.refusal import Refusal
from .still import ENGINE

KINDS = ("IMAGE", "MOVIE", "META", "SCENE", "MOVIECLIP")
_OWN_PIXELS = ("IMAGE", "MOVIE", "MOVIECLIP", "SCENE")
"""Strips whose scale counts from the size of their pictures. The others' counts from the scene's."""
_PLACED_BY = ("offset_x", "offset_y", "rotation")
_CROPPED_BY = ("min_x", "max_x", "min_y", "max_y")
_ROUNDING = 1e-4
_UPON_ONE = ("SPEED", "TRANSFORM", "GLOW", "GAUSSIAN_BLUR")
"""Effects on a single strip, which show it in its place."""


def find(scene: bpy.types.Scene, name: str) -> Any:
    """The strip of that name that can lay out a shot.

    Raises:
        Refusal: there is none.
    """
    strip = next((strip for strip in compat.strips_of(scene) if strip.name == name), None)
    if strip is not None and strip.type in KINDS:
        return strip
    seen = "No strip chosen" if not name else f"{scene.name} has no strip “{name}”"
    if strip is not None:
        seen = f"The strip “{name}” has no pictures of its own"
    raise Refusal("no-strip", seen, "choose the image, movie, scene or meta strip that lays out the shot")


def frame_of(strip: Any, offset: int) -> int:
    """The timeline frame `offset` frames into the strip, which holds its last one for ever."""
    left, right = compat.handles(strip)
    return int(min(left + offset, right - 1))


def check_files(strip: Any, frames: list[int]) -> None:
    """Whether the files that the strip shows at those timeline frames are there.

    Raises:
        Refusal: one is not, or is empty.
    """
    for path in dict.fromkeys(path for frame in frames for path in _files(strip, frame)):
        if not path.is_file() or path.stat().st_size == 0:
            state = "is empty" if path.is_file() else "is missing"
            remedy = "put it back, or point the strip to where it is now"
            raise Refusal("no-file", f"{path}, which the strip “{strip.name}” shows, {state}", remedy)


def _files(strip: Any, frame: int) -> Iterator[Path]:
    """The files behind the strip's picture at a timeline frame."""
    if strip.type == "MOVIE":
        yield paths.absolute(strip.filepath)
    elif strip.type == "MOVIECLIP" and strip.clip is not None:
        yield paths.absolute(strip.clip.filepath)
    elif strip.type == "IMAGE" and (element := strip.strip_elem_from_frame(frame)) is not None:
        yield paths.absolute(strip.directory) / element.filename
    elif strip.type == "META":
        for child in compat.children(strip):
            left, right = compat.handles(child)
            seen = not child.mute and not strip.channels[child.channel].mute
            if seen and left <= frame < right:
                yield from _files(child, frame)


@contextlib.contextmanager
def alone(scene: bpy.types.Scene, strip: Any, frame: int, width: int, height: int) -> Iterator[bpy.types.Scene]:
    """A scene that stands at `frame` and shows that strip of `scene` and nothing else, at a size in pixels."""
    with contextlib.ExitStack() as undo:
        stage = scene.copy()
        undo.callback(bpy.data.scenes.remove, stage)
        _empty(stage)
        source = next(other for other in compat.strips_of(stage) if other.name == strip.name)
        shown = _shown(stage, source)
        for other in compat.strips_of(stage):
            other.mute = other not in shown
        for channel in stage.sequence_editor.channels:
            channel.mute = False
        stage.frame_set(frame)
        shown_size = _size_in_frame(stage, source)
        _freeze(stage)
        zoom = max(width / shown_size[0], height / shown_size[1])
        for other in shown:
            _zoom(other, zoom)
        undo.enter_context(_drawn_as_viewport(source))
        yield stage


def _empty(stage: bpy.types.Scene) -> None:
    """Leave nothing in a copied scene that takes time to evaluate, nor the storyboard of its original."""
    for collection in list(stage.collection.children):
        stage.collection.children.unlink(collection)
    for thing in list(stage.collection.objects):
        stage.collection.objects.unlink(thing)
    stage.confiner.shots.clear()
    stage.confiner.uuid = ""
    stage.render.use_sequencer = True


def _shown(stage: bpy.types.Scene, source: Any) -> list[Any]:
    """The strip, and the effects that stand on it alone and show it in its place."""
    shown, last = [], source
    while last is not None and last not in shown:
        shown.append(last)
        effects = [other for other in compat.strips_of(stage) if other.type in _UPON_ONE and not other.mute]
        last = next((effect for effect in effects if effect.input_1 == last), None)
    return shown


def _size_in_frame(stage: bpy.types.Scene, source: Any) -> tuple[float, float]:
    """The part in the middle of the scene's frame that is captured: all of it, or as much as a whole picture fills."""
    frame = stage.render.resolution_x, stage.render.resolution_y
    transform, crop = source.transform, source.crop
    if source.type not in ("IMAGE", "MOVIE") or any(getattr(transform, name) for name in _PLACED_BY):
        return frame
    if any(getattr(crop, name) for name in _CROPPED_BY) or transform.scale_x != transform.scale_y:
        return frame
    if any(_is_placing(path, source) for path, _ in compat.animated_paths(stage)):
        return frame
    width, height = source.elements[0].orig_width, source.elements[0].orig_height
    if not (width and height):
        return frame
    scale = transform.scale_x
    fit = min(frame[0] / width, frame[1] / height)
    if min(abs(scale - 1), abs(scale - fit) / fit) > _ROUNDING:
        return frame
    return min(frame[0], width * scale), min(frame[1], height * scale)


def _is_placing(path: str, source: Any) -> bool:
    """Whether an animated path moves the strip in its frame."""
    own = source.path_from_id()
    return path.startswith((f"{own}.transform.", f"{own}.crop."))


def _freeze(stage: bpy.types.Scene) -> None:
    """Set what is animated to what it is at the stage's frame: it can be changed then."""
    found = [found for found in compat.animated_paths(stage) if found[0].startswith("sequence_editor.")]
    evaluated = stage.evaluated_get(stage.view_layers[0].depsgraph) if found else stage
    values = []
    for path, index in found:
        owner, _, name = path.rpartition(".")
        try:
            value = getattr(evaluated.path_resolve(owner), name)
            values.append(
                (stage.path_resolve(owner), name, index, value if isinstance(value, float | int) else value[index])
            )
        except (ValueError, AttributeError):  # left over from a strip or a modifier that is gone
            continue
    stage.animation_data_clear()
    for owner, name, index, value in values:
        if hasattr(getattr(owner, name), "__len__"):
            getattr(owner, name)[index] = value
        else:
            setattr(owner, name, value)


def _zoom(strip: Any, zoom: float) -> None:
    """Have the strip, which is placed in the scene's frame, placed in one `zoom` times as large."""
    if strip.type == "META":
        for child in compat.children(strip):
            _zoom(child, zoom)
    if hasattr(strip, "transform") and strip.transform is not None:
        strip.transform.offset_x *= zoom
        strip.transform.offset_y *= zoom
    if _has_own_pixels(strip):
        strip.transform.scale_x *= zoom
        strip.transform.scale_y *= zoom
    elif hasattr(strip, "crop") and strip.crop is not None:
        for name in _CROPPED_BY:
            setattr(strip.crop, name, round(getattr(strip.crop, name) * zoom))


def _has_own_pixels(strip: Any) -> bool:
    return strip.type in _OWN_PIXELS and getattr(strip, "scene_input", "CAMERA") == "CAMERA"


@contextlib.contextmanager
def _drawn_as_viewport(strip: Any) -> Iterator[None]:
    """The scenes that the strip shows, rendered as the viewport shows them, which takes no minutes."""
    engines = [(scene, scene.render.engine) for scene in set(_scenes(strip))]
    try:
        for scene, _ in engines:
            scene.render.engine = ENGINE
        yield
    finally:
        for scene, engine in engines:
            scene.render.engine = engine


def _scenes(strip: Any) -> Iterator[bpy.types.Scene]:
    if strip.type == "SCENE" and strip.scene is not None:
        yield strip.scene
    elif strip.type == "META":
        for child in compat.children(strip):
            yield from _scenes(child)
