# SPDX-License-Identifier: GPL-3.0-or-later
"""Equations as pictures in the page: no script and no font to load, and the same in every browser."""

from __future__ import annotations

import html
import re

import ziamath

MARKED = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">(?:\\\((?P<inline>.*?)\\\)|\\\[(?P<block>.*?)\\\])</(?P=tag)>', re.DOTALL
)
SIZE = 20
"""Units of the drawing in one em of the page."""


def drawn(page: str) -> str:
    """The page's HTML with each equation that arithmatex has marked as SVG."""
    ziamath.config.svg2 = False  # glyphs as paths: names of shared ones would meet in a page
    return MARKED.sub(_svg, page)


def _svg(found: re.Match[str]) -> str:
    block = found["block"] is not None
    latex = " ".join(html.unescape(found["block"] if block else found["inline"]).split())
    equation = ziamath.Latex(latex, size=SIZE, color="currentColor", inline=not block)
    width, height = equation.getsize()
    look = f"width:{width / SIZE:.3f}em;height:{height / SIZE:.3f}em;vertical-align:{equation.getyofst() / SIZE:.3f}em"
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", equation.svg(), count=1)
    svg = svg.replace("<svg", f'<svg class="math" role="img" aria-label="{html.escape(latex)}" style="{look}"', 1)
    return f'<div class="equation">{svg}</div>' if block else svg
