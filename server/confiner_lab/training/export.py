# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the three experts as ordinary diffusers folders in fp16, with a record of how they were made."""

from __future__ import annotations

import copy
import hashlib
import json
import platform
import time
from pathlib import Path

import torch
from diffusers import (
    AnimateDiffPipeline,
    AutoencoderKL,
    DiffusionPipeline,
    StableDiffusionPipeline,
    TextToVideoSDPipeline,
    UNet2DConditionModel,
    UNet3DConditionModel,
    UNetMotionModel,
)
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

from .diffusion import image_scheduler, temporal_scheduler


def export(
    folder: Path,
    *,
    vae: AutoencoderKL,
    text: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    control: UNetMotionModel,
    spatial: UNet2DConditionModel,
    temporal: UNet3DConditionModel,
    record: dict[str, object],
    words: dict[str, list[str]],
) -> None:
    """Fill `folder` with `control/`, `spatial/`, `temporal/`, `record.json` and `words.json`.

    The last tells the known words, and of each those that may follow it in a caption.
    """
    shared = {"vae": _half(vae), "text_encoder": _half(text), "tokenizer": tokenizer}
    pipelines: dict[str, DiffusionPipeline] = {
        "control": AnimateDiffPipeline(**shared, unet=_half(control), motion_adapter=None, scheduler=image_scheduler()),
        "spatial": StableDiffusionPipeline(
            **shared,
            unet=_half(spatial),
            scheduler=image_scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        ),
        "temporal": TextToVideoSDPipeline(**shared, unet=_half(temporal), scheduler=temporal_scheduler()),
    }
    for name, pipeline in pipelines.items():
        pipeline.save_pretrained(folder / name, safe_serialization=True)
        _load_as_float32(folder / name / "text_encoder" / "config.json")
    _forget_origin(folder)
    (folder / "words.json").write_text(json.dumps(words, separators=(",", ":")) + "\n")
    whole = record | {"machine": machine(), "date": time.strftime("%Y-%m-%d"), "files": hashes(folder)}
    (folder / "record.json").write_text(json.dumps(whole, indent=1) + "\n")


def _half(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model).to(torch.float16)


def _load_as_float32(config: Path) -> None:
    """Without a dtype asked for, transformers loads what the config says, and diffusers float32: let them agree."""
    value = json.loads(config.read_text())
    config.write_text(json.dumps(value | {"dtype": "float32"}, indent=2) + "\n")


def _forget_origin(folder: Path) -> None:
    """Take the paths of the training machine out of the configurations."""
    for path in folder.rglob("*.json"):
        value = json.loads(path.read_text())
        if isinstance(value, dict) and value.keys() & {"_name_or_path", "name_or_path"}:
            kept = {key: item for key, item in value.items() if key not in ("_name_or_path", "name_or_path")}
            path.write_text(json.dumps(kept, indent=2) + "\n")


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of weights, by its path in `folder`."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.safetensors"))
    }


def machine() -> dict[str, object]:
    """What kind of machine this is, and nothing that tells which."""
    return {
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
