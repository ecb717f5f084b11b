# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens a .blend of version 0.1.0, restores and goes on with its shots, saves and opens it again."""

import shutil
from typing import Any

import bpy
import stage

stage.enable()
stage.be_the_sidecar()
shutil.copytree(stage.ARGUMENTS["demo"], stage.FOLDER / "film")
FILM = str(stage.FOLDER / "film" / "demo.blend")
SETTINGS = "prompt", "seed", "length", "fps", "hold", "rule", "structure", "control_steps", "refine_steps", "chain"


def shots() -> list[Any]:
    return list(bpy.context.scene.confiner.shots)


def standing() -> dict[str, Any]:
    strips = [
        (strip.name, strip.channel, *stage.module("host.blender.compat").handles(strip)) for strip in stage.strips()
    ]
    return {
        "names": [shot.name for shot in shots()],
        "settings": [[getattr(shot, name) for name in SETTINGS] for shot in shots()],
        "takes": [[take.name for take in shot.takes] for shot in shots()],
        "frames": [
            [len(stage.module("host.scene.takes").take_state(take).frames) for take in shot.takes] for shot in shots()
        ],
        "pictures": [len(set(stage.files_of(strip))) for strip in stage.strips()],
        "strips": strips,
        "shown": [stage.on_timeline(shot) == [shot.active_take] for shot in shots()],
        "missing": stage.missing_files(),
    }


stage.open_file(FILM)
opened = standing()

second = shots()[1]
second.prompt, second.refine_steps, second.seed = "another thing", 0, 99
bpy.context.scene.confiner.index = 1
stage.press(bpy.ops.confiner.restore_take, take=second.takes[0].uuid)
restored = [getattr(second, name) for name in SETTINGS]

first = shots()[0]
stage.finish(stage.start_job(first))
went_on = standing()
bpy.context.scene.confiner.index = 0
stage.press(bpy.ops.confiner.use_take, take=first.takes[0].uuid)
swapped = standing()

bpy.ops.wm.save_mainfile()
stage.open_file(FILM)
stage.report(opened=opened, restored=restored, went_on=went_on, swapped=swapped, reopened=standing())
