# SPDX-License-Identifier: GPL-3.0-or-later
"""What MkDocs calls while it builds: adds what is written from the code.

A page says `<!-- from code: NAME -->` where a table stands, or `<!-- from code: import-plan PACKAGE -->` a drawing.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel

from docs.from_code import api, equations, import_plan
from docs.from_code.modules import ROOT
from docs.from_code.tables import TABLES

MARK = re.compile(r"^<!-- from code: (?P<name>[\w-]+)(?: (?P<argument>[\w.]+))? -->$", re.MULTILINE)
PICTURES = ROOT / "tests" / "pictures"


def on_files(files: Files, *, config: Any) -> Files:
    """Add the API's pages and the README's pictures."""
    for page in api.api_pages():
        files.append(File.generated(config, page.file, content=page.markdown, inclusion=InclusionLevel.NOT_IN_NAV))
    for picture in sorted(PICTURES.glob("*.png")):
        files.append(File.generated(config, f"pictures/{picture.name}", abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Put tables and drawings where the page asks for them."""
    up = "../" * page.file.src_uri.count("/")
    return MARK.sub(lambda mark: _written(mark["name"], mark["argument"] or "", up), markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Draw the equations."""
    return equations.drawn(html)


def _written(name: str, argument: str, up: str) -> str:
    if name == "import-plan":
        plan = import_plan.rooms_of(argument) if argument else import_plan.overview()
        links = {page.room: f"{up}{page.file.removesuffix('.md')}.html" for page in api.api_pages()}
        return f'<div class="drawing">\n{import_plan.svg(plan, links)}\n</div>'
    if name == "api-index":
        return api.index()
    if name not in TABLES:
        raise PluginError(f"a page asks for {name!r}; expected import-plan, api-index, {', '.join(TABLES)}")
    return TABLES[name]()
