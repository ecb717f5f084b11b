# SPDX-License-Identifier: GPL-3.0-or-later
"""The site builds without a warning, and loads nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.from_code.modules import ROOT

PACKAGES = ("mkdocs", "material", "mkdocstrings", "mkdocstrings_handlers.python", "ziamath")


def missing() -> list[str]:
    return [name for name in PACKAGES if importlib.util.find_spec(name.split(".")[0]) is None]


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=f'{missing()} are not here: pip install -e ".[docs]"'),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_every_page_of_the_navigation_is_there(site: Path) -> None:
    for name in ("index", "animators", "architecture", "method", "protocol", "glossary", "api/index", "api/confiner"):
        assert (site / f"{name}.html").stat().st_size > 5000


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loads = re.compile(r"""<(?:script|img|link)[^>]+(?:src|href)=["'](?:https?:)?//[^"']+""")
    found = {load for page in site.rglob("*.html") for load in loads.findall(page.read_text(encoding="utf-8"))}
    assert not {load for load in found if 'rel="canonical"' not in load}
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.findall(r"url\(\s*[\"']?https?:[^)]+", styles)


def test_nothing_is_left_to_be_written(site: Path) -> None:
    architecture, method = ((site / f"{name}.html").read_text(encoding="utf-8") for name in ("architecture", "method"))
    assert architecture.count('<svg class="plan"') == 4
    assert method.count('<div class="equation">') >= 15
    for page in (architecture, method):
        assert "from code:" not in page
        assert "arithmatex" not in page
        assert "][confiner" not in page


def test_links_from_page_to_page_lead_to_what_is_there(site: Path) -> None:
    lost = set()
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for link in set(re.findall(r'href="([^":]*)"', text)):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if page.name == "404.html":
                continue
            if not target.exists() or (anchor and f'id="{anchor}"' not in target.read_text(encoding="utf-8")):
                lost.add((page.name, link))
    assert not lost
