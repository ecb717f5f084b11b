# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes between their folders, their shots and their strips."""

from __future__ import annotations

import functools
import os
import time
from pathlib import Path
from typing import Any

import bpy

from ...client.session.take_writer import frame_name
from ...storyboard import take_folders, take_record
from ...storyboard.job_ledger import Entry
from ...storyboard.placeholder import slate_png
from ...storyboard.strip_elements import element_names
from ..blender import paths
from ..blender.add_on import user_folder
from ..session.runtime import RUNTIME
from . import shots, strips
from .properties import CONFINER_PG_shot, CONFINER_PG_take

SLATE = "slate.png"
STRUCTURE = "structure_{:04d}.png"
FROM_ENTRY = ("length", "fps", "hold", "scene_fps", "num_frames", "width", "height", "structure", "structure_strip")
"""What a take has as the ledger's entry of its job says."""
SETTLED = 10**9
"""Nanoseconds after which a folder's time of change can be trusted."""


def home(scene: bpy.types.Scene) -> Path:
    """The folder for the storyboard's new takes: beside the .blend, or the extension's own while that is unsaved."""
    if bpy.data.filepath:
        return take_folders.home_of(Path(bpy.data.filepath))
    return user_folder("unsaved") / take_folders.short(scene.confiner.uuid)


def take_folder(scene: bpy.types.Scene, shot_uuid: str, take_uuid: str) -> Path:
    """The folder for a new take."""
    return take_folders.take_folder(home(scene), shot_uuid, take_uuid)


def folder_of(take: CONFINER_PG_take) -> Path:
    """Where the take's frames stand."""
    return paths.absolute(take.folder)


def prepare_folder(folder: Path, width: int, height: int, request_text: str) -> None:
    """Make a take's folder, with the slate its strip shows at first.

    Raises:
        OSError: the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SLATE).write_bytes(slate_png(width, height))
    (folder / take_record.REQUEST).write_text(request_text, encoding="utf-8")


def add(shot: CONFINER_PG_shot, entry: Entry) -> CONFINER_PG_take:
    """The shot's take of a job, added if the shot does not have it (anew, or after an undo)."""
    found = shots.find_take(shot, entry.take)
    if found is not None:
        return found
    take = shot.takes.add()
    take.uuid = entry.take
    take.name = entry.name or next_name(shot)
    take.folder = paths.stored(Path(entry.folder), bpy.data.filepath)
    for name in FROM_ENTRY:
        setattr(take, name, getattr(entry, name))
    return take


def next_name(shot: CONFINER_PG_shot) -> str:
    """A name that no take of the shot has, nor one that is on its way."""
    here = [arrival for arrival in RUNTIME.arrivals.values() if arrival.entry.shot == shot.uuid]
    coming = [arrival.entry.name for arrival in here if not arrival.discarded]
    names = [*(take.name for take in shot.takes if take.name), *coming]
    numbers = [int(name.removeprefix("Take ")) for name in names if name.removeprefix("Take ").isdecimal()]
    return f"Take {1 + max(numbers, default=0)}"


def take_state(take: CONFINER_PG_take) -> take_record.TakeState:
    """Which of the take's frames are there, and whether it is whole; panels ask at every redraw."""
    folder = folder_of(take)
    changed = _settled_since(folder)
    return _look(folder, take.num_frames) if changed is None else _look_once(folder, take.num_frames, changed)


def names_of(take: CONFINER_PG_take) -> list[str]:
    """The files that the take's strip shows now."""
    folder = folder_of(take)

    def stand_in(frame: int) -> str:
        name = STRUCTURE.format(frame + 1)
        return name if (folder / name).exists() else SLATE

    done = take_state(take).frames
    return element_names(shots.take_timing(take), done, frame_name, stand_in)


def show(
    scene: bpy.types.Scene,
    shot: CONFINER_PG_shot,
    take: CONFINER_PG_take,
    place: tuple[int, int] | None = None,
) -> None:
    """Put the take on the timeline: in the shot's strips if there are any, else in a new one.

    A new one stands on the channel and frame of `place`, if it is given, or else where the shot is to be.
    """
    before = shots.active_take(shot)
    names, folder = names_of(take), folder_of(take)
    if any(strips.of_shot(scene, shot.uuid)):
        old_size = (before.width, before.height) if before is not None else None
        strips.swap(scene, shot.uuid, take.uuid, folder, names, (take.width, take.height), old_size)
        strips.fill(scene, shot.uuid, take.uuid, names)
    else:
        channel, start = place or (1, shots.start_of(scene, shot.uuid))
        strips.place(scene, shot.name, shot.uuid, take.uuid, folder, names, start, channel)
    shot.active_take = take.uuid


