# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes that lie in a shot's folder and stand in no list: left by a crash, or by an older copy of the .blend.

They are offered, never taken in unasked. Those that the author removed, or did not want, are not offered again.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import bpy

from ...storyboard import take_folders, take_record
from ...storyboard.clip_timing import Timing, longest_length, timeline_span
from ...storyboard.job_ledger import Entry
from ..scene import shots, takes
from ..scene.properties import CONFINER_PG_shot
from ..session.runtime import RUNTIME

TAKE, FRAME = "take_", "frame_"


def found_takes(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> list[Path]:
    """The folders of such takes, the oldest first. Panels ask at every redraw."""
    home = takes.take_folder(scene, shot.uuid, "").parent
    known = {take_folders.short(take.uuid) for take in shot.takes} | shots.removed_takes(shot)
    job = RUNTIME.jobs.get(shot.uuid)
    if job is not None:
        known.add(take_folders.short(job.entry.take))
    try:
        names = [entry.name for entry in os.scandir(home) if entry.name.startswith(TAKE) and entry.is_dir()]
    except OSError:
        return []
    strange = [home / name for name in names if name.removeprefix(TAKE) not in known]
    return sorted((folder for folder in strange if _holds_take(folder)), key=lambda folder: folder.stat().st_mtime)


def take_in(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> int:
    """Put the takes that are found into the shot's list; the timeline stays as it is. How many they were."""
    found = found_takes(scene, shot)
    for folder in found:
        take = takes.add(shot, _entry(scene, shot, folder))
        take.arrived = True
    return len(found)


def leave(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> None:
    """Do not offer them again. Their files stay."""
    for folder in found_takes(scene, shot):
        shots.mark_removed(shot, folder.name.removeprefix(TAKE))


def _holds_take(folder: Path) -> bool:
    """Whether there is a picture, and word of what it was made from."""
    names = {entry.name for entry in os.scandir(folder)}
    return any(name.startswith(FRAME) for name in names) and take_record.settings_of(folder) is not None


def _entry(scene: bpy.types.Scene, shot: CONFINER_PG_shot, folder: Path) -> Entry:
    sign = folder.name.removeprefix(TAKE)
    entry = take_record.entry_of(folder)
    if entry is None or take_folders.short(entry.take) != sign:
        entry = _guess(scene, sign, folder)
    if any(take.name == entry.name for take in shot.takes):
        entry = dataclasses.replace(entry, name="")
    settings = take_record.settings_of(folder) or {}
    if "kept" in settings:
        length = min(entry.length, longest_length(entry.timing, settings["kept"]))
        entry = dataclasses.replace(entry, num_frames=settings["kept"], length=length)
    return dataclasses.replace(entry, shot=shot.uuid, folder=str(folder))


def _guess(scene: bpy.types.Scene, sign: str, folder: Path) -> Entry:
    """What a folder of an older version does not tell: that its frames keep their speed, and an id with its sign."""
    settings = take_record.settings_of(folder) or {}
    request = {name: settings[name] for name in ("num_frames", "width", "height") if name in settings}
    frames, fps, rate = request["num_frames"], float(settings.get("fps", 8)), shots.scene_fps(scene)
    length = timeline_span(Timing(1, fps, "RATE", rate), frames)
    values = {"length": length, "fps": fps, "hold": "RATE", "scene_fps": rate, **request}
    return Entry(take=f"{sign}{shots.new_uuid()[8:]}", shot="", blend="", folder=str(folder), **values)
