# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages for people name is there: files, folders, modules, functions, pages, pictures and commands."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from docs.from_code.modules import ROOT, project_modules

PAGES = ROOT / "docs" / "pages"
TEXTS = sorted([ROOT / "CONTRIBUTING.md", ROOT / "README.md", ROOT / "SECURITY.md", *PAGES.rglob("*.md")])
MODULES = dict(project_modules())
TO_CODE = re.compile(r"\]\[((?:confiner)[\w.]*)\]|\[`((?:confiner)[\w.]*)`\]\[\]")
TO_FILE = re.compile(r"`((?:\.github|confiner_blender|server|tests|docs|tools)/[\w./-]*)`")
TO_PAGE = re.compile(r"\]\(([^)\s]+)\)")

every_text = pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())


@every_text
def test_what_is_named_in_the_code_is_there(text: Path) -> None:
    named = {first or second for first, second in TO_CODE.findall(text.read_text(encoding="utf-8"))}
    assert not {name for name in named if not defined(name)}


@every_text
def test_files_and_folders_are_there(text: Path) -> None:
    named = set(TO_FILE.findall(text.read_text(encoding="utf-8")))
    assert not {name for name in named if not (ROOT / name).exists()}


@every_text
def test_links_lead_somewhere(text: Path) -> None:
    links = {link for link in TO_PAGE.findall(text.read_text(encoding="utf-8")) if "://" not in link}
    lost = {link for link in links if not (target := the_file(text, link)).exists() or not has_heading(target, link)}
    assert not lost


@every_text
def test_commands_of_the_project_are_there(text: Path) -> None:
    words = set(re.findall(r"dev\.py ([a-z]+)", text.read_text(encoding="utf-8")))
    help_text = ast.get_docstring(ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"))) or ""
    assert words <= set(re.findall(r"dev\.py ([a-z]+)", help_text))


def test_a_name_that_is_gone_is_noticed() -> None:
    assert defined("confiner.method.rules.RefineStep.over_hinge")
    assert defined("confiner.method.rules")
    assert not defined("confiner.method.rules.RefineStep.over_the_hill")
    assert not defined("confiner.method.gone")


def defined(name: str) -> bool:
    """Whether there is a module of that name, or a class or function in one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        module = ".".join(parts[:end])
        if module in MODULES:
            body: list[ast.stmt] = ast.parse(MODULES[module].read_text(encoding="utf-8")).body
            for part in parts[end:]:
                inner = [
                    node for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == part
                ]
                if not inner:
                    return False
                body = inner[0].body
            return True
    return False


def the_file(text: Path, link: str) -> Path:
    """What a link in `text` leads to. The pictures of the pages, and those about the API, come when they are built."""
    path = link.partition("#")[0]
    if PAGES in text.parents and path.startswith("pictures/"):
        return ROOT / "tests" / path
    if text.parent == PAGES / "api" and path.removesuffix(".md") in MODULES:
        return MODULES[path.removesuffix(".md")]
    return text.parent / path if path else text


def has_heading(target: Path, link: str) -> bool:
    wanted = link.partition("#")[2]
    if not wanted:
        return True
    headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
    return wanted in {re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings}
