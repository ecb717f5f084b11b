# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's contact sheet: each shot with its prompt and eight of its frames, over its structure where it had one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FRAMES = 8
SIDE, SMALL = 168, 76
GAP, MARGIN, CORNER = 10, 48, 10
PAPER, INK, DIM, ACCENT = "#14161b", "#f2f0ea", "#8b919c", "#f5792a"


@dataclass(frozen=True)
class Row:
    """One shot: its name, prompt, how it was made, and the folder of its take."""

    name: str
    prompt: str
    how: str
    folder: str


def draw_sheet(out: Path, rows: list[Row]) -> Path:
    """Draw the sheet into `out` and return its path."""
    width = 2 * MARGIN + FRAMES * SIDE + (FRAMES - 1) * GAP
    heights = [_height(row) for row in rows]
    sheet = Image.new("RGB", (width, 126 + sum(heights) + MARGIN // 2), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, 40), "ConFiner for Blender", INK, font=_font(36))
    pen.text((width - MARGIN, 58), "a storyboard, generated and cut in the sequencer", DIM, font=_font(19), anchor="ra")
    top = 126
    for row, height in zip(rows, heights, strict=True):
        _draw_row(sheet, pen, row, top)
        top += height
    path = out / "contact-sheet.png"
    sheet.save(path)
    return path


def _draw_row(sheet: Image.Image, pen: ImageDraw.ImageDraw, row: Row, top: int) -> None:
    pen.rounded_rectangle((MARGIN, top + 5, MARGIN + 5, top + 27), 2, ACCENT)
    pen.text((MARGIN + 18, top), row.name, DIM, font=_font(23))
    indent = MARGIN + 18 + pen.textlength(row.name, font=_font(23)) + 16
    pen.text((indent, top), row.prompt[0].upper() + row.prompt[1:], INK, font=_font(23))
    pen.text((MARGIN + 18, top + 34), row.how, DIM, font=_font(16))
    structure = sorted(Path(row.folder).glob("structure_*.png"))
    below = top + 66
    if structure:
        for column, path in enumerate(_spread(structure)):
            _paste(sheet, path, MARGIN + column * (SIDE + GAP) + (SIDE - SMALL) // 2, below, SMALL)
        below += SMALL + GAP
    for column, path in enumerate(_spread(sorted(Path(row.folder).glob("frame_*.png")))):
        _paste(sheet, path, MARGIN + column * (SIDE + GAP), below, SIDE)


def _height(row: Row) -> int:
    structure = any(Path(row.folder).glob("structure_*.png"))
    return 66 + SIDE + (SMALL + GAP if structure else 0) + 40


def _spread(paths: list[Path]) -> list[Path]:
    """`FRAMES` of the paths, evenly from the first to the last."""
    return [paths[round(i * (len(paths) - 1) / (FRAMES - 1))] for i in range(FRAMES)]


def _paste(sheet: Image.Image, path: Path, left: int, top: int, side: int) -> None:
    picture = Image.open(path).convert("RGB")
    height = round(side * picture.height / picture.width)
    # Doubled hard, then softly: the frames' pixels stay crisp without stairs.
    picture = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.BICUBIC)
    picture = picture.resize((side, height), Image.Resampling.LANCZOS)
    mask = Image.new("L", (side * 4, height * 4), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, side * 4 - 1, height * 4 - 1), CORNER * 4, 255)
    sheet.paste(picture, (left, top), mask.resize((side, height), Image.Resampling.LANCZOS))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
