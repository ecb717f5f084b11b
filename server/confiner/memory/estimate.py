# SPDX-License-Identifier: GPL-3.0-or-later
"""A chain in numbers, read from its files before anything is loaded: what `memory.choose` decides by.

What a network holds alive while it runs is proportional to frames and latent pixels, and for networks of one kind to
their width. The factors were counted, on the published networks at full size, by `confiner bench memory`.
"""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path

from safetensors import safe_open

from ..chains import ChainSpec, ExpertSpec, WeightSource
from ..chains.expert_kinds import EXPERT_KINDS
from ..weights.located import content_hash, path_of, weight_files
from .choice import Sizes

ALIVE_DECODING = 49160
"""The same per latent pixel of one frame in the decoder of the published autoencoder."""
DECODER_WIDTH = 128


def chain_sizes(spec: ChainSpec) -> Sizes:
    """The sizes of `spec`, whose weights are on this machine, for the largest clip window that it makes."""
    counts = {path: _values(path, content_hash(path)) for path in {path_of(place) for place in spec.sources}}
    decoder = _config(spec.vae)
    factor = 2 ** (len(decoder.get("block_out_channels", [0] * 4)) - 1)
    pixels = max(width * height for width, height in spec.sizes) // factor**2
    experts = [expert.at(spec.control_steps) for expert in spec.experts.values()]
    frames = max(expert.frames for expert in experts)  # an image expert sees a window's frames together too
    return Sizes(
        weights=sum(counts.values()),
        largest=max(sum(counts[path_of(place)] for place in _network(expert)) for expert in experts),
        activation=max(_alive(expert) * (2 if expert.guided else 1) for expert in experts) * frames * pixels,
        decode_frame=ALIVE_DECODING * decoder.get("block_out_channels", [DECODER_WIDTH])[0] // DECODER_WIDTH * pixels,
    )


def _network(expert: ExpertSpec) -> tuple[WeightSource, ...]:
    return (expert.unet,) if expert.motion_adapter is None else (expert.unet, expert.motion_adapter)


def _alive(expert: ExpertSpec) -> int:
    """Values alive per frame and latent pixel."""
    kind = EXPERT_KINDS.find(expert.kind)
    return kind.values_alive * int(_config(expert.unet).get("block_out_channels", [kind.width])[0]) // kind.width


@functools.lru_cache(maxsize=64)
def _values(path: Path, digest: str) -> int:
    """How many values the weights at `path` have, by what the files say of themselves; they differ with `digest`."""
    total = 0
    for file in weight_files(path):
        with safe_open(file, framework="np") as tensors:
            total += sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
    return total


def _config(place: WeightSource) -> dict[str, list[int]]:
    file = path_of(place) / "config.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
