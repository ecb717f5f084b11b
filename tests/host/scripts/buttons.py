# SPDX-License-Identifier: GPL-3.0-or-later
"""Which buttons the panels draw, in which order, and whether they can be pressed: before, during and after a job."""

from types import SimpleNamespace
from typing import Any

import bpy
import stage

stage.enable()
stage.be_the_sidecar()
WIDTH = 400
PANELS = ("storyboard", "takes")


class Paper:
    """A layout that writes down what is drawn on it: buttons by name, and what else takes room."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def operator(self, name: str, **options: Any) -> Any:
        self.lines.append(name)
        return SimpleNamespace()

    def progress(self, **options: Any) -> None:
        self.lines.append("bar")

    def template_icon(self, *values: Any, **options: Any) -> None:
        self.lines.append("picture")

    def label(self, **options: Any) -> None:
        self.lines.append("line")

    def __getattr__(self, name: str) -> Any:
        return lambda *values, **options: self


def drawn(panel: str) -> list[str]:
    lines: list[str] = []
    kind = getattr(bpy.types, f"CONFINER_PT_{panel}_sequencer")
    context = SimpleNamespace(
        region=SimpleNamespace(width=WIDTH), scene=bpy.context.scene, window_manager=bpy.context.window_manager
    )
    drawing = next(base for base in kind.__mro__ if "draw" in vars(base))
    vars(drawing)["draw"](SimpleNamespace(layout=Paper(lines)), context)
    return lines


def usable() -> dict[str, bool]:
    names = ("generate", "generate_all", "cancel", "cancel_all", "extend_take", "go_on", "keep_part")
    return {name: getattr(bpy.ops.confiner, name).poll() for name in names}


said: dict[str, Any] = {}


def look(name: str) -> None:
    said[name] = {"usable": usable(), **{panel: drawn(panel) for panel in PANELS}}


stage.add_shot(prompt="a red cube", length=12)
look("idle")
shot = bpy.context.scene.confiner.shots[0]
job = stage.start_job(shot)
look("started")
stage.land(job, 2)
look("filling")
stage.finish(job)
look("finished")
other = stage.start_job(bpy.context.scene.confiner.shots[0])
look("second")
stage.fail(other)
look("failed")
stage.report(**said)
