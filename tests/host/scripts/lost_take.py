# SPDX-License-Identifier: GPL-3.0-or-later
"""One life of a Blender around takes that are not saved: `do` says what happens in it, `end` how it ends."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import bpy
import stage

stage.enable()
stage.be_the_sidecar()
FILM = stage.FOLDER / "film.blend"
ledger = stage.module("host.jobs.arrivals").ledger_of_user()
said: dict[str, Any] = {}


def shot() -> Any:
    return bpy.context.scene.confiner.shots[0]


def generate(frames: int | None = None) -> None:
    job = stage.start_job(shot())
    if frames is None:
        stage.finish(job)
    else:
        stage.land(job, frames)
        messages = stage.module("protocol.messages")
        stage.module("host.callbacks.timer").apply(
            stage.module("client.session.inbox").EventArrived(messages.Cancelled(job.entry.take, 9))
        )


def panel_draws() -> None:
    """The panels have no window here; what they ask at each redraw is asked."""
    found = stage.module("host.jobs.unlisted_takes")
    said["offered"] = len(found.found_takes(bpy.context.scene, shot()))


def do(what: str) -> None:
    name, _, value = what.partition(":")
    match name:
        case "new":
            stage.add_shot(prompt="a red cube", length=12)
            stage.step("Original")
        case "open":
            stage.open_file(stage.FOLDER / (value or "film.blend"))
            bpy.ops.ed.undo_push(message="Original")
        case "recover":
            bpy.ops.wm.recover_auto_save(filepath=str(stage.FOLDER / value))
        case "autosave":  # what Blender writes by itself runs no handlers of ours
            silent = list(bpy.app.handlers.save_pre), list(bpy.app.handlers.save_post)
            bpy.app.handlers.save_pre.clear()
            bpy.app.handlers.save_post.clear()
            bpy.ops.wm.save_as_mainfile(filepath=str(stage.FOLDER / value), copy=True)
            bpy.app.handlers.save_pre.extend(silent[0])
            bpy.app.handlers.save_post.extend(silent[1])
        case "save":
            bpy.ops.wm.save_as_mainfile(filepath=str(stage.FOLDER / (value or "film.blend")))
        case "copy":
            bpy.ops.wm.save_as_mainfile(filepath=str(stage.FOLDER / value), copy=True)
        case "take":
            generate(int(value) if value else None)
        case "start":
            stage.land(stage.start_job(shot()), int(value))
        case "finish":
            stage.finish(stage.module("host.session.runtime").RUNTIME.jobs[shot().uuid])
        case "rename":
            shot().name = value
            stage.step("Rename")
        case "undo":
            bpy.ops.ed.undo()
        case "use":
            stage.press(bpy.ops.confiner.use_take, take=shot().takes[int(value)].uuid)
        case "remove":
            stage.press(bpy.ops.confiner.remove_take, take=shot().takes[int(value)].uuid)
        case "take_in":
            stage.press(bpy.ops.confiner.take_in)
        case "leave_found":
            stage.press(bpy.ops.confiner.leave_found)
        case "forget_ledger":
            for entry in ledger.entries():
                ledger.strike(entry.take)
        case "old_notes":  # as version 0.1.0 wrote them
            for note in stage.FOLDER.glob("film_confiner/*/*/request.json"):
                values = json.loads(note.read_text())
                note.write_text(json.dumps({"request": values["request"]}))
        case _:
            raise ValueError(what)


for what in stage.ARGUMENTS["do"]:
    do(what)
panel_draws()
names = {take.uuid: take.name for take in shot().takes}
said |= {
    "names": [take.name for take in shot().takes],
    "frames": [len(stage.module("host.scene.takes").take_state(take).frames) for take in shot().takes],
    "lengths": [take.length for take in shot().takes],
    "active": names.get(shot().active_take, ""),
    "strips": [names.get(take, "?") for take in stage.on_timeline(shot())],
    "pictures": [len(set(stage.files_of(strip))) for strip in stage.strips()],
    "ledger": [entry.standing for entry in ledger.entries() if str(stage.FOLDER) in entry.blend],
    "missing": stage.missing_files(),
    "folders": len(list(Path(stage.FOLDER).glob("*_confiner/*/*"))),
}
stage.report(**said)
sys.stdout.flush()
if stage.ARGUMENTS.get("end", "crash") == "crash":
    os.kill(os.getpid(), signal.SIGKILL)
