# SPDX-License-Identifier: GPL-3.0-or-later
"""Saves a .blend, starts a job, perhaps saves again, and says so in the middle of it. The test does the rest."""

import bpy
import stage

stage.enable()
runtime = stage.module("host.session.runtime").RUNTIME
stage.use_sidecar()
stage.add_shot(prompt="a red cube on grass", length=12, seed=3, control_steps=2, refine_steps=stage.ARGUMENTS["steps"])
bpy.ops.wm.save_as_mainfile(filepath=str(stage.FOLDER / "film.blend"))
bpy.ops.confiner.generate()
job = next(iter(runtime.jobs.values()))
stage.pump_until(lambda: job.progress.stage == "refine" or job.progress.ended)
if stage.ARGUMENTS.get("save"):
    bpy.ops.wm.save_mainfile()
print("UNDER WAY", flush=True)
stage.pump_until(lambda: job.progress.ended, patience=400)
problem = job.progress.problem
stage.report(
    state=job.progress.state.name,
    problem=f"{problem.message}: {problem.remedy}" if problem else "",
    files=sorted(path.name for path in job.folder.glob("frame_*.png")),
    missing=stage.missing_files(),
)
