# SPDX-License-Identifier: GPL-3.0-or-later
"""The import plan: who imports whom, read from the code and drawn as SVG.

    python -m docs.from_code.import_plan confiner > plan.svg

An arrow goes down, from what imports to what is imported. Arrows that follow from others are left out.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from docs.from_code.layers import laid_out
from docs.from_code.modules import first_sentence, imports_of, inside, project_modules
from docs.from_code.svg import Box, drawn

PARTS = (
    "confiner_cli",
    "confiner_lab",
    "confiner_server",
    "confiner",
    "confiner_blender.host",
    "confiner_blender.client",
    "confiner_blender.storyboard",
    "confiner_blender.protocol",
)
"""What the overview shows: every package, the extension by its rooms."""


@dataclass(frozen=True)
class Plan:
    """Rooms, each with the first sentence that it says of itself, and who imports whom."""

    rooms: dict[str, str]
    arrows: frozenset[tuple[str, str]]


def overview() -> Plan:
    """The packages of the project."""
    return _plan(PARTS)


def rooms_of(package: str) -> Plan:
    """The rooms of one package: the folders and files right under it."""
    depth = len(package.split("."))
    names = {".".join(name.split(".")[: depth + 1]) for name, _ in project_modules() if inside(name, package)}
    return _plan(tuple(sorted(name for name in names - {package} if not name.endswith("__main__"))))


def _plan(names: tuple[str, ...]) -> Plan:
    rooms: dict[str, str] = {}
    arrows = set()
    for name, path in project_modules():
        room = _room(name, names)
        if room is None:
            continue
        if name == room:
            rooms[room] = first_sentence(path)
        others = {_room(found.target, names) for found in imports_of(name, path)}
        arrows |= {(room, other) for other in others if other is not None and other != room}
    return Plan(rooms, frozenset(arrows))


def _room(module: str, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if inside(module, name)), None)


def svg(plan: Plan, links: dict[str, str] | None = None) -> str:
    """The drawing; `links` lead from a room to its page. What runs in Blender is tinted, where not everything does."""
    layout = laid_out(list(plan.rooms), plan.arrows)
    parents = {name.rpartition(".")[0] for name in plan.rooms}
    boxes = {
        room: Box(
            name=room.rpartition(".")[2] if len(parents) == 1 else room,
            says=says.replace("`", ""),
            link=(links or {}).get(room, ""),
            near=len(parents) > 1 and inside(room, "confiner_blender"),
        )
        for room, says in plan.rooms.items()
    }
    return drawn(layout, boxes)


def main() -> None:
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    sys.stdout.write(svg(rooms_of(wanted) if wanted else overview()))


if __name__ == "__main__":
    main()
