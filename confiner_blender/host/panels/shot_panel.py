# SPDX-License-Identifier: GPL-3.0-or-later
"""The active shot: what it shows, how long it is, what lays it out, which experts make it. Remarks stand by it."""

from __future__ import annotations

from typing import Any

import bpy

from ...protocol.messages import ChainInfo
from ...storyboard import remarks
from ...storyboard.clip_timing import hold_sentence
from ...storyboard.remarks import Remark
from ..blender import compat, thumbnails
from ..scene import shots, takes
from ..scene.properties import CONFINER_PG_shot
from ..session.runtime import RUNTIME
from .prompts_panel import draw_later_prompts
from .sentences import draw_sentence


class ActiveShotPanel:
    """What shows one part of the active shot, and nothing where there is none."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return shots.active_shot(context) is not None


class ShotPanel(ActiveShotPanel):
    bl_label = "Shot"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene, shot = self.layout, compat.storyboard_scene(context), shots.active_shot(context)
        found, width = _remarks(scene, shot), context.region.width
        chain = RUNTIME.chains.get(shot.chain or scene.confiner.chain)
        column = layout.column()
        column.prop(shot, "prompt", text="", icon="OUTLINER_OB_FONT", placeholder="What is seen, and how it moves")
        if len(shot.prompt) * 6 > width - 40:
            draw_sentence(column, shot.prompt, width)
        _draw_remarks(column, found, "prompt", width)
        draw_later_prompts(column, shot)
        _draw_remarks(column, found, "stretches", width)
        row = column.row()
        row.active = chain is None or chain.negative_prompt
        row.prop(shot, "negative_prompt", text="", icon="REMOVE", placeholder="What must not be seen")
        _draw_remarks(column, found, "negative_prompt", width)
        _draw_time(layout, scene, shot, found, width)
        _draw_structure(layout, scene, shot, width)


class ExpertsPanel(ActiveShotPanel):
    bl_label = "Experts"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene, shot = self.layout, compat.storyboard_scene(context), shots.active_shot(context)
        found, width = _remarks(scene, shot), context.region.width
        layout.use_property_split = True
        layout.use_property_decorate = False
        chain = RUNTIME.chains.get(shot.chain or scene.confiner.chain)
        column = layout.column()
        _draw_chain_menu(column, "Storyboard", scene.confiner.chain, "CONFINER_MT_storyboard_chain")
        _draw_chain_menu(column, "This shot", shot.chain, "CONFINER_MT_shot_chain", "As the storyboard")
        if chain is not None:
            draw_sentence(column, chain.description, width)
            column.label(text=chain.licence, icon="COPY_ID")
        _draw_remarks(column, found, "chain", width)
        layout.prop(shot, "rule")
        _draw_remarks(layout, found, "rule", width)
        _draw_freedom(layout, shot, chain)
        steps = layout.column(align=True)
        steps.prop(shot, "control_steps", text="Steps, Control")
        steps.prop(shot, "refine_steps", text="Refine")


class ChainMenu:
    """The chains that the sidecar has listed."""

    for_shot = False

    def draw(self, context: bpy.types.Context) -> None:
        if not RUNTIME.chains:
            self.layout.label(text="Connect to the sidecar to see its chains")
            return
        if self.for_shot:
            self._entry("As the storyboard", "", "LOOP_BACK")
        for chain in RUNTIME.chains.values():
            self._entry(chain.title, chain.name, "ERROR" if chain.missing else "NODETREE")

    def _entry(self, title: str, name: str, icon: str) -> None:
        entry = self.layout.operator("confiner.set_chain", text=title, icon=icon)
        entry.chain, entry.for_shot = name, self.for_shot


class CONFINER_MT_storyboard_chain(ChainMenu, bpy.types.Menu):
    bl_label = "Expert Chain"


class CONFINER_MT_shot_chain(ChainMenu, bpy.types.Menu):
    bl_label = "Expert Chain"
    for_shot = True


class CONFINER_MT_size(bpy.types.Menu):
    """The sizes that the shot's chain makes."""

    bl_label = "Size"

    def draw(self, context: bpy.types.Context) -> None:
        shot, scene = shots.active_shot(context), compat.storyboard_scene(context)
        chain = RUNTIME.chains.get(shot.chain or scene.confiner.chain)
        for width, height in chain.sizes if chain is not None else []:
            entry = self.layout.operator("confiner.set_size", text=f"{width} × {height}")
            entry.width, entry.height = width, height


def _draw_time(layout: Any, scene: Any, shot: CONFINER_PG_shot, found: list[Remark], width: int) -> None:
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(shot, "length")
    _draw_remarks(column, found, "length", width)
    column.prop(shot, "hold")
    column.prop(shot, "fps")
    caption = column.row()
    caption.active = False
    caption.alignment = "RIGHT"
    caption.label(text=hold_sentence(shots.timing_of(scene, shot)))
    row = column.row(align=True)
    row.prop(shot, "width", text="Size")
    row.prop(shot, "height", text="")
    row.menu("CONFINER_MT_size", text="", icon="DOWNARROW_HLT")
    _draw_remarks(column, found, "size", width)
    row = column.row(align=True)
    row.prop(shot, "seed")
    row.operator("confiner.new_seed", text="", icon="FILE_REFRESH")


def _draw_structure(layout: Any, scene: Any, shot: CONFINER_PG_shot, width: int) -> None:
    column = layout.column()
    column.label(text="Laid out by")
    column.row().prop(shot, "structure", expand=True)
    if shot.structure == "NONE":
        return
    if shot.structure == "STRIP" and scene.sequence_editor is not None:
        column.prop_search(shot, "structure_strip", scene.sequence_editor, compat.strips_name(scene), text="")
    elif shot.structure == "CAMERA" and scene.camera is None:
        draw_sentence(column, "The scene has no camera", width, "ERROR")
    column.operator("confiner.capture_structure", icon="HIDE_OFF")
    if picture := thumbnails.icon(RUNTIME.structures.get(shot.uuid)):
        column.template_icon(picture, scale=6)


def _draw_freedom(layout: Any, shot: CONFINER_PG_shot, chain: ChainInfo | None) -> None:
    known = ""
    if chain is not None:
        known = f" ({chain.default_freedom if shot.structure == 'NONE' else chain.default_structure_freedom})"
    column = layout.column(heading="Freedom", align=True)
    column.prop(shot, "freedom_auto", text=f"Automatic{known}")
    if not shot.freedom_auto:
        column.prop(shot, "freedom", text="", slider=True)


def _draw_chain_menu(column: Any, label: str, name: str, menu: str, unset: str = "") -> None:
    chain = RUNTIME.chains.get(name)
    row = column.split(factor=0.4)
    text = row.row()
    text.alignment = "RIGHT"
    text.label(text=label)
    row.menu(menu, text=chain.title if chain is not None else name or unset)


def _remarks(scene: Any, shot: CONFINER_PG_shot) -> list[Remark]:
    found = remarks.remarks(shots.values_of(scene, shot), RUNTIME.chains)
    return [*found, *remarks.unread(takes.unread(scene, shot))]


def _draw_remarks(layout: Any, found: list[Remark], field: str, width: int) -> None:
    for remark in found:
        if remark.field != field:
            continue
        column = layout.column(align=True)
        draw_sentence(column, remark.message, width, "ERROR" if remark.blocking else "INFO")
        if remark.fix:
            values = dict(remark.fix)
            button = column.operator(
                "confiner.set_length" if "length" in values else "confiner.set_size", text=remark.fix_label
            )
            for name, value in values.items():
                setattr(button, name, value)
