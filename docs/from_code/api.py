# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages about the API: one for each room, every module of it by its docstrings."""

from __future__ import annotations

from dataclasses import dataclass

from docs.from_code.modules import first_sentence, project_modules

ROOMS_WITHIN = ("confiner_blender", "confiner_blender.client", "confiner_blender.host")
"""Packages whose folders hold rooms, beside those right under `server`."""


@dataclass(frozen=True)
class ApiPage:
    """One page: the room or package that it is about, what that says of itself, and its modules."""

    room: str
    says: str
    modules: tuple[str, ...]

    @property
    def file(self) -> str:
        return f"api/{self.room}.md"

    @property
    def markdown(self) -> str:
        blocks = "\n\n".join(f"::: {module}" for module in self.modules)
        return f"# {self.room}\n\n{blocks}\n"


def api_pages() -> list[ApiPage]:
    """Every page, in the order of the packages; a file right under a package stands on the package's own page."""
    says: dict[str, str] = {}
    modules: dict[str, list[str]] = {}
    for name, path in project_modules():
        if name.endswith("__main__"):
            continue
        room = name if path.name == "__init__.py" else name.rpartition(".")[0]
        if path.name == "__init__.py":
            says[name] = first_sentence(path)
        modules.setdefault(room, []).append(name)
    return [ApiPage(room, says[room], tuple(modules[room])) for room in modules]


def index() -> str:
    """The list of the pages, with what each room says of itself."""
    lines = []
    for page in api_pages():
        depth = 0 if page.room.count(".") == 0 else 1
        if depth == 0:
            lines.append(f"\n## {page.room} {{#package-{page.room}}}\n")
        lines.append(f"- [`{page.room}`]({page.room}.md): {page.says[:1].lower() + page.says[1:]}")
    return "\n".join(lines)
