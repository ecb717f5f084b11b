# SPDX-License-Identifier: GPL-3.0-or-later
"""Every difference between Blender 4.2, 4.5, 5.0 and 5.2 that this extension meets. No other file asks for a version.

strips          `sequences` until 4.3, `strips` from 4.4; the old name is gone in 5.0
handles         `frame_final_start`/`_end` until 5.0, `left_handle`/`right_handle` from 5.1
content         `frame_start`, `frame_duration` until 5.0, `content_start`, `content_duration` from 5.1
the scene       from 5.0 the sequencer shows `workspace.sequencer_scene`, which may be None
animation       an action has `fcurves` until 4.5; from 4.4 layers, whose channels belong to a slot
file formats    from 5.0 `image_settings.media_type` comes before `file_format`
"""

from __future__ import annotations

from typing import Any

import bpy


def storyboard_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene whose timeline the user sees."""
    return getattr(context, "sequencer_scene", None) or context.scene


def strips_of(scene: bpy.types.Scene) -> Any:
    """The scene's strips outside of meta strips; an empty list where it has no sequencer yet."""
    return _collection(scene.sequence_editor) if scene.sequence_editor else []


def strips_for_new(scene: bpy.types.Scene) -> Any:
    """The collection that new strips are made in, with a sequencer made where the scene has none."""
    return _collection(scene.sequence_editor or scene.sequence_editor_create())


def all_strips_of(scene: bpy.types.Scene) -> Any:
    """The scene's strips, those inside of meta strips too."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def closed_channels(scene: bpy.types.Scene) -> list[int]:
    """The channels that are muted or locked, counted from 1."""
    channels = scene.sequence_editor.channels if scene.sequence_editor else []
    return [number for number, channel in enumerate(channels) if number and (channel.mute or channel.lock)]


def handles(strip: Any) -> tuple[int, int]:
    """The first frame that a strip shows, and the first one after it."""
    if hasattr(strip, "left_handle"):
        return strip.left_handle, strip.right_handle
    return strip.frame_final_start, strip.frame_final_end


def set_handles(strip: Any, left: int, right: int) -> None:
    """Trim a strip. Its content stays where it is."""
    names = (
        ("right_handle", "left_handle") if hasattr(strip, "left_handle") else ("frame_final_end", "frame_final_start")
    )
    for _ in range(2):  # a handle cannot pass the other one, wherever a change of content has left that
        setattr(strip, names[0], right)
        setattr(strip, names[1], left)


def content(strip: Any) -> tuple[int, int]:
    """Where a strip's untrimmed content starts, and how many frames it has."""
    if hasattr(strip, "content_start"):
        return round(strip.content_start), strip.content_duration
    return round(strip.frame_start), strip.frame_duration


def animated_paths(scene: bpy.types.Scene) -> list[tuple[str, int]]:
    """What keys and drivers move of the scene's own properties: each path, and its index in a vector."""
    data = scene.animation_data
    if data is None:
        return []
    used = [(data.action, getattr(data, "action_slot", None))]
    used += [(s.action, getattr(s, "action_slot", None)) for track in data.nla_tracks for s in track.strips]
    curves = [curve for action, slot in used if action is not None for curve in _curves(action, slot)]
    return [(curve.data_path, curve.array_index) for curve in (*curves, *data.drivers)]


def _curves(action: Any, slot: Any) -> list[Any]:
    if not hasattr(action, "layers"):
        return list(action.fcurves)
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    return [curve for bag in bags if slot is None or bag.slot == slot for curve in bag.fcurves]


def values_of(settings: Any) -> list[str]:
    """The names of what can be set in a group of settings and is a plain value."""
    plain = ("INT", "FLOAT", "BOOLEAN", "STRING", "ENUM")
    return [p.identifier for p in settings.bl_rna.properties if p.type in plain and not p.is_readonly]


def set_png(render: bpy.types.RenderSettings) -> None:
    """Have renders written as PNG, 8 bits, without alpha."""
    settings = render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format = "PNG"
    settings.color_mode = "RGB"
    settings.color_depth = "8"


def _collection(editor: Any) -> Any:
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def children(meta: Any) -> Any:
    """The strips inside a meta strip."""
    return _collection(meta)


def strips_name(scene: bpy.types.Scene) -> str:
    """The name of the collection of strips, for a search field."""
    return "strips" if hasattr(scene.sequence_editor, "strips") else "sequences"
