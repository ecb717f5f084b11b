# SPDX-License-Identifier: GPL-3.0-or-later
"""In which line of a TOML file a value stands. The standard reader forgets it; a person with a mistake wants it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HEADER = re.compile(r"\s*\[[^\[\]]+\]\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


@dataclass(frozen=True)
class ChainText:
    """A chain file as it was read, to say where in it something stands."""

    file: Path
    text: str

    def where(self, table: tuple[str, ...], *keys: str) -> str:
        """Such as "mine.toml, line 12, [fast.control]": the first of the keys that is written, else the table."""
        lines = lines_of(self.text)
        found = [lines[path] for path in ((*table, key) for key in keys) if path in lines]
        line = found[0] if found else line_of(self.text, table)
        place = f"{self.file.name}, line {line}" if line is not None else self.file.name
        return f"{place}, [{'.'.join(table)}]"


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    """The line of the key or table at `path`, or of the innermost table around it that is there; None if none is."""
    lines = lines_of(text)
    parents = (path[:length] for length in range(len(path), 0, -1))
    return next((lines[parent] for parent in parents if parent in lines), None)


def lines_of(text: str) -> dict[tuple[str, ...], int]:
    """The line, counted from 1, of every table and of every key that starts a line. `text` must be valid TOML."""
    table: tuple[str, ...] = ()
    found: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if _HEADER.match(line):
            table = _only_path(tomllib.loads(line))
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault(table + _only_path(tomllib.loads(f"{key[1]} = {{}}")), number)
    return found


def _only_path(nested: dict[str, Any]) -> tuple[str, ...]:
    """The path to the innermost table of a document that has one branch."""
    path: tuple[str, ...] = ()
    while nested:
        key, nested = next(iter(nested.items()))
        path += (key,)
    return path
