# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's modules and what they import, read from their sources: nothing is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Import:
    """One imported module, by its absolute name."""

    target: str
    line: int
    relative: bool


def project_modules() -> Iterator[tuple[str, Path]]:
    """Every module of the project with its absolute name."""
    packages = [ROOT / "confiner_blender", *(path.parent for path in sorted((ROOT / "server").glob("*/__init__.py")))]
    for package in packages:
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(package.parent).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports_of(name: str, path: Path) -> Iterator[Import]:
    """What `from a import b` names is taken as a.b: that falls into the right room whether b is a module or not."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, relative=False)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = [*base, node.module] if node.module else base
            for alias in node.names:
                yield Import(".".join([*module, alias.name]), node.lineno, relative=node.level > 0)


def inside(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def first_sentence(path: Path) -> str:
    """What a module says of itself first; empty if it says nothing."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split()).split(". ")[0].rstrip(".")
