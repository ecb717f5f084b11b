# SPDX-License-Identifier: GPL-3.0-or-later
"""LaVie's published checkpoint, a pickled file, turned once into a folder that loads like any other.

A pickled file can carry code. This one is read only when a person names it, and with torch's reader for weights alone,
which refuses everything but tensors. Chains load what stands beside it afterwards.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..chains.places import converted_folder
from ..errors import ChainError
from .lavie_unet import LaVieUNet


def convert_lavie(path: Path) -> Path:
    """Write the network in the pickled file at `path` as safetensors, unless that was done before; return the folder.

    Raises ChainError if the file holds anything but tensors, or other tensors than LaVie's base network has.
    """
    folder = converted_folder(path)
    if folder.exists():
        return folder
    tensors = _read(path)
    try:
        with torch.device("meta"):
            unet = _empty(tensors)
        unet.load_state_dict(tensors, assign=True)
    except (KeyError, RuntimeError) as error:
        raise ChainError(
            f"{path.name} with other tensors than LaVie's ({str(error).splitlines()[0]})",
            "the base network of Vchitect/LaVie, lavie_base.pt",
            "name that file",
        ) from error
    unfinished = folder.with_name(f"{folder.name}.part")
    unet.save_pretrained(unfinished)
    return unfinished.replace(folder)  # never a half-written folder under the name that chains look for


def _read(path: Path) -> Mapping[str, torch.Tensor]:
    try:
        held: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise ChainError(
            f"{path.name} that cannot be read as weights ({str(error).splitlines()[0]})",
            "a checkpoint of tensors and nothing else",
            "download it again from the repository it was published in",
        ) from error
    held = held.get("ema", held) if isinstance(held, dict) else held
    if not isinstance(held, dict) or not all(isinstance(value, torch.Tensor) for value in held.values()):
        raise ChainError(f"{path.name} without a dictionary of tensors", "LaVie's checkpoint", "name lavie_base.pt")
    return held


def _empty(tensors: Mapping[str, torch.Tensor]) -> LaVieUNet:
    """The network without numbers, as wide as the tensors say."""
    width, channels, *_ = tensors["conv_in.weight"].shape
    text = tensors["mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight"].shape[1]
    return LaVieUNet(
        in_channels=channels, block_out_channels=(width, 2 * width, 4 * width, 4 * width), cross_attention_dim=text
    )
