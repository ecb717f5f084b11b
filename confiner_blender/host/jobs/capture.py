# SPDX-License-Identifier: GPL-3.0-or-later
"""Structure frames: the scene through its camera, or an existing strip, rendered at the clip's rate and size.

The pump renders one frame per slice, so that Blender goes on answering. Each slice sets up what it needs and puts
everything back before it ends, also when it fails.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import bpy

from ...storyboard import clip_timing
from ..blender.refusal import Refusal
from ..scene import shots, takes
from ..scene.properties import CONFINER_PG_shot
from ..session.runtime import RUNTIME, Job
from . import still, strip_source


class Laid(Protocol):
    """What lays out a shot, and at which size: a shot as it stands, or a job's entry as it was when that began."""

    structure: str
    structure_strip: str
    width: int
    height: int


def check(scene: bpy.types.Scene, shot: CONFINER_PG_shot) -> None:
    """Whether the shot's structure can be captured.

    Raises:
        Refusal: it cannot, and why.
    """
    if shot.structure == "NONE":
        return
    if not _can_render():
        raise Refusal("no-egl", "Blender cannot render here, since libEGL is missing", "install libegl1")
    if shot.structure == "CAMERA":
        _check_camera(scene)
    else:
        strip = strip_source.find(scene, shot.structure_strip)
        offsets = clip_timing.first_offsets(shots.timing_of(scene, shot))
        strip_source.check_files(strip, [strip_source.frame_of(strip, offset) for offset in offsets])


def _check_camera(scene: bpy.types.Scene) -> None:
    if scene.camera is None and not any(marker.camera for marker in scene.timeline_markers):
        remedy = "add one, or add a strip of the scene that has one and let that lay out the shot"
        raise Refusal("no-camera", f"The storyboard's scene {scene.name} has no camera", remedy)


def step(job: Job) -> list[bytes] | None:
    """Render the next frame of the job's structure; all frames as PNG once that was the last.

    The shot is captured as it was when the job began, whatever is set meanwhile.

    Raises:
        Refusal: the shot or its source is gone, or the frame could not be rendered.
    """
    found = shots.find_shot(job.entry.shot)
    if found is None:
        raise Refusal("no-shot", "The shot was removed while its structure was captured", "generate it again")
    offsets = clip_timing.first_offsets(job.entry.timing)
    index = job.progress.step
    render(found[0], job.entry, job.structure_start, offsets[index], job.folder / takes.STRUCTURE.format(index + 1))
    job.progress = dataclasses.replace(job.progress, step=index + 1, steps=len(offsets))
    if index + 1 < len(offsets):
        return None
    return [(job.folder / takes.STRUCTURE.format(number + 1)).read_bytes() for number in range(len(offsets))]


def render(scene: bpy.types.Scene, shot: Laid, start: int, offset: int, path: Path) -> None:
    """Render the structure frame `offset` timeline frames into the shot, at the shot's size.

    A camera's shot starts at the timeline frame `start`; a strip lays it out from the strip's own first frame.

    Raises:
        Refusal: the source is gone, or Blender wrote no picture.
    """
    if shot.structure == "CAMERA":
        _check_camera(scene)
        with _camera_view(scene, shot.width, shot.height):
            scene.frame_set(start + offset)
            still.write(scene, path)
        return
    strip = strip_source.find(scene, shot.structure_strip)
    frame = strip_source.frame_of(strip, offset)
    strip_source.check_files(strip, [frame])
    with strip_source.alone(scene, strip, frame, shot.width, shot.height) as stage:
        still.plain(stage, shot.width, shot.height)
        still.write(stage, path)


@contextlib.contextmanager
def _camera_view(scene: bpy.types.Scene, width: int, height: int) -> Iterator[None]:
    """The scene set to render its camera's view as the viewport shows it, and afterwards as it was."""
    with still.unchanged(scene):
        still.plain(scene, width, height)
        scene.render.engine = still.ENGINE
        scene.render.film_transparent = False
        scene.render.use_sequencer = False  # its default renders the strips, not the camera
        yield


def _can_render() -> bool:
    """Without libEGL a render in the background would end the process, with no exception to catch."""
    if sys.platform != "linux" or not bpy.app.background:
        return True
    try:
        ctypes.CDLL("libEGL.so.1")
    except OSError:
        return False
    return True


def pending() -> Job | None:
    """The job whose structure is captured next; none while the author renders, since the scene has to stay as it is."""
    if bpy.app.is_job_running("RENDER"):
        return None
    while RUNTIME.captures:
        job = RUNTIME.jobs.get(RUNTIME.captures[0])
        if job is not None and not job.progress.ended:
            return job
        RUNTIME.captures.popleft()
    return None
