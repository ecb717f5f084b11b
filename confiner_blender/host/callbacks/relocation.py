# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes follow their .blend: off the extension's own folder on the first save, and along on Save As if so preferred.

Files are copied before the .blend is written, so that what it says is true from the start, and originals go only after
it was written. If the save fails, or only saved a copy, everything points to the originals again.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import bpy

from ...protocol.messages import Problem
from ...storyboard import take_folders
from ..blender import paths
from ..blender.add_on import preferences, user_folder
from ..jobs import arrivals
from ..scene import shots, strips, takes
from ..session.runtime import RUNTIME, running


@dataclass(frozen=True)
class Move:
    """A take's folder before and after."""

    shot: str
    take: str
    source: Path
    target: Path


_UNDER_WAY: list[Move] = []
"""Between the handler before a save and the one after it."""


def before_save(target: str) -> None:
    """Copy what must follow to beside `target`, and refer to it there."""
    _UNDER_WAY.clear()
    if not target or not Path(target).parent.is_dir():  # the start-up file, or a save that is bound to fail
        return
    unsaved = user_folder("unsaved")
    home = take_folders.home_of(Path(target))
    elsewhere = bool(bpy.data.filepath) and Path(target).parent != Path(bpy.data.filepath).parent
    for _, shot in shots.every_shot():
        for take in shot.takes:
            source = takes.folder_of(take)
            wanted = source.is_relative_to(unsaved) or (elsewhere and preferences().save_as == "COPY")
            aim = take_folders.take_folder(home, shot.uuid, take.uuid) if wanted and not take.shared else source
            _UNDER_WAY.append(Move(shot.uuid, take.uuid, source, aim))
    for move in _UNDER_WAY:
        try:
            take_folders.copy_take(move.source, move.target)
        except OSError as error:
            message = f"The take could not follow to {move.target}: {error.strerror or error}"
            RUNTIME.problems[move.shot] = Problem("folder", message, "make room there, then save again")
        else:
            _refer(move, move.target, target)


def after_save(target: str) -> None:
    """The .blend is written: the originals in the extension's folder go."""
    moves, written = list(_UNDER_WAY), bpy.data.filepath
    _UNDER_WAY.clear()
    if Path(written or ".") != Path(target or "."):  # only a copy was saved
        _point_back(moves)
        return
    unsaved = user_folder("unsaved")
    for move in moves:
        if move.source != move.target and move.source.is_relative_to(unsaved) and _has_followed(move):
            take_folders.copy_take(move.source, move.target)  # what a running job stored in between
            shutil.rmtree(move.source, ignore_errors=True)
    if target:
        arrivals.saved(written)


def after_failed_save(target: str) -> None:
    """The .blend was not written: all is as before."""
    _point_back(list(_UNDER_WAY))
    _UNDER_WAY.clear()


def find_again() -> None:
    """After an undo over a save: takes and strips that point to where frames stood before find them where they are."""
    for scene, shot in shots.every_shot():
        for take in shot.takes:
            if takes.folder_of(take).is_dir():
                continue
            folder = takes.take_folder(scene, shot.uuid, take.uuid)
            if folder.is_dir():
                take.folder = paths.stored(folder, bpy.data.filepath)
                strips.move_folder(scene, take.uuid, folder)


def _refer(move: Move, folder: Path, blend: str) -> None:
    """Have shot, strips and job find the take in `folder`, in a .blend that stands at `blend`."""
    for scene, shot in shots.every_shot():
        take = shots.find_take(shot, move.take)
        if take is not None:
            take.folder = paths.stored(folder, blend)
            if move.source != move.target:
                strips.move_folder(scene, move.take, folder)
    arrival, job = RUNTIME.arrivals.get(move.take), running(move.shot)
    if arrival is None or Path(arrival.entry.folder) == folder:
        return
    arrivals.amend(move.take, folder=str(folder))
    if job is not None and job.entry.take == move.take and RUNTIME.session is not None:
        RUNTIME.session.track(move.take, 0, folder)


def _has_followed(move: Move) -> bool:
    """Whether the take is found in its new folder now: it is not where copying it failed."""
    found = shots.find_shot(move.shot)
    take = found and shots.find_take(found[1], move.take)
    return bool(take) and takes.folder_of(take) == move.target


def _point_back(moves: list[Move]) -> None:
    for move in moves:
        _refer(move, move.source, bpy.data.filepath)
