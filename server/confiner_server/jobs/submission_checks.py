# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse what cannot be made, with a sentence, before a job exists and anything is spent on it."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from confiner.chains import ChainSpec, check_request, find_chain
from confiner.errors import WeightsDamaged, WeightsMissing

from confiner_blender.protocol.errors import InvalidRequest
from confiner_blender.protocol.framing import Image
from confiner_blender.protocol.messages import ShotRequest

from .job_folders import is_job_id
from .png_check import png_size

MAX_TEXT = 4000
"""Characters of a prompt. Experts read some 75 words; what is far beyond is a mistake."""

SPARE_DISK = 256 * 1024 * 1024


def check_job_id(job_id: str) -> None:
    """Refuse what is no job's id."""
    if not is_job_id(job_id):
        raise InvalidRequest(f"job id {job_id!r:.60}, expected a UUID such as {uuid.UUID(int=0)}", "update the add-on")


def check_shot(request: ShotRequest, chains: dict[str, ChainSpec], folder: Path) -> None:
    """Refuse a shot that its chain cannot make, or whose frames `folder`'s disk cannot hold.

    Raises:
        InvalidRequest, confiner.errors.ConfinerError: with what was seen, what was expected and what to do.
    """
    later = [(f"prompt from frame {stretch.start} on", stretch.prompt) for stretch in request.stretches]
    for name, text in [("prompt", request.prompt), ("negative_prompt", request.negative_prompt), *later]:
        if len(text) > MAX_TEXT:
            seen = f"{name} of {len(text)} characters, expected at most {MAX_TEXT}"
            raise InvalidRequest(seen, "describe the shot in fewer words")
    spec = find_chain(chains, request.chain)
    structure = request.structure
    check_request(
        spec,
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        num_frames=request.num_frames,
        width=request.width,
        height=request.height,
        rule=request.rule,
        freedom=request.freedom,
        control_steps=request.control_steps,
        refine_steps=request.refine_steps,
        structure=None if structure is None else (structure.num_frames, structure.width, structure.height),
        seed=request.seed,
        fps=request.fps,
        stretches=request.stretches,
        crossover=request.crossover,
    )
    if damaged := spec.damaged:
        seen = f"the chain {spec.name!r}: {damaged[0].seen}"
        raise WeightsDamaged(seen, damaged[0].expected, damaged[0].remedy)
    if spec.missing:
        remedy = f"download its weights, under Weights or with confiner fetch {spec.name}, or choose another chain"
        raise WeightsMissing(f"the chain {spec.name!r}, {spec.missing}", "all its weights", remedy)
    _check_control_weights(spec, request.control_steps)
    _check_disk(request, folder)


def check_structure_frame(request: ShotRequest, image: Image) -> None:
    """Refuse a structure frame that is not one of those the request announced.

    Raises:
        InvalidRequest: it is one too many, of another size, or no whole PNG file.
    """
    remedy = "capture the structure frames again at the clip's length and size"
    expected = request.structure
    if expected is None:
        raise InvalidRequest("structure frame for a shot without any, expected none", remedy)
    if not 0 <= image.frame < expected.num_frames:
        raise InvalidRequest(f"structure frame {image.frame}, expected 0 to {expected.num_frames - 1}", remedy)
    width, height = png_size(image.data)
    if (width, height) != (expected.width, expected.height):
        seen = f"structure frame {image.frame} of {width}×{height}"
        raise InvalidRequest(f"{seen}, expected {expected.width}×{expected.height}", remedy)


def _check_control_weights(spec: ChainSpec, steps: int | None) -> None:
    """An expert that was distilled for each number of steps has weights for each, and the chain needs one of them."""
    adapter = spec.control.at(spec.control_steps if steps is None else steps).motion_adapter
    if adapter is not None and adapter.folder() is None:
        command = f"confiner fetch {spec.name} --control-steps {steps}"
        raise WeightsMissing(
            f"no weights for {steps} control steps, {adapter}",
            "those that the chain has for this number",
            f"set {spec.control_steps}, or download them, under Weights or with: {command}",
        )


def _check_disk(request: ShotRequest, folder: Path) -> None:
    per_frame = request.width * request.height * 3
    needed = per_frame * request.num_frames * (1 if request.structure is None else 2) + SPARE_DISK
    free = shutil.disk_usage(folder).free
    if free < needed:
        seen = f"{free >> 20} MB free in {folder}, expected {needed >> 20} MB for {request.num_frames} frames"
        raise InvalidRequest(seen, "free some space on that disk, or make the shot shorter")
