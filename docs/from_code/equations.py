# SPDX-License-Identifier: GPL-3.0-or-later
"""Equations as MathML, which browsers draw by themselves: no script, no font, nothing to load."""

from __future__ import annotations

import html
import re

from latex2mathml.converter import convert

MARKED = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">(?:\\\((?P<inline>.*?)\\\)|\\\[(?P<block>.*?)\\\])</(?P=tag)>', re.DOTALL
)


def drawn(page: str) -> str:
    """The page's HTML with each equation that arithmatex has marked in MathML."""
    return MARKED.sub(_mathml, page)


def _mathml(found: re.Match[str]) -> str:
    block = found["block"] is not None
    latex = html.unescape(found["block"] if block else found["inline"]).strip()
    mathml = convert(latex, display="block" if block else "inline")
    return f'<div class="equation">{mathml}</div>' if block else mathml
