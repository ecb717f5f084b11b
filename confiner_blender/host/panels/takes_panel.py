# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes of the active shot, with their pictures, and what may be done with each."""

from __future__ import annotations

from typing import Any

import bpy

from ..blender import compat, thumbnails
from ..jobs import partial_takes
from ..scene import shots, takes
from ..scene.properties import CONFINER_PG_shot, CONFINER_PG_take
from ..session.runtime import running
from .partial_take_buttons import draw_cut_short
from .sentences import draw_sentence
from .shot_panel import ActiveShotPanel

PICTURE = 5
"""Scale of a take's picture, in units of a button's height."""


class TakesPanel(ActiveShotPanel):
    bl_label = "Takes"

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        shot = shots.active_shot(context)
        if shot is not None and shot.takes:
            self.layout.label(text=str(len(shot.takes)))

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene, shot = self.layout, compat.storyboard_scene(context), shots.active_shot(context)
        if not shot.takes:
            draw_sentence(layout, "No take yet. Generate makes the first one.", context.region.width, "INFO")
            return
        grid = layout.grid_flow(row_major=True, columns=0, even_columns=True, even_rows=False, align=False)
        for take in reversed(shot.takes):
            _draw_take(grid.box(), shot, take)
        active = shots.active_take(shot)
        if active is not None:
            _draw_active(layout, scene, shot, active, context.region.width)


def _draw_take(box: Any, shot: CONFINER_PG_shot, take: CONFINER_PG_take) -> None:
    on_timeline = take.uuid == shot.active_take
    column = box.column(align=True)
    job = running(shot.uuid)
    made = job is not None and job.entry.take == take.uuid
    picture = thumbnails.icon(job.preview if made else takes.thumbnail(take))
    if picture:
        column.template_icon(picture, scale=PICTURE)
    else:
        column.label(text="", icon="IMAGE_DATA")
    row = column.row(align=True)
    row.operator(
        "confiner.use_take", text=take.name, depress=on_timeline, icon="CHECKMARK" if on_timeline else "NONE"
    ).take = take.uuid
    if not made:
        row.operator("confiner.remove_take", text="", icon="X").take = take.uuid
    column.label(text=_summary(take, made))


def _summary(take: CONFINER_PG_take, made: bool) -> str:
    state = takes.take_state(take)
    if made:
        return f"{len(state.frames)} of {take.num_frames}"
    if not state.whole:
        return f"Only {len(state.frames)} of {take.num_frames}"
    settings = takes.settings_of(take) or {}
    kept = f", {settings['kept']} frames kept" if "kept" in settings else ""
    return f"Seed {settings.get('seed', '?')}{kept}"


def _draw_active(layout: Any, scene: Any, shot: CONFINER_PG_shot, take: CONFINER_PG_take, width: int) -> None:
    changed = takes.changed(scene, shot, take)
    if changed and running(shot.uuid) is None:
        draw_sentence(layout, f"Changed since {take.name}: {', '.join(changed)}", width, "FILE_REFRESH")
    if partial_takes.cut_short(shot, take):
        draw_cut_short(layout, take, width)
    row = layout.row(align=True)
    if takes.take_state(take).whole and running(shot.uuid) is None:
        row.operator("confiner.extend_take", icon="ADD").take = take.uuid
    row.operator("confiner.restore_take", icon="LOOP_BACK").take = take.uuid
    row.operator("confiner.open_take", text="", icon="FILE_FOLDER").take = take.uuid
