# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets: clips as rows of frames, each with a line of text above it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

PAPER = (24, 24, 27)
INK = (214, 214, 219)
MARGIN = 14
GAP = 3


@dataclass(frozen=True)
class Row:
    """One clip on a sheet: frames [frames, height, width, 3] and what stands above them."""

    text: str
    frames: NDArray[np.uint8]


def draw_sheet(rows: list[Row], path: Path, *, shown: int = 8, across: int = 1, frame_height: int = 96) -> None:
    """Write a PNG with `shown` evenly chosen frames of each clip, `across` clips side by side."""
    font = ImageFont.load_default(13)
    strips = [_strip(row, shown, frame_height, font) for row in rows]
    width, height = (max(size) for size in zip(*(strip.size for strip in strips), strict=True))
    lines = -(-len(strips) // across)
    sheet = Image.new("RGB", (across * (width + MARGIN) + MARGIN, lines * (height + MARGIN) + MARGIN), PAPER)
    for index, strip in enumerate(strips):
        line, column = divmod(index, across)
        sheet.paste(strip, (MARGIN + column * (width + MARGIN), MARGIN + line * (height + MARGIN)))
    sheet.save(path)


def _strip(row: Row, shown: int, height: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> Image.Image:
    chosen = np.linspace(0, len(row.frames) - 1, min(shown, len(row.frames))).round().astype(int)
    width = round(row.frames.shape[2] * height / row.frames.shape[1])
    head = 20 if row.text else 0
    strip = Image.new("RGB", (len(chosen) * (width + GAP) - GAP, head + height), PAPER)
    ImageDraw.Draw(strip).text((1, 1), _fitted(row.text, strip.width - 2, font), fill=INK, font=font)
    for place, index in enumerate(chosen):
        frame = Image.fromarray(row.frames[index]).resize((width, height), Image.Resampling.BICUBIC)
        strip.paste(frame, (place * (width + GAP), head))
    return strip


def _fitted(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"
