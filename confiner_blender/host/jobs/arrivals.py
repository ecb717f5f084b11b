# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes that come into the file by themselves, between the author's steps.

Undo and redo bring back whole states of the file, as they were when a step of the author's ended; what came since is
not in them. So everything that comes is remembered here, outside the .blend, and put into such a state again: the take
in its list, and on the timeline where the author has not chosen since (see `storyboard.showing`). A step of its own
for each take would do no better: it would stand in the author's way, and take away what there is to redo.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path
from typing import Any

import bpy

from ...protocol.messages import Problem
from ...storyboard import job_ledger, showing
from ...storyboard.job_ledger import Entry, Ledger
from ..blender.add_on import user_folder
from ..scene import shots, strips, takes
from ..scene.properties import CONFINER_PG_shot, CONFINER_PG_take
from ..session.runtime import RUNTIME, Arrival, job_of


def ledger_of_user() -> Ledger:
    return Ledger(user_folder("jobs"))


def bring(shot: CONFINER_PG_shot, entry: Entry) -> CONFINER_PG_take:
    """The take in its shot's list, where it is put if it is not there."""
    take = takes.add(shot, entry)
    entry = dataclasses.replace(entry, name=take.name)
    RUNTIME.arrivals.setdefault(entry.take, Arrival(entry)).entry = entry
    return take


def bring_up(scene: bpy.types.Scene, shot: CONFINER_PG_shot, take: CONFINER_PG_take) -> None:
    """Show a take that has come on the timeline, in place of what the author chose before."""
    takes.show(scene, shot, take)
    RUNTIME.shown[shot.uuid] = showing.arrived(take.uuid, RUNTIME.shown.get(shot.uuid), shot.choice)
    span = strips.span_of_shot(scene, shot.uuid)
    if span is not None:
        RUNTIME.places[shot.uuid] = span.channel, span.start


def ended(shot: CONFINER_PG_shot, entry: Entry) -> CONFINER_PG_take:
    """The take of a job that has ended, which the ledger holds until a saved file does."""
    take = bring(shot, entry)
    take.arrived = RUNTIME.arrivals[entry.take].ended = True
    amend(entry.take, standing=job_ledger.ARRIVED)
    return take


def discard(scene: bpy.types.Scene, shot: CONFINER_PG_shot, entry: Entry) -> None:
    """There is nothing of the take: it leaves the shot, and undo does not bring it back."""
    RUNTIME.arrivals.setdefault(entry.take, Arrival(entry)).discarded = True
    takes.discard(scene, shot, entry.take)
    _strike(RUNTIME.arrivals[entry.take])


def choose(scene: bpy.types.Scene, shot: CONFINER_PG_shot, take: CONFINER_PG_take) -> None:
    """Show the take on the timeline as the author's own step."""
    shot.choice = showing.next_choice(RUNTIME.shown.get(shot.uuid), shot.choice)
    takes.show(scene, shot, take)


def remove(scene: bpy.types.Scene, shot: CONFINER_PG_shot, take_uuid: str) -> None:
    """Take the take out of the shot and off the timeline as the author's own step."""
    shots.mark_removed(shot, take_uuid)
    takes.discard(scene, shot, take_uuid)
    note_removals()


def reapply(*, redone: bool) -> None:
    """After an undo, or after a step was `redone`: put everything that has come into the state that came back."""
    had_strip = dict(RUNTIME.had_strip)
    _look_at_state()
    for shot_uuid in dict.fromkeys(arrival.entry.shot for arrival in RUNTIME.arrivals.values()):
        found = shots.find_shot(shot_uuid)
        if found is not None:
            _reapply_list(*found)
            _reapply_timeline(*found, taken_off=redone and had_strip.get(shot_uuid, False))
    note_removals()


def _look_at_state() -> None:
    """Note which shots have a strip in the state that came back, before anything is put into it.

    Where a step changed other things only, Blender leaves the scene as it is, with what was put into it before.
    """
    for scene in bpy.data.scenes:
        if scene.confiner.moves != RUNTIME.moves:
            RUNTIME.had_strip |= {s.uuid: any(strips.of_shot(scene, s.uuid)) for s in scene.confiner.shots}
    RUNTIME.moves += 1
    for scene in bpy.data.scenes:
        if scene.library is None and scene.confiner.shots:
            scene.confiner.moves = RUNTIME.moves


