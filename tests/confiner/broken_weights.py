# SPDX-License-Identifier: GPL-3.0-or-later
"""The tiny chain with one value of one tensor made no number, in each place where weights can be broken."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from confiner.chains import ChainSpec, read_file
from safetensors import safe_open
from safetensors.torch import load_file, save_file

UNET = "unet/diffusion_pytorch_model.safetensors"
TEXT = "text_encoder/model.safetensors"
VAE = "spatial/vae/diffusion_pytorch_model.safetensors"


@dataclass(frozen=True)
class Broken:
    """The file, the beginning of the tensor's name, and who is then named as having given what, when."""

    file: str
    tensor: str
    who: str
    doing: str
    structure: bool = False


BROKEN = {
    "control network": Broken(f"control/{UNET}", "conv_out.bias", "the control expert", "at control step 1 of 2"),
    "control motion": Broken(
        f"control/{UNET}", "down_blocks.0.motion_modules.0.proj_out.weight", "the control expert", "at control step 1"
    ),
    "control text": Broken(
        f"control/{TEXT}", "final_layer_norm.weight", "the text encoder of the control expert", "read the prompts"
    ),
    "spatial network": Broken(f"spatial/{UNET}", "conv_in.weight", "the spatial expert", "at refinement step 1 of 2"),
    "spatial text": Broken(
        f"spatial/{TEXT}", "embeddings.position", "the text encoder of the spatial expert", "read the prompts"
    ),
    "temporal network": Broken(
        f"temporal/{UNET}", "conv_out.weight", "the temporal expert", "at refinement step 1 of 2"
    ),
    "temporal time": Broken(
        f"temporal/{UNET}", "transformer_in.proj_out.weight", "the temporal expert", "at refinement step 1 of 2"
    ),
    "temporal text": Broken(
        f"temporal/{TEXT}", "encoder.layers.0.mlp.fc1.bias", "the text encoder of the temporal expert", "the prompts"
    ),
    "temporal network over structure": Broken(
        f"temporal/{UNET}", "time_embedding.linear_1.bias", "the temporal expert", "at refinement step 1 of 2", True
    ),
    "encoder": Broken(VAE, "encoder.conv_in.bias", "the autoencoder", "when it encoded a test card"),
    "encoder for structure": Broken(VAE, "encoder.conv_out.bias", "the autoencoder", "when it encoded", True),
    "decoder": Broken(VAE, "decoder.conv_out.bias", "the autoencoder", "when it decoded frames 1 to 4"),
    "decoder over structure": Broken(VAE, "post_quant_conv.weight", "the autoencoder", "when it decoded frames", True),
}


def chain_with(chain_file: Path, folder: Path, broken: Broken, value: float) -> ChainSpec:
    """A copy of the chain beside `chain_file` with `value` in one place."""
    copy = folder / "broken"
    shutil.copytree(chain_file.parent, copy)
    spoil(copy / broken.file, broken.tensor, value)
    return read_file(copy / chain_file.name)["tiny"]


def spoil(path: Path, tensor: str, value: float) -> None:
    """Put `value` into the first number of the first tensor whose name has `tensor` in it."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    name = next(name for name in sorted(tensors) if tensor in name)
    tensors[name].view(-1)[0] = value
    save_file(tensors, path, metadata)
