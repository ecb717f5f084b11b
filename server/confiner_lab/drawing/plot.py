# SPDX-License-Identifier: GPL-3.0-or-later
"""Line plots with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

PAPER, INK, FAINT = (255, 255, 255), (30, 30, 34), (222, 222, 228)
COLOURS = ((31, 106, 196), (214, 86, 40), (38, 143, 86), (142, 68, 173), (120, 120, 120))
WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 56, 52


@dataclass(frozen=True)
class Line:
    """A named curve: points (x, y), and the interval of y (low, high) at each of them."""

    name: str
    points: list[tuple[float, float]]
    intervals: list[tuple[float, float]]


def draw_plot(lines: list[Line], path: Path, *, title: str, across: str, low: float = 0.0, high: float = 1.0) -> None:
    """Write a PNG with the curves over the quantity named `across`, from `low` to `high`."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(picture)
    font, big = ImageFont.load_default(13), ImageFont.load_default(16)
    values = sorted({x for line in lines for x, _ in line.points})
    span = (values[-1] - values[0]) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        within = (min(max(y, low), high) - low) / (high - low)
        return LEFT + (x - values[0]) / span * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - within * (
            HEIGHT - TOP - BOTTOM
        )

    draw.text((LEFT, 10), title, fill=INK, font=big)
    for step in range(6):
        y = low + (high - low) * step / 5
        draw.line([place(values[0], y), place(values[-1], y)], fill=FAINT)
        draw.text((LEFT - 8, place(0, y)[1]), f"{y:.2g}", fill=INK, font=font, anchor="rm")
    for x in values:
        draw.text((place(x, low)[0], HEIGHT - BOTTOM + 8), f"{x:g}", fill=INK, font=font, anchor="mt")
    draw.text(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 20), across, fill=INK, font=font, anchor="mt")
    beside = LEFT
    for line, colour in zip(lines, COLOURS, strict=False):
        draw.line([place(*point) for point in line.points], fill=colour, width=3)
        for (x, y), (bottom, top) in zip(line.points, line.intervals, strict=True):
            draw.line([place(x, bottom), place(x, top)], fill=colour)
            centre = place(x, y)
            draw.ellipse([centre[0] - 4, centre[1] - 4, centre[0] + 4, centre[1] + 4], fill=colour)
        draw.text((beside, 34), line.name, fill=colour, font=font)
        beside += round(font.getlength(line.name)) + 24
    picture.save(path)
