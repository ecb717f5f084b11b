# SPDX-License-Identifier: GPL-3.0-or-later
"""Some hundreds of random steps on a storyboard, held against the rules in a few lines.

The rules: what a shot shows is the last take that arrived, or what the author chose on top of it. An arrival holds at
every point of the history up to where the author stood, and wipes out the choices made up to there; it leaves alone
what can still be redone. The list holds every take that arrived, but for those removed up to that point.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import bpy
import stage

stage.enable()
FILM = str(stage.FOLDER / "film.blend")
SHOTS = 2
rng = random.Random(stage.ARGUMENTS["seed"])


@dataclass
class Rules:
    """One shot: what arrived, and the author's moves by their place in the history."""

    arrived: list[str] = field(default_factory=list)
    base: str = ""
    moves: dict[int, tuple[str, str]] = field(default_factory=dict)
    removed: dict[int, str] = field(default_factory=dict)

    def arrive(self, take: str, here: int) -> None:
        self.arrived.append(take)
        self.base = take
        self.moves = {place: move for place, move in self.moves.items() if place > here}

    def shown(self, here: int) -> str:
        take = self.base
        for place in sorted(place for place in self.moves if place <= here):
            take = self.moves[place][1] if self.moves[place][0] == "use" else take
        return "" if take in self.gone(here) else take

    def gone(self, here: int) -> set[str]:
        return {take for place, take in self.removed.items() if place <= here}

    def listed(self, here: int) -> list[str]:
        return [take for take in self.arrived if take not in self.gone(here)]

    def forget_redo(self, here: int) -> None:
        self.moves = {place: move for place, move in self.moves.items() if place <= here}
        self.removed = {place: take for place, take in self.removed.items() if place <= here}

    def reopen(self, here: int) -> None:
        """What was saved is where the next history begins."""
        self.arrived, self.base = self.listed(here), self.shown(here)
        self.moves, self.removed = {}, {}


def shot(index: int) -> Any:
    return bpy.context.scene.confiner.shots[index]


def push(message: str) -> None:
    global here, top
    stage.step(message)
    here = top = here + 1


rules = [Rules() for _ in range(SHOTS)]
here = top = 0
names = ["", ""]
for _ in range(SHOTS):
    stage.add_shot(prompt="a red cube", length=6, fps=8)
stage.step("Original")
running: dict[int, Any] = {}
log: list[str] = []


def step() -> None:
    global here, top
    index = rng.randrange(SHOTS)
    rule, kind = rules[index], rng.choice(ACTIONS)
    log.append(f"{kind} {index}")
    if kind == "arrive" and index not in running:
        job = stage.start_job(shot(index))
        shown_at_once = (
            not stage.module("host.scene.takes")
            .take_state(stage.module("host.scene.shots").active_take(shot(index)) or shot(index).takes[-1])
            .frames
        )
        rule.arrived.append(job.entry.take)
        if shown_at_once:
            rule.arrived.pop()
            rule.arrive(job.entry.take, here)
        running[index] = job
    elif kind == "finish" and index in running:
        job = running.pop(index)
        stage.finish(job)
        rule.arrived.remove(job.entry.take)
        rule.arrive(job.entry.take, here)
        rule.arrived.sort(key=lambda take: order.setdefault(take, len(order)))
    elif kind in ("use", "remove"):
        making = running[index].entry.take if index in running else ""
        choice = [take for take in rule.listed(here) if take != making]
        if not choice or (kind == "remove" and rng.random() < 0.5):
            return
        take = rng.choice(choice)
        bpy.context.scene.confiner.index = index
        for each in rules:
            each.forget_redo(here)
        if kind == "use":
            bpy.ops.confiner.use_take(take=take)
            rule.moves[here + 1] = ("use", take)
        else:
            bpy.ops.confiner.remove_take(take=take)
            rule.removed[here + 1] = take
        push(kind)
    elif kind in ("rename", "object"):
        for each in rules:
            each.forget_redo(here)
        if kind == "rename":
            shot(index).name = f"name {rng.randrange(1000)}"
        else:
            bpy.data.objects.new("thing", None)
        push(kind)
    elif kind == "undo" and here > 0:
        bpy.ops.ed.undo()
        here -= 1
    elif kind == "redo" and here < top:
        bpy.ops.ed.redo()
        here += 1
    elif kind == "save":
        bpy.ops.wm.save_as_mainfile(filepath=FILM)
    elif kind == "reopen" and not running:
        bpy.ops.wm.save_as_mainfile(filepath=FILM)
        stage.open_file(FILM)
        bpy.ops.ed.undo_push(message="Original")
        for each in rules:
            each.reopen(here)
        here = top = 0


order: dict[str, int] = {}
ACTIONS = ["arrive"] * 2 + ["finish"] * 3 + ["use"] * 3 + ["undo"] * 5 + ["redo"] * 4
ACTIONS += ["rename"] * 2 + ["object"] * 2 + ["remove", "save"]
if rng.random() < 0.9:
    ACTIONS += ["reopen"]
wrong: list[Any] = []
for number in range(stage.ARGUMENTS["steps"]):
    step()
    for index, rule in enumerate(rules):
        for take in rule.arrived:
            order.setdefault(take, len(order))
        expected = rule.shown(here)
        takes = [take.uuid for take in shot(index).takes]
        seen = set(stage.on_timeline(shot(index)))
        if seen != ({expected} if expected else set()) or sorted(takes) != sorted(rule.listed(here)):
            wrong.append(
                [
                    number,
                    index,
                    here,
                    expected[:4],
                    [s[:4] for s in seen],
                    [t[:4] for t in takes],
                    [t[:4] for t in rule.listed(here)],
                    log[-12:],
                ]
            )
    if wrong:
        break
stage.report(wrong=wrong, missing=stage.missing_files(), overlaps=stage.overlaps(), steps=number + 1)