def saved(blend: str) -> None:
    """The file was saved: the ledger lets go of what is in it, and of the rest knows where it belongs now."""
    here = [(arrival, shots.find_shot(arrival.entry.shot)) for arrival in RUNTIME.arrivals.values()]
    kept = [arrival for arrival, found in here if found and not arrival.safe and _is_in(*found, arrival)]
    if kept:
        _sync(Path(blend))
    for arrival in kept:
        _strike(arrival)
    for arrival, found in here:
        if found is not None and not arrival.safe and arrival.entry.blend != blend:
            amend(arrival.entry.take, blend=blend)


def leave() -> None:
    """The file is closed. What the author did not save is listed when it is opened again, but not shown."""
    for arrival in RUNTIME.arrivals.values():
        if arrival.ended and arrival.entry.standing == job_ledger.ARRIVED:
            amend(arrival.entry.take, standing=job_ledger.LEFT)


def note_removals() -> None:
    """Have the ledger know which takes the author removed, since a crash may come before the file is saved."""
    for arrival in RUNTIME.arrivals.values():
        found = shots.find_shot(arrival.entry.shot)
        if found is None or not arrival.ended or arrival.discarded:
            continue
        if shots.is_removed(found[1], arrival.entry.take):
            amend(arrival.entry.take, standing=job_ledger.REMOVED)
        elif arrival.entry.standing == job_ledger.REMOVED:
            amend(arrival.entry.take, standing=job_ledger.ARRIVED)


def amend(take_uuid: str, **changes: Any) -> None:
    """Change what is known of a take that has come: here, in its job, and in the ledger while that holds it."""
    arrival, job = RUNTIME.arrivals[take_uuid], job_of(take_uuid)
    changed = dataclasses.replace(arrival.entry, **changes)
    if changed == arrival.entry:
        return
    arrival.entry = changed
    if job is not None:
        job.entry = changed
    if not arrival.safe:
        note(changed)


def note(entry: Entry) -> None:
    """Write into the ledger. A disk that does not take it keeps nobody from working, and is spoken of in the panel."""
    try:
        ledger_of_user().write(entry)
    except OSError as error:
        message = f"What is under way could not be noted ({error.strerror or error})"
        RUNTIME.problems[entry.shot] = Problem("ledger", message, "make room on the disk, then save the .blend")


def _reapply_list(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> None:
    for arrival in [arrival for arrival in RUNTIME.arrivals.values() if arrival.entry.shot == shot.uuid]:
        if arrival.discarded:
            takes.discard(scene, shot, arrival.entry.take)
        elif not shots.is_removed(shot, arrival.entry.take):
            take = takes.add(shot, arrival.entry)
            take.arrived = arrival.ended


def _reapply_timeline(scene: bpy.types.Scene, shot: CONFINER_PG_shot, *, taken_off: bool) -> None:
    """`taken_off`: the step that was redone took the shot's strips off the timeline.

    They stay off if the author deleted them; removing another take leaves no take named, and does not touch this one.
    """
    last = RUNTIME.shown.get(shot.uuid)
    take = shots.find_take(shot, last.take) if last is not None and showing.holds(last, shot.choice) else None
    if take is not None:
        has_strip = any(strips.of_shot(scene, shot.uuid))
        deleted = shot.active_take == take.uuid or (taken_off and shot.active_take)
        if has_strip or not deleted:
            takes.show(scene, shot, take, RUNTIME.places.get(shot.uuid))
        shot.active_take = take.uuid
    for each in shot.takes:
        if each.uuid in RUNTIME.arrivals:
            takes.refresh(scene, shot, each)


def _is_in(scene: bpy.types.Scene, shot: CONFINER_PG_shot, arrival: Arrival) -> bool:
    """Whether the file, as it was just saved, holds the take as its job left it, or that it was removed."""
    if scene.library is not None or not arrival.ended:
        return False
    take = shots.find_take(shot, arrival.entry.take)
    return take.arrived if take is not None else shots.is_removed(shot, arrival.entry.take)


def _strike(arrival: Arrival) -> None:
    arrival.safe = True
    with contextlib.suppress(OSError):  # it stands there once more than it needs to
        ledger_of_user().strike(arrival.entry.take)


def _sync(path: Path) -> None:
    """Have the file on the disk before anything else lets go. Not every system does that for a file open to read."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        os.fsync(file.fileno())
