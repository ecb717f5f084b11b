# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a published repository's description, and build its networks without weights."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from confiner.experts.lavie_unet import LaVieUNet

NAMES = ("stable_diffusion", "animatediff_lightning", "modelscope", "lavie", "taesd")


@dataclass(frozen=True)
class Repository:
    """One repository: its name on the hub, its JSON files by path, and which network each weight file holds.

    `models` has the configurations that the repository leaves to whoever loads it.
    """

    repository: str
    licence: str
    weights: dict[str, str]
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)

    def config(self, part: str) -> dict[str, Any]:
        """The configuration of one network, such as `unet` or `text_encoder`; `model` is a whole repository's."""
        if part == "model":
            return self.files["config.json"]
        return self.models[part] if part in self.models else self.files[f"{part}/config.json"]

    def network(self, part: str) -> torch.nn.Module:
        """The network on the meta device: every name and shape, no numbers."""
        config = {key: value for key, value in self.config(part).items() if key != "torch_dtype"}
        with torch.device("meta"):
            if config.get("model_type") == "clip_text_model":
                return transformers.CLIPTextModel(transformers.CLIPTextConfig(**config))
            name = config.pop("_class_name")
            kind = LaVieUNet if name == "LaVieUNet" else getattr(diffusers, name)
            network: torch.nn.Module = kind(**{key: value for key, value in config.items() if key[0] != "_"})
        return network


def read_repository(name: str) -> Repository:
    """The repository described in `name`.toml of this folder."""
    text = Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8")
    return Repository(**tomllib.loads(text))


def motion_network(base: Repository, motion: Repository) -> torch.nn.Module:
    """An image network with motion modules in it, as AnimateDiff runs them, on the meta device."""
    image, adapter = base.network("unet"), motion.network("motion_adapter")
    with torch.device("meta"):
        network: torch.nn.Module = diffusers.UNetMotionModel.from_unet2d(image, adapter, load_weights=False)
    return network
