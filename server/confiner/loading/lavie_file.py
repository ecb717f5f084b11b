# SPDX-License-Identifier: GPL-3.0-or-later
"""LaVie's network from its published checkpoint, which comes without a configuration: its tensors say its sizes."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ..errors import ChainError
from ..experts.lavie_unet import LaVieUNet


def lavie_of(tensors: Mapping[str, torch.Tensor], name: str) -> LaVieUNet:
    """The network that `tensors` of the file `name` make up; ChainError if they are not exactly those of LaVie."""
    try:
        width, channels, *_ = tensors["conv_in.weight"].shape
        text = tensors["mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight"].shape[1]
        widths = (width, 2 * width, 4 * width, 4 * width)
        with torch.device("meta"):
            unet = LaVieUNet(in_channels=channels, block_out_channels=widths, cross_attention_dim=text)
        unet.load_state_dict(tensors, assign=True)
    except (KeyError, RuntimeError) as error:
        raise ChainError(
            f"{name} with other tensors than LaVie's ({str(error).splitlines()[0]})",
            "the base network of Vchitect/LaVie, lavie_base.pt",
            "name that file",
        ) from error
    return unet
