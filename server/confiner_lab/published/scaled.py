# SPDX-License-Identifier: GPL-3.0-or-later
"""The same repository with narrower networks: equal names, files and depth, small enough for any machine."""

from __future__ import annotations

import dataclasses
from typing import Any

from .reading import Repository

NARROWER = 10
"""By how much the UNets lose width for tests: 320 becomes 32, which the norms' 32 groups still divide."""

MIDDLE = 2
"""The same where times and bytes shall mean something: 320 becomes 160, a quarter of the weights."""

TEXT_NARROWER = 16
LAYERS = 2
"""Text encoders keep this many of their layers; those are all alike."""

VOCABULARY = 514
"""Both kinds of 256 byte tokens and the two that start and end a text."""


def scaled_down(repository: Repository, narrower: int = NARROWER) -> Repository:
    """`repository` with every network's widths divided, the UNets' by `narrower`, and nothing else changed."""
    return dataclasses.replace(
        repository,
        files={path: _scaled(config, narrower) for path, config in repository.files.items()},
        models={part: _scaled(config, narrower) for part, config in repository.models.items()},
    )


def _scaled(config: dict[str, Any], narrower: int) -> dict[str, Any]:
    if config.get("model_type") == "clip_text_model":
        narrow = {key: config[key] // TEXT_NARROWER for key in ("hidden_size", "intermediate_size")}
        return {**config, **narrow, "num_hidden_layers": LAYERS, "vocab_size": VOCABULARY}
    if "block_out_channels" not in config:
        return config
    scaled = dict(config)
    divisor = 4 if config["_class_name"] == "AutoencoderKL" else narrower
    scaled["block_out_channels"] = [width // divisor for width in config["block_out_channels"]]
    if "cross_attention_dim" in config:
        scaled["cross_attention_dim"] = config["cross_attention_dim"] // TEXT_NARROWER
    if config["_class_name"] == "UNet3DConditionModel":
        scaled["attention_head_dim"] = 8  # there it is a head's width, not the number of heads
    return scaled
