# SPDX-License-Identifier: GPL-3.0-or-later
"""A take on the timeline: one image strip, made equal to what lies in the take's folder whenever that changes.

A strip carries the ids of its shot and take as custom properties and is looked up by them each time. A shot may have
several strips (cut in two, or duplicated): all of them follow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import bpy

from ...storyboard import timeline_layout
from ...storyboard.timeline_layout import Span
from ..blender import compat, paths

SHOT = "confiner_shot"
TAKE = "confiner_take"


def of_shot(scene: bpy.types.Scene, shot_uuid: str, take_uuid: str | None = None) -> Iterator[Any]:
    """The shot's strips; only those that show one take, if it is named."""
    for strip in list(compat.all_strips_of(scene)):
        if strip.type == "IMAGE" and strip.get(SHOT) == shot_uuid and take_uuid in (None, strip.get(TAKE)):
            yield strip


def span_of(strip: Any) -> Span:
    return Span(strip.channel, *compat.handles(strip))


def span_of_shot(scene: bpy.types.Scene, shot_uuid: str) -> Span | None:
    """What the shot's strips occupy together; None if it has none. The channel is the first one's."""
    spans = [span_of(strip) for strip in of_shot(scene, shot_uuid)]
    if not spans:
        return None
    return Span(spans[0].channel, min(span.start for span in spans), max(span.end for span in spans))


def place(
    scene: bpy.types.Scene,
    name: str,
    shot_uuid: str,
    take_uuid: str,
    folder: Path,
    names: list[str],
    start: int,
    channel: int = 1,
) -> Any:
    """A new strip from frame `start`, on the first channel from `channel` upwards that has room for all of it.

    Channels that the author has muted or locked are left alone.
    """
    others = [span_of(strip) for strip in compat.strips_of(scene)]
    closed = compat.closed_channels(scene)
    channel = timeline_layout.free_channel(start, start + len(names), others, channel, closed=closed)
    strip = compat.strips_for_new(scene).new_image(
        name=name, filepath=str(folder / names[0]), channel=channel, frame_start=start, fit_method="FIT"
    )
    strip[SHOT], strip[TAKE] = shot_uuid, take_uuid
    strip.directory = paths.directory(folder)
    strip.colorspace_settings.name = "sRGB"
    strip.select = False  # what comes by itself must not be caught by the next key
    _set_names(strip, names)
    compat.set_handles(strip, start, start + len(names))
    return strip


def fill(scene: bpy.types.Scene, shot_uuid: str, take_uuid: str, names: list[str]) -> None:
    """Show `names` on every strip of that take; start, trims, transform and effects stay."""
    for strip in of_shot(scene, shot_uuid, take_uuid):
        if [element.filename for element in strip.elements] == names:
            continue
        channel, (left, right) = strip.channel, compat.handles(strip)
        _set_names(strip, names)
        compat.set_handles(strip, left, right)
        strip.channel = channel


def swap(
    scene: bpy.types.Scene,
    shot_uuid: str,
    take_uuid: str,
    folder: Path,
    names: list[str],
    size: tuple[int, int],
    old_size: tuple[int, int] | None,
) -> None:
    """Show another take on every strip of the shot. Start, trims, transform and effects stay.

    A strip that showed its whole end grows or shrinks with the take, as far as its neighbour leaves room. Where the
    takes differ in `size`, the transform's scale follows, so that the picture keeps its place.
    """
    for strip in of_shot(scene, shot_uuid):
        if strip.get(TAKE) == take_uuid:
            continue
        strip.directory = paths.directory(folder)
        _refit(scene, strip, names)
        strip[TAKE] = take_uuid
        if old_size is not None and old_size != size:
            strip.transform.scale_x *= old_size[0] / size[0]
            strip.transform.scale_y *= old_size[1] / size[1]


def refit(scene: bpy.types.Scene, shot_uuid: str, take_uuid: str, names: list[str]) -> None:
    """Show `names` on every strip of a take that has become longer or shorter."""
    for strip in of_shot(scene, shot_uuid, take_uuid):
        _refit(scene, strip, names)


def _refit(scene: bpy.types.Scene, strip: Any, names: list[str]) -> None:
    span = span_of(strip)
    others = [span_of(other) for other in _siblings(scene, strip)]
    content_start, length = compat.content(strip)
    right = timeline_layout.right_handle(span, content_start, length, len(names), others)
    _set_names(strip, names)
    compat.set_handles(strip, min(span.start, content_start + len(names) - 1), right)
    strip.channel = span.channel  # Blender lifts a strip while its content grows into a neighbour


def move_folder(scene: bpy.types.Scene, take_uuid: str, folder: Path) -> None:
    """Have the take's strips look for their files in another folder."""
    for strip in list(compat.all_strips_of(scene)):
        if strip.type == "IMAGE" and strip.get(TAKE) == take_uuid:
            strip.directory = paths.directory(folder)


def remove(scene: bpy.types.Scene, shot_uuid: str, take_uuid: str) -> None:
    """Take the strips of one take off the timeline."""
    for strip in of_shot(scene, shot_uuid, take_uuid):
        _collection_of(scene, strip).remove(strip)


def hand_over(scene: bpy.types.Scene, old_shot: str, new_shot: str, keep: Collection[str]) -> None:
    """Give a copied shot's strips its new id. Strips of takes that are not in `keep` become ordinary strips."""
    for strip in of_shot(scene, old_shot):
        if strip.get(TAKE) in keep:
            strip[SHOT] = new_shot
        else:
            del strip[SHOT], strip[TAKE]


def _siblings(scene: bpy.types.Scene, strip: Any) -> list[Any]:
    """The strips beside this one, in its meta strip if it is in one."""
    return [other for other in _collection_of(scene, strip) if other != strip]


def _collection_of(scene: bpy.types.Scene, strip: Any) -> Any:
    """The collection that the strip stands in: its meta strip's, or the scene's."""
    metas = [other for other in compat.all_strips_of(scene) if other.type == "META"]
    within = (compat.children(meta) for meta in metas)
    return next((group for group in within if strip in list(group)), compat.strips_of(scene))


def _set_names(strip: Any, names: list[str]) -> None:
    elements = strip.elements
    while len(elements) > len(names):
        elements.pop(len(elements) - 1)
    for element, name in zip(elements, names, strict=False):
        if element.filename != name:
            element.filename = name
    for name in names[len(elements) :]:
        elements.append(name)
