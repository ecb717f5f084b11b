# SPDX-License-Identifier: GPL-3.0-or-later
"""A take on disk: `frame_0001.png` …, `take.json`, and the structure frames that a request may start from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from confiner import ClipRequest
    from numpy.typing import NDArray

    Frames = NDArray[np.uint8]

RECORD = "take.json"


def read_structure(path: Path) -> Frames:
    """The pictures of a folder, or the frames of a movie [frames, height, width, 3]; see `confiner.pictures`."""
    from confiner import pictures

    return pictures.read_structure(path)


def read_structure_of(take: Path) -> Frames | None:
    """The structure frames that the add-on left beside a take's record [frames, height, width, 3]; None without any.

    Raises:
        StructureError: one cannot be read, or their sizes differ.
    """
    from confiner.pictures import read_picture, stack

    folder = take if take.is_dir() else take.parent
    paths = sorted(folder.glob("structure_*.png"))
    return stack([read_picture(path) for path in paths], [path.name for path in paths]) if paths else None


def check_free(folder: Path, request: ClipRequest) -> None:
    """Refuse to write over another take; the same request may be made again in its place.

    Raises:
        CommandError: the folder holds frames that this request did not make.
    """
    record = folder / RECORD
    made = read_record(record)["request_digest"] if record.exists() else None
    if made != request.digest() and any(folder.glob("frame_*.png")):
        raise CommandError(f"{folder} holds the frames of another take", "name another folder with -o")


def read_record(path: Path) -> dict[str, Any]:
    """The record of a take, from `take.json` or the folder that holds it.

    Raises:
        CommandError: there is none that can be read.
    """
    path = path / RECORD if path.is_dir() else path
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} is no record of a take: {error}", "name a take.json or its folder") from error
    if not isinstance(record, dict) or not str(record.get("format", "")).startswith("confiner-take-"):
        raise CommandError(f"{path} is no record of a take", "name a take.json that confiner wrote")
    return record


def write_frames(folder: Path, start: int, frames: Frames) -> None:
    """Write frames [n, height, width, 3] under their numbers, each file whole or not at all."""
    from PIL import Image

    for number, frame in enumerate(frames, start=start + 1):
        path = folder / f"frame_{number:04d}.png"
        unfinished = path.with_suffix(".part")
        Image.fromarray(frame).save(unfinished, format="PNG")
        unfinished.replace(path)


def write_record(folder: Path, record: dict[str, Any]) -> None:
    unfinished = folder / f"{RECORD}.part"
    unfinished.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(folder / RECORD)


def write_movie(path: Path, frames: Sequence[Frames], fps: float) -> None:
    """An H.264 movie of the frames [height, width, 3], at the clip's own rate, tagged as BT.709."""
    import imageio.v2 as imageio

    convert = ["-vf", "scale=out_color_matrix=bt709:out_range=tv"]
    tags = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    imageio.mimwrite(
        path, list(frames), fps=fps, codec="libx264", quality=9, macro_block_size=2, output_params=[*convert, *tags]
    )
