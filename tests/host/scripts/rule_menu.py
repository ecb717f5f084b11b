# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a shot's menu: the library's before any sidecar, those of a sidecar after it, and what a file keeps."""

import bpy
import stage

stage.enable()
menu, messages = stage.module("host.scene.rule_menu"), stage.module("protocol.messages")
scene = bpy.context.scene
shot = stage.add_shot(prompt="a red cube")
shipped = [item[:2] for item in menu.items(shot, bpy.context)]
first = shot.rule

shot.rule = "reuse"
path = stage.FOLDER / "rules.blend"
bpy.ops.wm.save_as_mainfile(filepath=str(path))
menu.offer([messages.RuleInfo("theirs", "Theirs", "A package's own", 0x40000007), *menu.shipped()])
stage.open_file(path)
shot = bpy.context.scene.confiner.shots[0]
kept = shot.rule

shot.rule = "theirs"
bpy.ops.wm.save_mainfile()
menu.offer(menu.shipped())
stage.open_file(path)
shot = bpy.context.scene.confiner.shots[0]
gone = shot.rule
bpy.ops.confiner.generate()
problem = stage.module("host.session.runtime").RUNTIME.problems.get(shot.uuid)
stage.report(shipped=shipped, first=first, kept=kept, gone=gone, refused=problem and problem.message)
