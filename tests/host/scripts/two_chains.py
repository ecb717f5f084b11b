# SPDX-License-Identifier: GPL-3.0-or-later
"""Presses Download for the paper's two chains, then makes a storyboard of two shots, each with a chain of its own."""

import bpy
import stage

LAVIE, MODELSCOPE = "confiner-s/lavie", "confiner-s/modelscope"
SHOT = {"width": 256, "height": 256, "length": 6, "refine_steps": 1, "seed": 3}

stage.enable()
runtime = stage.module("host.session.runtime").RUNTIME
stage.use_sidecar()
said = {"offline": []}
bpy.context.preferences.system.use_online_access = False
bpy.ops.confiner.connect()
stage.pump_until(lambda: bool(runtime.weights))
said["offline"] = list(bpy.ops.confiner.fetch_weights(chain=LAVIE, accept=True, pickled=True))

# online from here on, which the sidecar hears when it is started anew
bpy.context.preferences.system.use_online_access = True
stage.restart_sidecar()
said["not_accepted"] = list(bpy.ops.confiner.fetch_weights(chain=LAVIE))
said["not_allowed"] = list(bpy.ops.confiner.fetch_weights(chain=LAVIE, accept=True))
said["before"] = {name: runtime.chains[name].missing for name in (LAVIE, MODELSCOPE)}
said["texts"] = set()
for name in (LAVIE, MODELSCOPE):
    bpy.ops.confiner.fetch_weights(chain=name, accept=True, pickled=True)
    stage.pump_until(
        lambda name=name: (
            said["texts"].add(stage.module("storyboard.download_size").sentence(runtime.fetches[name]))
            or runtime.fetches[name].state != "running"
        )
    )
stage.pump_until(lambda: not any(runtime.chains[name].missing for name in (LAVIE, MODELSCOPE)), 30)
said["texts"] = sorted(said["texts"])
said["fetched"] = {name: (state.state, str(state.problem)) for name, state in runtime.fetches.items()}
said["after"] = {name: runtime.chains[name].missing for name in (LAVIE, MODELSCOPE)}

bpy.context.scene.confiner.chain = MODELSCOPE
stage.add_shot(prompt="a red cube moves left", **SHOT)
stage.add_shot(prompt="a red cube moves left", chain=LAVIE, **SHOT)
bpy.ops.confiner.generate_all()
said["done"] = stage.pump_until(lambda: not stage.module("host.session.runtime").busy(), 420)
jobs = [runtime.jobs[shot.uuid] for shot in bpy.context.scene.confiner.shots]
said["ended"] = [job.progress.state.name for job in jobs]
said["problems"] = [str(job.progress.problem) for job in jobs if job.progress.problem]
said["spans"], said["missing"] = stage.spans(), stage.missing_files()
said["records"], said["shapes"], said["differ"] = [], [], False
if not said["problems"]:
    said["records"] = [stage.record_of(job.folder) for job in jobs]
    pictures = [stage.pixels_of(job.folder / "frame_0001.png") for job in jobs]
    said["shapes"] = [list(picture.shape) for picture in pictures]
    said["differ"] = bool((pictures[0] != pictures[1]).any())
stage.report(**said)
