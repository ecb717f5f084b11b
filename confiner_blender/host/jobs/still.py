# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame of a scene as a bare PNG, whatever scene the window shows, and the scene's settings as they were."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

from ...storyboard import png
from ..blender import compat
from ..blender.refusal import Refusal

ENGINE = "BLENDER_WORKBENCH"
"""What draws a scene as the viewport does, in a moment."""
_STILL = "confiner_still.png"
_WRITABLE = "see that its folder is there and that the disk has room, then generate again"
_RENDER = (
    "engine", "use_sequencer", "use_compositing", "use_border", "use_stamp", "use_multiview", "film_transparent",
    "resolution_x", "resolution_y", "resolution_percentage", "pixel_aspect_x", "pixel_aspect_y", "filepath",
    "use_file_extension", "dither_intensity",
)  # fmt: skip
_VIEW = ("view_transform", "look", "exposure", "gamma", "use_curve_mapping", "use_white_balance")


def plain(scene: bpy.types.Scene, width: int, height: int) -> None:
    """Have the scene rendered at that size in pixels, in its own colours, as PNG."""
    render, view = scene.render, scene.view_settings
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1
    render.use_compositing = render.use_border = render.use_stamp = render.use_multiview = False
    render.use_file_extension = True
    render.dither_intensity = 0
    compat.set_png(render)
    render.image_settings.color_management = "FOLLOW_SCENE"
    view.view_transform = "Standard"
    view.look = "None"
    view.exposure, view.gamma = 0, 1
    view.use_curve_mapping = False
    if hasattr(view, "use_white_balance"):
        view.use_white_balance = False


def write(scene: bpy.types.Scene, path: Path) -> None:
    """Render the scene's current frame to `path`.

    The scene has to be in the context: rendered by its name alone it takes the frame of the scene that is there. The
    picture is rendered to Blender's temporary folder, since braces in a path are templates to Blender.

    Raises:
        Refusal: Blender could not render it, or it could not be written.
    """
    still = Path(bpy.app.tempdir) / _STILL
    scene.render.filepath = str(still)
    try:
        still.unlink(missing_ok=True)
        with bpy.context.temp_override(scene=scene):
            bpy.ops.render.render(write_still=True, scene=scene.name)
        if not still.exists():
            raise Refusal("no-picture", "Blender rendered no structure frame", "look at its console for the reason")
        path.write_bytes(png.bare(still.read_bytes()))
    except RuntimeError as error:
        raise Refusal("render", f"Blender could not render ({error})".replace("\n", " "), "mend that first") from error
    except (OSError, ValueError) as error:
        seen = getattr(error, "strerror", None) or error
        message = f"The structure frame {path} cannot be written ({seen})"
        raise Refusal("folder", message, _WRITABLE) from error
    finally:
        still.unlink(missing_ok=True)


@contextlib.contextmanager
def unchanged(scene: bpy.types.Scene) -> Iterator[None]:
    """Whatever is set meanwhile to render the scene, and its frame and camera, are afterwards as they were."""
    kept = [*_keep(scene.render, *_RENDER), *_keep(scene.view_settings, *_VIEW), *_output(scene)]
    frame = scene.frame_current, scene.frame_subframe
    with contextlib.ExitStack() as restoring:  # the last one first; one that fails does not stop the others
        restoring.callback(setattr, scene, "camera", scene.camera)  # markers bind another one to the frames rendered
        restoring.callback(scene.frame_set, frame[0], subframe=frame[1])
        for owner, name, value in reversed(kept):
            restoring.callback(setattr, owner, name, value)
        yield


def _output(scene: bpy.types.Scene) -> list[tuple[Any, str, Any]]:
    """The output's format and colours. What another choice resets comes after it."""
    settings, movie = scene.render.image_settings, scene.render.ffmpeg
    own = settings.color_management == "OVERRIDE"
    return [
        *_keep(settings, "media_type", "file_format"),
        *(_keep(movie, "format", "codec", *compat.values_of(movie)) if settings.file_format == "FFMPEG" else ()),
        *_keep(settings, "color_mode", "color_depth", "color_management"),
        *(_keep(settings.display_settings, "display_device") if own else ()),
        *(_keep(settings.view_settings, *_VIEW) if own else ()),
        *(_keep(settings.linear_colorspace_settings, "name") if settings.linear_colorspace_settings.name else ()),
    ]


def _keep(owner: Any, *names: str) -> list[tuple[Any, str, Any]]:
    """What to set again, in this order. Names that this Blender does not have are left out."""
    return [(owner, name, getattr(owner, name)) for name in names if hasattr(owner, name)]
