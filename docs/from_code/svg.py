# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws a layout: boxes with a name and a sentence, curved arrows between them. Colours follow the page's scheme."""

from __future__ import annotations

import itertools
import textwrap
from dataclasses import dataclass
from html import escape

from docs.from_code.layers import Layout

WIDTH, GAP, DROP, MARGIN = 232, 24, 46, 8
LINE, NAME, PADDING = 14, 20, 9
LANE = 26
"""Pixels across for an arrow that passes a layer."""
LETTERS = 32
"""Letters of a sentence in one line of a box."""

STYLE = """
.plan .box{fill:var(--md-default-bg-color,#fff);stroke:var(--md-primary-fg-color,#4a5a78);stroke-width:1.3}
.plan a:hover .box{fill:var(--md-code-bg-color,#f2f4f8)}
.plan .near{fill:var(--plan-near,#e8f0fb)}
.plan .name{font:600 12px var(--plan-mono,ui-monospace,monospace);fill:var(--md-default-fg-color,#222)}
.plan .says{font:11.5px system-ui,sans-serif;fill:var(--md-default-fg-color--light,#555)}
.plan .arrow{fill:none;stroke:var(--md-default-fg-color--light,#889);stroke-width:1.3}
.plan .head{fill:var(--md-default-fg-color--light,#889)}
""".strip()


@dataclass(frozen=True)
class Box:
    """What stands in a box, and where it leads; `near` boxes are tinted."""

    name: str
    says: str
    link: str = ""
    near: bool = False

    @property
    def lines(self) -> list[str]:
        return textwrap.wrap(self.says, LETTERS)

    @property
    def height(self) -> int:
        return 2 * PADDING + NAME + LINE * len(self.lines)


@dataclass(frozen=True)
class Place:
    """Where something is drawn: its middle, its top and its bottom."""

    x: float
    top: float
    bottom: float


def drawn(layout: Layout, boxes: dict[str, Box]) -> str:
    """The picture as one `<svg>` element without empty lines, as Markdown wants it."""
    places, width, height = _places(layout, boxes)
    leaving = _spread(layout, places, boxes, up=False)
    landing = _spread(layout, places, boxes, up=True)
    arrows = [_arrow(way, places, leaving[way], landing[way]) for way in layout.arrows]
    parts = [_box(places[name], box) for name, box in boxes.items()]
    head = '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    return "\n".join(
        [
            f'<svg class="plan" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'style="width:100%;max-width:{width:g}px;height:auto" role="img" aria-label="who imports whom">',
            f"<style>{STYLE}</style>",
            f'<defs>{head}<path class="head" d="M0 0 8 4 0 8z"/></marker></defs>',
            *arrows,
            *parts,
            "</svg>",
        ]
    )


def _places(layout: Layout, boxes: dict[str, Box]) -> tuple[dict[str, Place], float, float]:
    """Where everything stands, each layer in the middle of the picture; and the picture's size."""
    spans = [sum(_width(name, boxes) + GAP for name in layer) - GAP for layer in layout.layers]
    width = max(spans) + 2 * MARGIN
    places = {}
    top = float(MARGIN)
    for layer, span in zip(layout.layers, spans, strict=True):
        tall = max(boxes[name].height for name in layer if name in boxes)
        x = (width - span) / 2
        for name in layer:
            own = boxes[name].height if name in boxes else tall
            start = top + (tall - own) / 2
            places[name] = Place(x + _width(name, boxes) / 2, start, start + own)
            x += _width(name, boxes) + GAP
        top += tall + DROP
    return places, width, top - DROP + MARGIN


def _width(name: str, boxes: dict[str, Box]) -> int:
    return WIDTH if name in boxes else LANE


def _spread(
    layout: Layout, places: dict[str, Place], boxes: dict[str, Box], *, up: bool
) -> dict[tuple[str, ...], float]:
    """Where along a box's edge each arrow leaves (or lands, looking `up`): side by side, in the order they come in."""
    found = {}
    for name in boxes:
        ways = [way for way in layout.arrows if way[-1 if up else 0] == name]
        ways.sort(key=lambda way: places[way[-2 if up else 1]].x)
        room = min(WIDTH - 40, 24 * (len(ways) - 1))
        for index, way in enumerate(ways):
            share = index / (len(ways) - 1) - 0.5 if len(ways) > 1 else 0.0
            found[way] = places[name].x + room * share
    return found


def _arrow(way: tuple[str, ...], places: dict[str, Place], leaving: float, landing: float) -> str:
    first, last = places[way[0]], places[way[-1]]
    points = [(leaving, first.bottom)]
    for name in way[1:-1]:
        points += [(places[name].x, places[name].top), (places[name].x, places[name].bottom)]
    points.append((landing, last.top - 1))
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        bend = (y1 - y0) / 2
        path += f"C{x0:.1f} {y0 + bend:.1f} {x1:.1f} {y1 - bend:.1f} {x1:.1f} {y1:.1f}"
    return f'<path class="arrow" d="{path}" marker-end="url(#head)"/>'


def _box(place: Place, box: Box) -> str:
    left, y = place.x - WIDTH / 2, place.top + PADDING + 12
    look, height = "box near" if box.near else "box", place.bottom - place.top
    rectangle = f'<rect class="{look}" x="{left:g}" y="{place.top:g}" width="{WIDTH}" height="{height:g}" rx="7"/>'
    texts = [f'<text class="name" x="{left + 11:g}" y="{y:g}">{escape(box.name)}</text>']
    for index, line in enumerate(box.lines):
        texts.append(f'<text class="says" x="{left + 11:g}" y="{y + NAME - 2 + LINE * index:g}">{escape(line)}</text>')
    inner = rectangle + "".join(texts)
    return f'<a href="{escape(box.link)}">{inner}</a>' if box.link else f"<g>{inner}</g>"
