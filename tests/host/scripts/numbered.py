"""Pictures that tell their number: the left half's red says which frame it is, the right half is black."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import stage

SIZE = 64
STEP, DARKEST = 20, 10


def write(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"source_{number:04d}.png" for number in range(count)]
    for number, path in enumerate(paths):
        stage.write_png(path, (STEP * number + DARKEST, 0, 0), SIZE, width_coloured=SIZE // 2)
    return paths


def read(path: Path) -> list[Any]:
    """Which frame a picture shows, and whether it is mirrored; nothing for a black one."""
    pixels = stage.pixels_of(path)
    middle, quarter = pixels.shape[0] // 2, pixels.shape[1] // 4
    left, right = (int(pixels[middle, column, 0]) for column in (quarter, -quarter))
    brightest = max(left, right)
    return [round((brightest - DARKEST) / STEP), right > left] if brightest > DARKEST // 2 else []


def image_strip(scene: Any, paths: list[Path], start: int, name: str = "layout", channel: int = 1) -> Any:
    strip = (
        stage.module("host.blender.compat")
        .strips_for_new(scene)
        .new_image(name, str(paths[0]), channel=channel, frame_start=start, fit_method="FIT")
    )
    for path in paths[1:]:
        strip.elements.append(path.name)
    strip.colorspace_settings.name = "sRGB"
    return strip


def structure_of(job: Any) -> list[Any]:
    return [read(path) for path in sorted(job.folder.glob("structure_*.png"))]


def seen(scene: Any, frames: list[int], folder: Path) -> list[Any]:
    """What the scene's sequencer shows at those frames, rendered while the window shows that scene."""
    render, found = scene.render, []
    with window_on(scene), kept(render, "resolution_x", "resolution_y", "filepath"), kept(scene, "frame_current"):
        scene.view_settings.view_transform = "Standard"
        render.resolution_percentage = 10
        for frame in frames:
            scene.frame_set(frame)
            render.filepath = str(folder / f"seen_{frame}.png")
            bpy.ops.render.render(write_still=True)
            found.append(read(Path(render.filepath)))
    return found


@contextmanager
def window_on(scene: Any) -> Iterator[None]:
    before, bpy.context.window.scene = bpy.context.window.scene, scene
    yield
    bpy.context.window.scene = before


@contextmanager
def kept(owner: Any, *names: str) -> Iterator[None]:
    values = [getattr(owner, name) for name in names]
    yield
    for name, value in zip(names, values, strict=True):
        setattr(owner, name, value)


def write_movie(folder: Path, paths: list[Path]) -> Path:
    """The pictures as a movie file, made by Blender."""
    scene = bpy.data.scenes.new("Movie maker")
    image_strip(scene, paths, 1)
    scene.frame_start, scene.frame_end = 1, len(paths)
    render, output = scene.render, scene.render.image_settings
    render.resolution_x, render.resolution_y, render.resolution_percentage = 1920, 1080, 10
    scene.view_settings.view_transform = "Standard"
    if hasattr(output, "media_type"):
        output.media_type = "VIDEO"
    output.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec, render.ffmpeg.constant_rate_factor = "MPEG4", "H264", "HIGH"
    render.filepath, render.use_file_extension = str(folder / "movie.mp4"), False
    with window_on(scene):
        bpy.ops.render.render(animation=True)
    bpy.data.scenes.remove(scene)
    return folder / "movie.mp4"


def write_ball(folder: Path, count: int) -> list[Path]:
    """A red ball on grass that moves to the right."""
    import numpy as np

    y, x = np.mgrid[0:SIZE, 0:SIZE]
    paths = [folder / f"ball_{number:04d}.png" for number in range(count)]
    for number, path in enumerate(paths):
        picture = np.full((SIZE, SIZE, 3), (70, 110, 60), np.uint8)
        picture[:24] = (150, 180, 220)
        picture[(x - 10 - 3 * number) ** 2 + (y - 38) ** 2 < 81] = (200, 40, 40)
        stage.write_rows(path, [row.tobytes() for row in picture], SIZE)
    return paths


def ball_in(path: Path) -> float | None:
    """The column in which the middle of the ball is."""
    pixels = stage.pixels_of(path).astype(int)
    red = pixels[..., 0] - pixels[..., 1:].max(2) > 40
    return round(float(red.nonzero()[1].mean()), 1) if red.any() else None
