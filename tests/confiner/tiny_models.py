# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiny random experts in the folders and files of real ones: diffusers' own classes, a real CLIP tokenizer.

`write_tiny_chain(folder)` writes them with a chain file that names the chain "tiny". Schedules, text widths and the
text per frame are as various as among real experts.
"""

from __future__ import annotations

import json
import string
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel, UNet3DConditionModel, UNetMotionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

TOKENS = 24
MOMENTS = 32
NO_TENSORS = b"\x02" + bytes(7) + b"{}"
"""The smallest whole file of safetensors: a header that lists nothing."""
START, END = "<|startoftext|>", "<|endoftext|>"

CHAIN_FILE = """
[tiny]
title = "Tiny random experts"
vae = "./spatial/vae"
sizes = [[32, 32], [48, 32]]
fps = 8
freedom = 300
structure_freedom = 500
structure_refine_steps = 6

[tiny.control]
kind = "animatediff"
source = "./control"
frames = 16
frame_text = "{prompt} <m{moment}>"
moments = 32

[tiny.control.schedule]
beta_start = 0.00085
beta_end = 0.012
beta_schedule = "scaled_linear"
zero_snr = true
prediction_type = "v_prediction"

[tiny.spatial]
kind = "stable-diffusion"
source = "./spatial"
frames = 1
guidance = "optional"
guidance_scale = 2.0
schedule = { beta_start = 0.00085, beta_end = 0.012, beta_schedule = "scaled_linear" }

[tiny.temporal]
kind = "modelscope"
source = "./temporal"
frames = 16
schedule = { beta_start = 0.0001, beta_end = 0.02, beta_schedule = "linear", prediction_type = "v_prediction" }
"""


def write_tiny_chain(folder: Path) -> Path:
    """Fill `folder` with the experts and return the chain file."""
    torch.manual_seed(0)
    for role, width in (("control", 16), ("spatial", 16), ("temporal", 24)):
        tokenizer = write_tokenizer(folder / role / "tokenizer")
        text_encoder(tokenizer, width).save_pretrained(folder / role / "text_encoder")
    motion_network().save_pretrained(folder / "control" / "unet")
    image_network().save_pretrained(folder / "spatial" / "unet")
    video_network().save_pretrained(folder / "temporal" / "unet")
    autoencoder().save_pretrained(folder / "spatial" / "vae")
    path = folder / "chains.toml"
    path.write_text(CHAIN_FILE)
    return path


def write_tokenizer(folder: Path) -> CLIPTokenizer:
    """A tokenizer that knows letters, and the moments' marks."""
    folder.mkdir(parents=True)
    letters = string.ascii_lowercase + string.digits + string.punctuation
    names = [*letters, *(letter + "</w>" for letter in letters), START, END]
    (folder / "vocab.json").write_text(json.dumps({name: number for number, name in enumerate(names)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": TOKENS, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"<m{moment}>" for moment in range(MOMENTS)], special_tokens=True)
    tokenizer.save_pretrained(folder)
    return tokenizer


def text_encoder(tokenizer: CLIPTokenizer, width: int) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=2 * width,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=TOKENS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def motion_network() -> UNetMotionModel:
    network = UNetMotionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=16,
        down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
        up_block_types=("UpBlockMotion", "CrossAttnUpBlockMotion"),
        num_attention_heads=2,
        motion_num_attention_heads=2,
        motion_max_seq_length=32,
    )
    return _stirred(network)


def image_network() -> UNet2DConditionModel:
    network = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=16,
        attention_head_dim=2,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )
    return _stirred(network)


def video_network() -> UNet3DConditionModel:
    network = UNet3DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=24,
        attention_head_dim=4,
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
    )
    return _stirred(network)


def autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=32,
        scaling_factor=0.18215,
    )


def _stirred(network: torch.nn.Module) -> torch.nn.Module:
    """Layers that begin at zero would hide what they are given."""
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return network
