# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes of the active shot, with their pictures, and what may be done with each."""

from __future__ import annotations

from typing import Any

import bpy

from ..blender import compat, thumbnails
from ..jobs import partial_takes, unlisted_takes
from ..scene import shots, takes
from ..scene.properties import CONFINER_PG_shot, CONFINER_PG_take
from ..session.runtime import running
from .partial_take_buttons import draw_cut_short
from .sentences import draw_sentence
from .shot_panel import ActiveShotPanel

TAKE = "confiner_take"
"""Under this name a button's operator finds in its context which take it is drawn for, before it is pressed."""
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
        width = context.region.width
        _draw_buttons(layout, shots.active_take(shot))
        if not shot.takes:
            draw_sentence(layout, "No take yet. Generate makes the first one.", width, "INFO")
        grid = layout.grid_flow(row_major=True, columns=0, even_columns=True, even_rows=False, align=False)
        for take in shot.takes:  # a new one comes last, and moves none of the others
            _draw_take(grid.box(), shot, take)
        _draw_found(layout, scene, shot, width)
        active = shots.active_take(shot)
        if active is not None:
            _draw_active(layout, scene, shot, active, width)


def _draw_buttons(layout: Any, take: CONFINER_PG_take | None) -> None:
    """What may be done with the take on the timeline."""
    row = layout.row(align=True)
    row.enabled = take is not None
    for name, text, icon in (
        ("confiner.extend_take", "Extend", "ADD"),
        ("confiner.restore_take", "Restore Settings", "LOOP_BACK"),
        ("confiner.open_take", "", "FILE_FOLDER"),
    ):
        row.operator(name, text=text, icon=icon).take = take.uuid if take is not None else ""


def _draw_take(box: Any, shot: CONFINER_PG_shot, take: CONFINER_PG_take) -> None:
    on_timeline = take.uuid == shot.active_take
    column = box.column(align=True)
    job = running(shot.uuid)
    made = job is not None and job.entry.take == take.uuid
    picture = thumbnails.icon(job.preview if made else takes.thumbnail(take))
    column.template_icon(picture or thumbnails.placeholder(), scale=PICTURE)
    row = column.row(align=True)
    row.operator(
        "confiner.use_take", text=take.name, depress=on_timeline, icon="CHECKMARK" if on_timeline else "NONE"
    ).take = take.uuid
    cell = row.row(align=True)
    cell.context_string_set(TAKE, take.uuid)
    cell.operator("confiner.remove_take", text="", icon="X").take = take.uuid
    column.label(text=_summary(take, made))


def _draw_found(layout: Any, scene: Any, shot: CONFINER_PG_shot, width: int) -> None:
    """Takes that only the folder knows of, and the choice."""
    count = len(unlisted_takes.found_takes(scene, shot))
    if not count:
        return
    box = layout.box()
    lies = "1 take is" if count == 1 else f"{count} takes are"
    draw_sentence(box, f"{lies} found in this shot's folder that the list does not have", width, "FILE_FOLDER")
    row = box.row(align=True)
    row.operator("confiner.take_in", text="Take It In" if count == 1 else "Take Them In", icon="IMPORT")
    row.operator("confiner.leave_found", text="Leave It" if count == 1 else "Leave Them", icon="X")


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
    if partial_takes.is_part(shot, take):
        draw_cut_short(layout, take, width)
    if changed := takes.changed(scene, shot, take):
        draw_sentence(layout, f"Changed since {take.name}: {', '.join(changed)}", width, "FILE_REFRESH")
