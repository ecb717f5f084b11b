# SPDX-License-Identifier: GPL-3.0-or-later
"""A chain in numbers, read from its files before anything is loaded: what `memory.choose` decides by.

What a network holds alive while it runs is proportional to frames and latent pixels, and for networks of one kind to
their width. The factors were counted, on the published networks at full size, by `confiner bench memory`.
"""

from __future__ import annotations

from ..chains import ChainSpec, ExpertSpec, WeightSource
from ..chains.compatibility import configuration
from ..chains.expert_kinds import EXPERT_KINDS
from ..chains.tensor_file import read_header, weight_files
from ..weights.located import path_of
from .choice import Sizes

ALIVE_DECODING = 49160
"""The same per latent pixel of one frame in the decoder of the published autoencoder."""
DECODER_WIDTH = 128


def chain_sizes(spec: ChainSpec) -> Sizes:
    """The sizes of `spec`, whose weights are on this machine, for the largest clip window that it makes.

    Raises WeightsMissing or WeightsDamaged if they are not, ChainError if a configuration cannot be read.
    """
    paths = {path_of(place) for place in spec.sources}
    counts = {path: sum(read_header(file).values for file in weight_files(path)) for path in paths}
    decoder = configuration(spec.vae)
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
    return kind.values_alive * int(configuration(expert.unet).get("block_out_channels", [kind.width])[0]) // kind.width
