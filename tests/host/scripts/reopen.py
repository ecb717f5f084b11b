# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the .blend that another Blender died over, and waits for the job it left behind."""

import bpy
import stage

stage.enable()
runtime = stage.module("host.session.runtime").RUNTIME
stage.use_sidecar()
stage.open_file(stage.FOLDER / "film.blend")
found = len(runtime.jobs)
job = next(iter(runtime.jobs.values()))
takes_at_once = len(bpy.context.scene.confiner.shots[0].takes)
stage.pump_until(lambda: job.progress.ended, patience=400)


def ledger() -> list[str]:
    """How the takes stand that the ledger holds for this file."""
    entries = stage.module("host.jobs.arrivals").ledger_of_user().entries()
    return [entry.standing for entry in entries if entry.blend == bpy.data.filepath]


shot = bpy.context.scene.confiner.shots[0]
seen = {"files": sorted(set(stage.files_of(stage.strips()[0]))), "spans": stage.spans()}
unsaved = ledger()
bpy.ops.wm.save_mainfile()
stage.report(
    found=found,
    takes_at_once=takes_at_once,
    state=job.progress.state.name,
    problem=str(job.progress.problem),
    on_timeline=shot.active_take == job.entry.take,
    **seen,
    missing=stage.missing_files(),
    ledger=[unsaved, ledger()],
)
