# SPDX-License-Identifier: GPL-3.0-or-later
"""The storyboard: the list of shots, and the buttons that generate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ...client.session.session_states import State
from ...storyboard.job_progress import JobState, fraction, sentence, whereabouts
from ..blender import colour, compat, thumbnails
from ..jobs import partial_takes
from ..scene import shots, takes
from ..scene.properties import CONFINER_PG_shot, CONFINER_PG_take
from ..session.runtime import RUNTIME, running
from .partial_take_buttons import draw_cut_short
from .sentences import draw_problem, draw_sentence

PICTURE = 6
"""Scale of the shot's picture, in units of a button's height."""

STATE_ICONS = {
    JobState.CAPTURING: "VIEW_CAMERA",
    JobState.WAITING: "SORTTIME",
    JobState.QUEUED: "SORTTIME",
    JobState.RUNNING: "PLAY",
    JobState.PAUSED: "PAUSE",
}


def thumbnail_of(shot: CONFINER_PG_shot) -> Path | None:
    """A picture for the shot: what is being made, else the take on the timeline."""
    job = running(shot.uuid)
    if job is not None and job.preview is not None:
        return job.preview
    take = shots.active_take(shot)
    return takes.thumbnail(take) if take is not None else None


class CONFINER_UL_shots(bpy.types.UIList):
    """One line a shot: its picture, its prompt, how long it is, how it stands."""

    def draw_item(
        self, context: Any, layout: Any, data: Any, item: CONFINER_PG_shot, icon: int, active: Any, prop: str
    ) -> None:
        row = layout.row(align=True)
        picture = thumbnails.icon(thumbnail_of(item))
        if picture:
            row.label(text="", icon_value=picture)
        else:
            row.label(text="", icon="IMAGE_DATA")
        split = row.split(factor=0.26)
        split.prop(item, "name", text="", emboss=False)
        text = split.row()
        text.active = bool(item.prompt)
        text.label(text=item.prompt or "No prompt yet")
        end = row.row(align=True)
        end.alignment = "RIGHT"
        job = running(item.uuid)
        if job is not None:
            percent = f"{100 * fraction(job.progress):.0f} %"
            end.label(text=percent, icon=STATE_ICONS.get(job.progress.state, "PLAY"))
        else:
            end.label(text=f"{item.length} f", icon=standing(context, item))

    def filter_items(self, context: Any, data: Any, prop: str) -> tuple[list[int], list[int]]:
        return [], []


def standing(context: Any, shot: CONFINER_PG_shot) -> str:
    """The icon that tells how a shot stands that is not being generated."""
    if shot.uuid in RUNTIME.problems or _failed(shot):
        return "ERROR"
    take = shots.active_take(shot)
    if take is None:
        return "RADIOBUT_OFF"
    if not takes.take_state(take).whole:
        return "MOD_TIME"
    return "FILE_REFRESH" if takes.changed(compat.storyboard_scene(context), shot, take) else "CHECKMARK"


class StoryboardPanel:
    bl_label = "Storyboard"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, compat.storyboard_scene(context)
        storyboard = scene.confiner
        _draw_list(layout, storyboard)
        if not storyboard.shots:
            draw_sentence(layout, "A shot is one intended clip. Add the first one.", context.region.width, "INFO")
            layout.operator("confiner.add_shot", icon="ADD")
            return
        shot, width = shots.active_shot(context), context.region.width
        if shot is not None:
            _draw_generate(layout, shot)
        _draw_colour(layout, scene, width)
        if RUNTIME.link.state is State.FAILED and RUNTIME.link.problem is not None:
            problem = RUNTIME.link.problem
            row = draw_problem(layout, problem.message, problem.remedy, width).row(align=True)
            row.operator("confiner.connect", text="Try Again", icon="FILE_REFRESH")
            row.operator("confiner.preferences", icon="PREFERENCES")
        if shot is not None:
            _draw_trouble(layout, shot, width)


def _draw_list(layout: Any, storyboard: Any) -> None:
    row = layout.row()
    rows = max(4, min(len(storyboard.shots) + 1, 8))
    row.template_list("CONFINER_UL_shots", "", storyboard, "shots", storyboard, "index", rows=rows)
    side = row.column(align=True)
    side.operator("confiner.add_shot", text="", icon="ADD")
    side.operator("confiner.remove_shot", text="", icon="REMOVE")
    side.separator()
    side.operator("confiner.move_shot", text="", icon="TRIA_UP").direction = "UP"
    side.operator("confiner.move_shot", text="", icon="TRIA_DOWN").direction = "DOWN"


def _draw_generate(layout: Any, shot: CONFINER_PG_shot) -> None:
    """To start and to stop, each in a place of its own for the shot and for the storyboard, and how the shot stands.

    Nothing here comes or goes with a job, so that a button is where it was a moment ago.
    """
    column = layout.column(align=True)
    column.scale_y = 1.4
    for start, start_icon, stop in (
        ("confiner.generate", "RENDER_ANIMATION", "confiner.cancel"),
        ("confiner.generate_all", "SEQ_SEQUENCER", "confiner.cancel_all"),
    ):
        split = column.split(factor=0.62, align=True)
        split.operator(start, icon=start_icon)
        split.operator(stop, icon="X")
    job = running(shot.uuid)
    layout.progress(
        factor=fraction(job.progress) if job is not None else 0.0,
        text=sentence(job.progress) if job is not None else _standing_sentence(shot),
    )
    caption = layout.row()
    caption.active = False
    caption.label(text=whereabouts(job.progress) if job is not None else "")
    layout.template_icon(thumbnails.icon(thumbnail_of(shot)) or thumbnails.placeholder(), scale=PICTURE)


def _standing_sentence(shot: CONFINER_PG_shot) -> str:
    """What the bar says while nothing is being made."""
    job = RUNTIME.jobs.get(shot.uuid)
    if job is not None and job.progress.state is JobState.CANCELLED and _cut_short(shot) is None:
        return "Cancelled: no frame was finished"
    take = shots.active_take(shot)
    return f"{take.name} is on the timeline" if take is not None else "Nothing is being generated"


def _draw_trouble(layout: Any, shot: CONFINER_PG_shot, width: int) -> None:
    job = RUNTIME.jobs.get(shot.uuid)
    take = _cut_short(shot)
    if take is not None:
        draw_cut_short(layout, take, width)
    problem = RUNTIME.problems.get(shot.uuid) or (job.progress.problem if job is not None else None)
    if problem is not None:
        column = draw_problem(layout, problem.message, problem.remedy, width)
        if job is not None and job.progress.state is JobState.PAUSED:
            column.operator("confiner.resume", icon="PLAY").shot = shot.uuid


def _cut_short(shot: CONFINER_PG_shot) -> CONFINER_PG_take | None:
    """The take that was cut short last, else the one on the timeline if it was."""
    job = RUNTIME.jobs.get(shot.uuid)
    last = shots.find_take(shot, job.entry.take) if job is not None else None
    return next((take for take in (last, shots.active_take(shot)) if take and partial_takes.is_part(shot, take)), None)


def _draw_colour(layout: Any, scene: Any, width: int) -> None:
    if text := colour.warning(scene):
        box = layout.box()
        draw_sentence(box, text, width, "COLOR")
        box.operator("confiner.fix_colour", icon="RESTRICT_COLOR_ON")


def _failed(shot: CONFINER_PG_shot) -> bool:
    job = RUNTIME.jobs.get(shot.uuid)
    return job is not None and job.progress.state is JobState.FAILED
