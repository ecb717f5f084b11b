# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes arrive between the author's steps, and the author undoes and redoes."""

from typing import Any

import bpy
import stage

stage.enable()
compat = stage.module("host.blender.compat")
said: dict[str, Any] = {}
NAMES: dict[str, str] = {}
"""The takes' ids, by the letters that this script calls them by."""


def shot(index: int = 0) -> Any:
    return bpy.context.scene.confiner.shots[index]


def arrive(letter: str, index: int = 0) -> str:
    job = stage.start_job(shot(index))
    stage.finish(job)
    NAMES[job.entry.take] = letter
    return str(job.entry.take)


def shown(index: int = 0) -> str:
    """What the shot's strips show; `!` where the storyboard says something else."""
    strips = stage.on_timeline(shot(index))
    active = NAMES.get(shot(index).active_take, "")
    letters = "".join(NAMES.get(take, "?") for take in strips)
    return letters if set(letters) == {active} or not letters else f"{letters}!{active}"


def listed(index: int = 0) -> str:
    return "".join(NAMES.get(take.uuid, "?") for take in shot(index).takes)


def rename(name: str) -> None:
    shot().name = name
    stage.step("Rename")


def undo() -> str:
    bpy.ops.ed.undo()
    return shown()


def redo() -> str:
    bpy.ops.ed.redo()
    return shown()


stage.step("Original")
stage.press(bpy.ops.confiner.add_shot)
shot().prompt = "a red cube"
stage.step("Prompt")

# the first take makes the strip, between two steps of the author
first = arrive("a")
rename("one")
said["rename_undone"] = undo(), listed(), stage.spans()
said["rename_redone"] = redo(), listed()
arrive("b")
rename("two")
said["another_rename_undone"] = undo(), listed(), [take.name for take in shot().takes]

# swapped, and back
third = arrive("c")
stage.press(bpy.ops.confiner.use_take, take=first)
said["swapped"] = shown()
said["swap_undone"] = undo()
said["swap_redone"] = redo()
rename("three")
said["rename_after_swap"] = undo(), redo(), undo()
said["all_the_way"] = [undo() for _ in range(3)], listed()
said["and_back"] = [redo() for _ in range(4)], listed()

# a take comes while a swap stands undone: to do it again is to choose again
undo()
undo()
said["before_the_swap"] = shown()
arrive("d")
said["arrived"] = shown()
said["swapped_again"] = redo(), undo(), redo()
rename("four")
said["stays_swapped"] = undo(), redo()

# the author trims what came by itself
arrive("e")
strip = stage.strips()[0]
compat.set_handles(strip, 5, 40)
stage.step("Trim")
said["trim_undone"] = undo(), stage.spans()
said["trim_redone"] = redo(), stage.spans()

# a strip that the author deleted stays deleted until the deletion is undone
compat.strips_of(bpy.context.scene).remove(stage.strips()[0])
stage.step("Delete")
rename("five")
said["deleted"] = undo(), redo()
undo()
said["deletion_undone"] = undo()
said["deletion_redone"] = redo()
undo()

# a take that failed does not come up, nor one that was removed, but by undoing that
stage.press(bpy.ops.confiner.add_shot)
shot(1).prompt = "a blue ball"
stage.step("Prompt")
failing = stage.start_job(shot(1))
rename("six")
stage.fail(failing)
said["failed"] = listed(1), stage.on_timeline(shot(1))
undo()
said["failed_and_undone"] = listed(1), stage.on_timeline(shot(1))
redo()
said["failed_and_redone"] = listed(1), stage.on_timeline(shot(1))
bpy.context.scene.confiner.index = 0
stage.step("Choose")
before = listed(), shown()
stage.press(bpy.ops.confiner.remove_take, take=third)
rename("seven")
undo()
said["removed"] = before, (listed(), shown())
undo()
said["removal_undone"] = sorted(listed()) == sorted(before[0]), shown()
redo()
said["removal_redone"] = listed(), shown()
said["missing"] = stage.missing_files()
said["overlaps"] = stage.overlaps()

# the job goes on while the shot itself is undone
stage.press(bpy.ops.confiner.add_shot)
shot(2).prompt = "a cone"
lost = stage.start_job(shot(2))
NAMES[lost.entry.take] = "x"
bpy.ops.ed.undo()
gone = len(bpy.context.scene.confiner.shots)
stage.finish(lost)
bpy.ops.ed.redo()
said["shot_undone_and_redone"] = gone, len(bpy.context.scene.confiner.shots), listed(2), shown(2)
stage.report(**said)