def refit(scene: bpy.types.Scene, shot: CONFINER_PG_shot, take: CONFINER_PG_take) -> None:
    """Make the take's strips equal to its folder and as long as the take has become."""
    strips.refit(scene, shot.uuid, take.uuid, names_of(take))


def refresh(scene: bpy.types.Scene, shot: CONFINER_PG_shot, take: CONFINER_PG_take) -> None:
    """Make the take's strips equal to its folder."""
    strips.fill(scene, shot.uuid, take.uuid, names_of(take))


def worth_keeping(shot: CONFINER_PG_shot) -> bool:
    """Whether what the shot shows on the timeline must stay there until a new take is whole."""
    take = shots.active_take(shot)
    return take is not None and bool(take_state(take).frames)


def discard(scene: bpy.types.Scene, shot: CONFINER_PG_shot, take_uuid: str) -> None:
    """Take a take out of the shot and off the timeline."""
    strips.remove(scene, shot.uuid, take_uuid)
    for index, take in enumerate(shot.takes):
        if take.uuid == take_uuid:
            shot.takes.remove(index)
            break
    if shot.active_take == take_uuid:
        shot.active_take = ""


def clear_folder(folder: Path) -> None:
    """Remove what was prepared for a take that got no frames; whatever is not ours stays."""
    ours = {SLATE, take_record.REQUEST, take_record.PART, "preview.png"}
    for path in folder.glob("*") if folder.is_dir() else ():
        if path.is_file() and (path.name in ours or path.name.startswith("structure_")):
            path.unlink()
    for empty in (folder, folder.parent):
        if empty.is_dir() and not any(empty.iterdir()):
            empty.rmdir()


def thumbnail(take: CONFINER_PG_take) -> Path | None:
    """The picture that stands for the take: its middle frame, or the last one that is there."""
    frames = sorted(take_state(take).frames)
    if not frames:
        return None
    return folder_of(take) / frame_name(min(frames[-1], take.num_frames // 2))


def changed(scene: bpy.types.Scene, shot: CONFINER_PG_shot, take: CONFINER_PG_take) -> list[str]:
    """What has changed in the shot since the take was made, in words."""
    settings = settings_of(take)
    words = take_record.changed_since(shots.values_of(scene, shot), settings) if settings is not None else []
    another_strip = take.structure == "STRIP" and take.structure_strip != shot.structure_strip
    if take.structure and (take.structure != shot.structure or another_strip):
        words.append("structure")
    return words


def settings_of(take: CONFINER_PG_take) -> dict[str, Any] | None:
    """The request the take was made from."""
    folder = folder_of(take)
    changed = _settled_since(folder)
    return take_record.settings_of(folder) if changed is None else _settings_once(folder, changed)


def unread(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> tuple[str, ...]:
    """What is left unread of the shot's prompts, as its last job or its take tells, if it has the same prompts."""
    job = RUNTIME.jobs.get(shot.uuid)
    made = shots.find_take(shot, job.entry.take) if job is not None else None
    for take in (made, shots.active_take(shot)):
        settings = settings_of(take) if take is not None else None
        if take is None or settings is None or not take_record.same_prompts(shots.values_of(scene, shot), settings):
            continue
        told = job.progress.unread if job is not None and take == made else ()
        return told or _unread_of(take)
    return ()


def _unread_of(take: CONFINER_PG_take) -> tuple[str, ...]:
    folder = folder_of(take)
    changed = _settled_since(folder)
    return take_record.unread_of(folder) if changed is None else _unread_once(folder, changed)


def _settled_since(folder: Path) -> int | None:
    """When the folder last changed; None if that was just now, since its clock is coarse and more may have followed."""
    try:
        changed = folder.stat().st_mtime_ns
    except OSError:
        return 0
    return changed if time.time_ns() - changed > SETTLED else None


def _look(folder: Path, num_frames: int) -> take_record.TakeState:
    names = {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()
    frames = frozenset(frame for frame in range(num_frames) if frame_name(frame) in names)
    return take_record.TakeState(frames, take_record.RECORD in names)


@functools.lru_cache(maxsize=1024)
def _look_once(folder: Path, num_frames: int, changed: int) -> take_record.TakeState:
    return _look(folder, num_frames)


@functools.lru_cache(maxsize=1024)
def _settings_once(folder: Path, changed: int) -> dict[str, Any] | None:
    return take_record.settings_of(folder)


@functools.lru_cache(maxsize=1024)
def _unread_once(folder: Path, changed: int) -> tuple[str, ...]:
    return take_record.unread_of(folder)
