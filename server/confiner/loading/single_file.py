# SPDX-License-Identifier: GPL-3.0-or-later
"""Stable Diffusion 1.x checkpoints in one .safetensors file, as stylised models are passed around.

Such a file holds UNet, autoencoder and text encoder under the names that the authors used before there was diffusers.
Each network is built from the sizes of its tensors and takes from the file exactly the tensors it has, nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors import SafetensorError, safe_open
from transformers import CLIPTextConfig, CLIPTextModel

from ..chains.tensor_file import Header, read_header
from ..errors import ChainError

WORDS = 77
"""Tokens that CLIP reads of a text."""

_Rule = tuple[str, str | Callable[[re.Match[str]], str]]

_UNET: list[_Rule] = [
    (r"^time_embedding\.linear_(\d)", lambda found: f"time_embed.{2 * int(found[1]) - 2}"),
    (r"^conv_in", "input_blocks.0.0"),
    (r"^conv_norm_out", "out.0"),
    (r"^conv_out", "out.2"),
    (r"^down_blocks\.(\d)\.downsamplers\.0\.conv", lambda found: f"input_blocks.{3 * int(found[1]) + 3}.0.op"),
    (r"^down_blocks\.(\d)\.resnets\.(\d)", lambda found: f"input_blocks.{3 * int(found[1]) + int(found[2]) + 1}.0"),
    (r"^down_blocks\.(\d)\.attentions\.(\d)", lambda found: f"input_blocks.{3 * int(found[1]) + int(found[2]) + 1}.1"),
    (r"^mid_block\.resnets\.(\d)", lambda found: f"middle_block.{2 * int(found[1])}"),
    (r"^mid_block\.attentions\.0", "middle_block.1"),
    (r"^up_blocks\.0\.upsamplers\.0", "output_blocks.2.1"),
    (r"^up_blocks\.(\d)\.upsamplers\.0", lambda found: f"output_blocks.{3 * int(found[1]) + 2}.2"),
    (r"^up_blocks\.(\d)\.resnets\.(\d)", lambda found: f"output_blocks.{3 * int(found[1]) + int(found[2])}.0"),
    (r"^up_blocks\.(\d)\.attentions\.(\d)", lambda found: f"output_blocks.{3 * int(found[1]) + int(found[2])}.1"),
    (r"^((?:in|out)put_blocks\.\d+\.0|middle_block\.[02])\.norm1\.", r"\1.in_layers.0."),
    (r"^((?:in|out)put_blocks\.\d+\.0|middle_block\.[02])\.norm2\.", r"\1.out_layers.0."),
    (r"\.conv1\.", ".in_layers.2."),
    (r"\.conv2\.", ".out_layers.3."),
    (r"\.time_emb_proj\.", ".emb_layers.1."),
    (r"\.conv_shortcut\.", ".skip_connection."),
    (r"^", "model.diffusion_model."),
]

_VAE: list[_Rule] = [
    (r"\.down_blocks\.(\d)\.resnets\.(\d)", r".down.\1.block.\2"),
    (r"\.down_blocks\.(\d)\.downsamplers\.0", r".down.\1.downsample"),
    (r"\.up_blocks\.(\d)\.resnets\.(\d)", lambda found: f".up.{3 - int(found[1])}.block.{found[2]}"),
    (r"\.up_blocks\.(\d)\.upsamplers\.0", lambda found: f".up.{3 - int(found[1])}.upsample"),
    (r"\.mid_block\.resnets\.(\d)", lambda found: f".mid.block_{int(found[1]) + 1}"),
    (r"\.mid_block\.attentions\.0", ".mid.attn_1"),
    (r"\.attn_1\.group_norm", ".attn_1.norm"),
    (r"\.attn_1\.to_([qkv])", r".attn_1.\1"),
    (r"\.attn_1\.to_out\.0", ".attn_1.proj_out"),
    (r"\.conv_norm_out", ".norm_out"),
    (r"\.conv_shortcut\.", ".nin_shortcut."),
    (r"^", "first_stage_model."),
]

_TEXT: list[_Rule] = [(r"^(?:text_model\.)?", "cond_stage_model.transformer.text_model.")]

_RULES = {"unet": _UNET, "vae": _VAE, "text_encoder": _TEXT}

_KINDS = {UNet2DConditionModel: "unet", AutoencoderKL: "vae", CLIPTextModel: "text_encoder"}


def name_in_file(part: str, name: str) -> str:
    """What a tensor of the network `part` is called in a one-file checkpoint; `name` is diffusers' or transformers'."""
    for pattern, replacement in _RULES[part]:
        name = re.sub(pattern, replacement, name, count=1)
    return name


def read_part(kind: Any, path: Path, dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    """A UNet2DConditionModel, AutoencoderKL or CLIPTextModel from the file at `path`.

    Raises WeightsDamaged where the file is none of safetensors, ChainError where it lacks a tensor of the network.
    """
    part, header = _KINDS[kind], read_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            with torch.device("meta"):
                network = _empty(part, header)
            # an autoencoder's attention is made of 1×1 convolutions there, and of linear layers here
            tensors = {
                name: file.get_tensor(name_in_file(part, name)).reshape(like.shape).to(dtype)
                for name, like in network.state_dict().items()
            }
    except (SafetensorError, RuntimeError, LookupError, ValueError) as error:
        raise ChainError(
            f"{path.name} without a whole {part.replace('_', ' ')} ({error})",
            "a Stable Diffusion 1.x checkpoint in one file",
            f"name another place for the {part} in the chain file",
        ) from error
    network.load_state_dict(tensors, assign=True)
    if part == "text_encoder":  # it counts its words in a buffer that no file has
        network.get_submodule("embeddings").register_buffer("position_ids", torch.arange(WORDS)[None], persistent=False)
    return network


def _empty(part: str, header: Header) -> torch.nn.Module:
    """The network without numbers, as wide as the file's tensors; all else is the same in the whole family."""

    def shape(name: str) -> tuple[int, ...]:
        there = name_in_file(part, name)
        if there not in header.shapes:
            raise LookupError(f"no {there}")
        return header.shapes[there]

    if part == "unet":
        width, channels, *_ = shape("conv_in.weight")
        return UNet2DConditionModel(
            in_channels=channels,
            block_out_channels=(width, 2 * width, 4 * width, 4 * width),
            cross_attention_dim=shape("mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight")[1],
        )
    if part == "vae":
        width = shape("encoder.conv_in.weight")[0]
        return AutoencoderKL(
            block_out_channels=(width, 2 * width, 4 * width, 4 * width),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=shape("decoder.conv_in.weight")[1],
            layers_per_block=2,
        )
    vocabulary, width = shape("embeddings.token_embedding.weight")
    layers = [name for name in header.shapes if name.endswith(".mlp.fc1.bias")]
    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=shape("encoder.layers.0.mlp.fc1.weight")[0],
        num_hidden_layers=len(layers),
        num_attention_heads=12,
        max_position_embeddings=WORDS,
        bos_token_id=vocabulary - 2,
        eos_token_id=vocabulary - 1,
    )
    return CLIPTextModel(config)
