# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding storyboards, shots and takes by id, and reading and writing their properties.

Nothing here is held across events: undo and file loading invalidate whatever was found before.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

import bpy

from ...storyboard import identity, take_folders, timeline_layout
from ...storyboard.clip_timing import Timing, offset_of, timeline_span
from ...storyboard.shot_values import Shot, Stretch
from ..blender import compat
from ..session.runtime import RUNTIME, running
from . import strips
from .properties import CONFINER_PG_shot, CONFINER_PG_take

SEEDS = 2**31


def new_uuid() -> str:
    return str(uuid.uuid4())


def every_shot() -> Iterator[tuple[bpy.types.Scene, CONFINER_PG_shot]]:
    for scene in bpy.data.scenes:
        for shot in scene.confiner.shots:
            yield scene, shot


def find_shot(shot_uuid: str) -> tuple[bpy.types.Scene, CONFINER_PG_shot] | None:
    """The shot with that id and its scene, in the file that is open."""
    return next(((scene, shot) for scene, shot in every_shot() if shot.uuid == shot_uuid), None)


def active_shot(context: bpy.types.Context) -> CONFINER_PG_shot | None:
    storyboard = compat.storyboard_scene(context).confiner
    return storyboard.shots[storyboard.index] if 0 <= storyboard.index < len(storyboard.shots) else None


def find_take(shot: CONFINER_PG_shot, take_uuid: str) -> CONFINER_PG_take | None:
    return next((take for take in shot.takes if take.uuid == take_uuid), None)


def removed_takes(shot: CONFINER_PG_shot) -> set[str]:
    """The takes that the author wants no more, by the part of their ids that their folders bear."""
    return set(shot.removed.split())


def mark_removed(shot: CONFINER_PG_shot, take_uuid: str) -> None:
    """Note, in the .blend, that nothing is to bring the take back but undo."""
    shot.removed = " ".join(sorted(removed_takes(shot) | {take_folders.short(take_uuid)}))


def is_removed(shot: CONFINER_PG_shot, take_uuid: str) -> bool:
    return take_folders.short(take_uuid) in removed_takes(shot)


def active_take(shot: CONFINER_PG_shot) -> CONFINER_PG_take | None:
    return find_take(shot, shot.active_take)


def add_shot(scene: bpy.types.Scene) -> CONFINER_PG_shot:
    """A new shot at the end, with the settings of the one before it."""
    storyboard = scene.confiner
    identify(scene)
    before = storyboard.shots[-1] if storyboard.shots else None
    shot = storyboard.shots.add()
    before = storyboard.shots[-2] if before is not None else None  # adding moves what was found before
    shot.uuid = new_uuid()
    shot.name = f"Shot {len(storyboard.shots):02d}"
    shot.seed = random.randrange(SEEDS)
    for name in ("length", "fps", "hold", "width", "height", "chain", "rule") if before is not None else ():
        setattr(shot, name, getattr(before, name))
    storyboard.index = len(storyboard.shots) - 1
    return shot


def identify(scene: bpy.types.Scene) -> None:
    """Give the scene's storyboard an id, if it has none, and note who owns it."""
    storyboard = scene.confiner
    if not storyboard.uuid:
        storyboard.uuid = new_uuid()
    if storyboard.owner != scene.name:
        storyboard.owner = scene.name


def part_copies() -> None:
    """Give storyboards that were copied with their scene ids of their own.

    A copy shares the takes of its original, read-only, but for those that are still being made.
    """
    scenes = [scene for scene in bpy.data.scenes if scene.confiner.uuid and not scene.library]
    bearers = [identity.Bearer(s.name, s.confiner.uuid, s.confiner.owner) for s in scenes]
    for name in identity.copies(bearers):
        scene = bpy.data.scenes[name]
        # An undo may bring the copied ids back; the copy is still the same one then.
        ids = RUNTIME.copies.setdefault((scene.session_uid, scene.confiner.uuid), {})
        scene.confiner.uuid = ids.setdefault(scene.confiner.uuid, new_uuid())
        for shot in scene.confiner.shots:
            old, shot.uuid = shot.uuid, ids.setdefault(shot.uuid, new_uuid())
            job = running(old)
            for index in reversed(range(len(shot.takes))):
                shot.takes[index].shared = True
                if job is not None and shot.takes[index].uuid == job.entry.take:
                    shot.takes.remove(index)
            strips.hand_over(scene, old, shot.uuid, keep=[take.uuid for take in shot.takes])
    for scene in scenes:
        identify(scene)


def scene_fps(scene: bpy.types.Scene) -> float:
    return scene.render.fps / scene.render.fps_base


def timing_of(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> Timing:
    return Timing(shot.length, shot.fps, shot.hold, scene_fps(scene))


def take_timing(take: CONFINER_PG_take) -> Timing:
    """The timing that the take was made for."""
    return Timing(take.length, take.fps, take.hold, take.scene_fps)


def values_of(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> Shot:
    """The shot as plain values."""
    return Shot(
        uuid=shot.uuid,
        prompt=shot.prompt,
        negative_prompt=shot.negative_prompt,
        timing=timing_of(scene, shot),
        width=shot.width,
        height=shot.height,
        seed=shot.seed,
        chain=shot.chain or scene.confiner.chain,
        rule=shot.rule,
        freedom=None if shot.freedom_auto else shot.freedom,
        control_steps=shot.control_steps or None,
        refine_steps=shot.refine_steps or None,
        structure=shot.structure,
        stretches=tuple(Stretch(stretch.start - 1, stretch.prompt) for stretch in shot.stretches),
        crossover=shot.crossover,
    )


def restore(scene: bpy.types.Scene, shot: CONFINER_PG_shot, take: CONFINER_PG_take, settings: dict[str, Any]) -> None:
    """Set the shot to what the take was made with. `settings` are the take's, by the names of the protocol."""
    shot.length, shot.hold = take.length, take.hold
    if take.structure:
        shot.structure, shot.structure_strip = take.structure, take.structure_strip
    for name in ("prompt", "negative_prompt", "fps", "width", "height", "rule"):
        if settings.get(name) is not None:
            setattr(shot, name, settings[name])
    shot.seed = int(settings.get("seed", shot.seed)) % SEEDS
    shot.freedom_auto = settings.get("freedom") is None
    if settings.get("freedom") is not None:
        shot.freedom = settings["freedom"]
    shot.control_steps = settings.get("control_steps") or 0
    shot.refine_steps = settings.get("refine_steps") or 0
    chain = settings.get("chain") or scene.confiner.chain
    shot.chain = "" if chain == scene.confiner.chain else chain
    _restore_prompts(shot, timing_of(scene, shot), settings)


def _restore_prompts(shot: CONFINER_PG_shot, timing: Timing, settings: dict[str, Any]) -> None:
    """Set the later prompts, which the settings count in frames of the clip."""
    shot.stretches.clear()
    for later in settings.get("stretches") or []:
        stretch = shot.stretches.add()
        stretch.start, stretch.prompt = offset_of(timing, later["start"]) + 1, later["prompt"]
    if shot.stretches:
        shot.crossover = timeline_span(timing, settings["crossover"])


def start_of(scene: bpy.types.Scene, shot_uuid: str) -> int:
    """The timeline frame on which the shot starts, placed or to be placed."""
    shots = scene.confiner.shots
    placed = [strips.span_of_shot(scene, shot.uuid) for shot in shots]
    starts = timeline_layout.starts(scene.frame_start, [shot.length for shot in shots], placed)
    return starts[[shot.uuid for shot in shots].index(shot_uuid)]
