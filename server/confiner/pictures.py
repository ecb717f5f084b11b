# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures and movies from outside, as structure frames: uint8 `[frames, height, width, 3]`, sRGB, as a viewer shows.

Files are read as people have them: turned as the camera says, 16 bits deep, grey, with a palette, with alpha, as CMYK,
with a colour profile. What cannot be read rightly is refused with its name.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageCms, ImageOps

from .errors import StructureError

Frames = npt.NDArray[np.uint8]

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
MOVIES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".gif")
_FLOATS = "a float array of pixels from 0 to 1"
_FORMS = "pictures, or an array or tensor [frames, height, width, 3] or [frames, 3, height, width]"


def read_structure(path: Path) -> Frames:
    """The pictures of a folder in the order in which people count their names (2 before 10), or the frames of a movie.

    Hidden files are passed over. A folder that holds `frame_…` files, as a take does, gives these alone.

    Raises:
        StructureError: there is nothing to read, a file cannot be read, sizes differ, or the folder holds more than one
            numbered sequence.
    """
    if path.is_file() and path.suffix.lower() in MOVIES:
        return _read_movie(path)
    paths = [path] if path.is_file() else _pictures_in(path)
    return stack([read_picture(picture) for picture in paths], [picture.name for picture in paths])


def read_picture(path: Path) -> Frames:
    """One picture file as uint8 `[height, width, 3]`, sRGB.

    Raises:
        StructureError: it is empty, damaged, no picture, or of a kind whose white is not known.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return _to_srgb(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        empty = path.is_file() and not path.stat().st_size
        reason = "the file is empty; is it still being rendered?" if empty else str(error)
        raise StructureError(f"{path} ({reason})", "a whole picture", "render or copy it again") from error


def frames_of(video: Any) -> Frames:
    """Structure frames from what diffusers' pipelines take and hand out: uint8 `[frames, height, width, 3]`.

    `video`: pictures of any mode; arrays or tensors `[frames, height, width, 3]` or `[frames, 3, height, width]`, of
    bytes or of floats in 0…1; or a batch of one of these. One or four channels (grey, with alpha) do as well as three.

    Raises:
        StructureError: another form, values out of their range, or sizes that differ.
    """
    if isinstance(video, torch.Tensor):
        return _frames_of_array(
            video.detach().float().cpu().numpy() if video.is_floating_point() else video.cpu().numpy()
        )
    if isinstance(video, np.ndarray):
        return _frames_of_array(video)
    if not isinstance(video, Sequence) or isinstance(video, str | bytes) or not video:
        raise StructureError(f"video of type {type(video).__name__}", _FORMS, "give one of these")
    if len(video) == 1 and not isinstance(video[0], Image.Image) and np.ndim(video[0]) != 3:
        return frames_of(video[0])
    if isinstance(video[0], Image.Image):
        frames = [_to_srgb(image) for image in video]
    else:
        frames = [frames_of(frame[None])[0] for frame in video]
    return stack(frames, [f"frame {number}" for number in range(len(frames))])


def stack(frames: list[Frames], names: list[str]) -> Frames:
    """Frames uint8 `[height, width, 3]` as one array `[frames, height, width, 3]`; StructureError if sizes differ."""
    for frame, name in zip(frames, names, strict=True):
        if frame.shape != frames[0].shape:
            seen = f"{names[0]} of {_size(frames[0])} and {name} of {_size(frame)} pixels"
            raise StructureError(seen, "structure frames of one size", "render them again at one size")
    return np.stack(frames)


def _pictures_in(folder: Path) -> list[Path]:
    files = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
    pictured = sorted((path for path in files if path.suffix.lower() in PICTURES), key=_as_counted)
    paths = [path for path in pictured if path.name.startswith("frame_")] or pictured
    if not paths:
        remedy = f"put the structure frames there, as {', '.join(PICTURES)} files, or name a movie"
        raise StructureError(f"no pictures in {folder}", "a folder of them", remedy)
    kinds = [re.sub(r"\d+", "#", path.name) for path in paths]
    numbered = sorted({kind for kind in kinds if kinds.count(kind) > 1})
    if len(numbered) > 1:
        raise StructureError(f"{', '.join(numbered)} in {folder}", "one sequence", "put each in a folder of its own")
    return paths


def _as_counted(path: Path) -> list[tuple[bool, int, str]]:
    """Sorts frame2 before frame10."""
    pieces = re.split(r"(\d+)", path.name.casefold())
    return [(piece.isdecimal(), int(piece) if piece.isdecimal() else 0, piece) for piece in pieces]


def _read_movie(path: Path) -> Frames:
    import imageio.v3 as imageio

    try:
        plugin = "pillow" if path.suffix.lower() == ".gif" else "FFMPEG"
        return frames_of(np.stack([frame[..., :3] for frame in imageio.imiter(path, plugin=plugin)]))
    except (OSError, ValueError, RuntimeError, IndexError) as error:
        reason = str(error).strip().splitlines()[:1]
        raise StructureError(f"{path} ({' '.join(reason)})", "a movie that ffmpeg reads", "convert it") from error


def _to_srgb(image: Image.Image) -> Frames:
    """Raises ValueError for float and 32-bit pictures, whose white nothing says."""
    sixteen = image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG")
    image = ImageOps.exif_transpose(image)
    if sixteen:
        grey = np.round(np.asarray(image).astype(np.float64) / 257).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1)
    if image.mode in ("I", "F"):
        raise ValueError("32 bits a pixel, and nothing says how bright its white is; save it with 8 or 16 bits")
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
    alpha = image.getchannel("A") if "A" in image.getbands() else None
    colour = image.convert({"LA": "L", "RGBA": "RGB"}.get(image.mode, image.mode))
    colour = _by_profile(colour, image.info.get("icc_profile")).convert("RGB")
    if alpha is not None:
        colour = Image.composite(colour, Image.new("RGB", image.size), alpha)
    return np.asarray(colour, dtype=np.uint8)


def _by_profile(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in sRGB. A profile that cannot be read, or is for other pixels, is passed over as viewers do."""
    if not profile or image.mode not in ("RGB", "L", "CMYK"):
        return image
    try:
        shown = ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError):
        return image
    return image if shown is None else shown


def _frames_of_array(array: npt.NDArray[Any]) -> Frames:
    if array.ndim == 5 and len(array) == 1:
        array = array[0]
    if array.ndim == 4 and array.shape[-1] not in (1, 3, 4) and array.shape[1] in (1, 3, 4):
        array = array.transpose(0, 2, 3, 1)
    if array.ndim != 4 or array.shape[-1] not in (1, 3, 4) or not array.size:
        raise StructureError(f"video of shape {list(array.shape)}", _FORMS, "give one of these")
    if array.dtype != np.uint8:
        array = _to_bytes(array)
    if array.shape[-1] == 4:
        array = np.round(array[..., :3] * (array[..., 3:] / 255.0)).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:3], 3)))


def _to_bytes(array: npt.NDArray[Any]) -> Frames:
    low, high = float(array.min()), float(array.max())
    if not np.issubdtype(array.dtype, np.floating):
        if low < 0 or high > 255:
            raise StructureError(f"pixels from {low:g} to {high:g}", "0 to 255, or " + _FLOATS, "scale them")
        return array.astype(np.uint8)
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise StructureError(f"float pixels from {low:g} to {high:g}", _FLOATS, "scale them, or give uint8")
    return np.round(array.clip(0, 1) * 255).astype(np.uint8)


def _size(frame: Frames) -> str:
    return f"{frame.shape[1]}×{frame.shape[0]}"
